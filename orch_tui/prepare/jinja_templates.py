"""Filling a Jinja2 template in this process: one of orch, or under the limits of `filling`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orch_tui.errors import FormatError
from orch_tui.prepare.filling_limits import ENDLESS
from orch_tui.prepare.placeholders import check_placeholders, format_place

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment


def fill_jinja(
    name: str, text: str, values: Mapping[str, object], *, for_html: bool = False
) -> str:
    """Fill a template from ``values``; ``for_html``: each text among them is escaped.

    Raises FormatError for what is wrong in it, with its line.
    """
    from jinja2 import TemplateSyntaxError, meta, nodes

    environment = _make_environment(for_html)
    try:
        tree = environment.parse(text)
        asked = meta.find_undeclared_variables(tree) - _optional(tree) - set(environment.globals)
        lines = {n.name: n.lineno for n in tree.find_all(nodes.Name) if n.name in asked}
        check_placeholders(name, lines, values)
        return environment.from_string(tree).render(values)
    except FormatError:
        raise
    except TemplateSyntaxError as error:
        raise FormatError(f"{format_place(name, error.lineno)}: {error.message}") from None
    except (RecursionError, MemoryError, OverflowError) as error:
        raise FormatError(f"{format_place(name, _line(error))}: {ENDLESS}") from None
    except Exception as error:  # whatever the template made a filter or method do
        what = re.sub(r"orch_tui[\w.]*\.(\w+) object", r"\1", str(error)) or type(error).__name__
        raise FormatError(f"{format_place(name, _line(error))}: {what}") from None


def _line(error: BaseException) -> int | None:
    """Find the line of the template that an error comes from: Jinja puts it into the traceback."""
    found = None
    step = error.__traceback__
    while step is not None:
        if "__jinja_exception__" in step.tb_frame.f_globals:
            found = step.tb_lineno
        step = step.tb_next
    return found


def _optional(tree: nodes.Template) -> set[str]:
    """List the names a template asks after before it uses them: ``is defined``, ``default``."""
    from jinja2 import nodes

    asking = [*tree.find_all(nodes.Test), *tree.find_all(nodes.Filter)]
    return {
        node.node.name
        for node in asking
        if node.name in ("defined", "undefined", "default", "d")
        and isinstance(node.node, nodes.Name)
    }


def _make_environment(for_html: bool) -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=for_html,
    )
    del environment.globals["lipsum"]
    return environment
