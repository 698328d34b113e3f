"""Filling templates: Jinja2 in a sandbox, and the older ``{placeholder}`` form.

A template is text from anywhere, so filling one always ends: its loops, calls and values are
bounded. Nothing it asks for is ever left standing in the result; what is not known is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, wraps
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from orch_tui.assets import asset
from orch_tui.errors import FormatError, NotFoundError, SourceError
from orch_tui.frozen import frozen
from orch_tui.paths import resolve_path

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_STEPS = 1_000_000
"""Loop turns, calls and thousands of characters that one filling may cost: about a second."""
MAX_NUMBER = 10_000_000
"""The largest number a template may pass on; a width or a count."""

_CHARACTERS_PER_STEP = 1000
_STEPS_PER_CALL = 5

_JINJA = re.compile(r"\{\{|\{%|\{#.*?#\}", re.S)
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
_COMMENT = re.compile(r"^[ \t]*<!--.*?-->[ \t]*(?:\r\n|\n)|<!--.*?-->", re.S | re.M)


@frozen
class Template:
    """A template and the name to call it by."""

    name: str
    text: str

    @property
    def is_jinja(self) -> bool:
        return _JINJA.search(self.text) is not None


def load_template(name: str, folders: Sequence[Path] = (), cwd: Path | None = None) -> Template:
    """The template at path ``name``, or called so in ``folders`` or among those of orch.

    A name may leave out its last suffixes (``briefing`` is ``briefing.md.tmpl``); a relative path
    is taken from ``cwd`` (default: the working folder). Raises NotFoundError with the nearest
    names, SourceError for a file that holds no text, PathError for what can be no file.
    """
    searched = [folder for folder in (*folders, asset("templates")) if folder.is_dir()]
    path = Path(resolve_path(name, cwd))
    if path.is_file():
        return _read(path)
    if len(Path(name).parts) > 1:
        raise SourceError(name, "there is no such template")
    for folder in searched:
        if (folder / name).is_file():
            return _read(folder / name)
        for entry in sorted(folder.iterdir()):
            if entry.name.split(".")[0] == name and entry.is_file():
                return _read(entry)
    known = [entry.name for folder in searched for entry in sorted(folder.iterdir())]
    raise NotFoundError("template", name, known)


def fill_template(template: Template, values: Mapping[str, object]) -> str:
    """The template filled from ``values``.

    Raises FormatError for a placeholder that ``values`` lacks, for a syntax error (with its line)
    and for a template that does not end. In the older form HTML comments are dropped, and what is
    filled in is never looked at again.
    """
    return _fill_jinja(template, values) if template.is_jinja else _fill_older(template, values)


def _read(path: Path) -> Template:
    if path.parent == asset("templates"):  # those of orch are UTF-8 and hold no secret
        return Template(path.name, path.read_text("utf-8"))
    from orch_tui.prepare.sources import SourceReader

    reader = SourceReader(path.parent, path.parent, allow_secret=True, max_bytes=1_000_000)
    (source,) = reader.read_source(str(path.absolute()))
    return Template(path.name, source.text)


def _fill_older(template: Template, values: Mapping[str, object]) -> str:
    values = {name: value for name, value in values.items() if isinstance(value, str | int | float)}
    blanked = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), template.text)
    asked: dict[str, int] = {}
    for match in _PLACEHOLDER.finditer(blanked):
        asked.setdefault(match[1], blanked.count("\n", 0, match.start()) + 1)
    _check_known(template, asked, values)
    text = _COMMENT.sub("", template.text)
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), text)


def _fill_jinja(template: Template, values: Mapping[str, object]) -> str:
    from jinja2 import Template as Compiled
    from jinja2 import TemplateSyntaxError

    meter = _Meter()
    environment = _environment(meter)
    try:
        asked, code = _compiled(template.text)
        _check_known(template, asked, values)
        compiled = Compiled.from_code(environment, code, dict(environment.globals))
        filled = compiled.generate(values)
        return "".join(meter.size(piece) for piece in filled)
    except FormatError:
        raise
    except TemplateSyntaxError as error:
        raise FormatError(f"{_at(template.name, error.lineno)}: {error.message}") from None
    except (_EndlessError, RecursionError, MemoryError, OverflowError) as error:
        raise FormatError(
            f"{_at(template.name, _line(error))}: does not end or grows without end",
            hint=f"it may take {MAX_STEPS:,} steps: turns of loops, calls, thousands of characters",
        ) from None
    except Exception as error:  # whatever the template made a filter or method do
        what = re.sub(r"orch_tui[\w.]*\.(\w+) object", r"\1", str(error)) or type(error).__name__
        raise FormatError(f"{_at(template.name, _line(error))}: {what}") from None


def _line(error: BaseException) -> int | None:
    """The line of the template that an error comes from: Jinja puts it into the traceback."""
    found = None
    step = error.__traceback__
    while step is not None:
        if "__jinja_exception__" in step.tb_frame.f_globals:
            found = step.tb_lineno
        step = step.tb_next
    return found


def _at(name: str, line: int | None) -> str:
    return f"template {name}, line {line}" if line else f"template {name}"


@lru_cache(maxsize=8)
def _compiled(text: str) -> tuple[dict[str, int], CodeType]:
    """The names a template asks for, each with a line, and its code; compiling takes far longer
    than filling."""
    from jinja2 import meta, nodes

    environment = _environment(_Meter())
    tree = environment.parse(text)
    asked = meta.find_undeclared_variables(tree) - _optional(tree) - set(environment.globals)
    lines = {n.name: n.lineno for n in tree.find_all(nodes.Name) if n.name in asked}
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = nodes.Filter(loop.iter, "_turns", [], [], None, None, lineno=loop.lineno)
    for joined in list(tree.find_all(nodes.Concat)):
        joined.nodes = [
            nodes.Filter(node, "_piece", [], [], None, None, lineno=node.lineno)
            for node in joined.nodes
        ]
    return lines, environment.compile(tree)


def _optional(tree: nodes.Template) -> set[str]:
    """The names a template asks after before it uses them: ``is defined``, ``default``."""
    from jinja2 import nodes

    asking = [*tree.find_all(nodes.Test), *tree.find_all(nodes.Filter)]
    return {
        node.node.name
        for node in asking
        if node.name in ("defined", "undefined", "default", "d")
        and isinstance(node.node, nodes.Name)
    }


def _environment(meter: _Meter) -> ImmutableSandboxedEnvironment:
    """A sandbox in which every way to grow without end passes the meter."""
    from jinja2 import StrictUndefined
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Metered(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**", "%", "+"})

        def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
            meter.spend(_STEPS_PER_CALL)
            meter.arguments(*args, *kwargs.values())
            return meter.size(super().call(context, obj, *args, **kwargs))

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            meter.operation(operator, left, right)
            return meter.size(super().call_binop(context, operator, left, right))

        def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
            if super().wrap_str_format(value) is not None:  # its widths are beyond the meter
                raise SecurityError("str.format is not available here, use ~ or the filter format")
            return None

    environment = Metered(
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    for name, function in environment.filters.items():
        environment.filters[name] = meter.guarded(name, function)
    environment.filters |= {"_turns": meter.turns, "_piece": meter.size}
    del environment.globals["lipsum"]
    return environment


class _EndlessError(Exception):
    """A template took more steps than one may."""


class _Meter:
    """Counts what one filling does, by steps and by size, and stops it when it is too much."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise _EndlessError

    def turns(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.spend(1)
            yield value

    def size(self, value: Any) -> Any:
        """The value, paid for by its length."""
        self.spend(1 + (len(value) // _CHARACTERS_PER_STEP if _sized(value) else 0))
        return value

    def arguments(self, *values: object) -> None:
        """Refuses numbers that are asked for as widths or counts, before they are made."""
        if any(isinstance(value, int) and abs(value) > MAX_NUMBER for value in values):
            raise _EndlessError

    def operation(self, operator: str, left: Any, right: Any) -> None:
        if operator == "*" and (_sized(left) or _sized(right)):
            self.arguments(left, right)
            lengths = [len(value) if _sized(value) else int(value) for value in (left, right)]
            self.spend(lengths[0] * lengths[1] // _CHARACTERS_PER_STEP)
        elif operator == "**":
            self.arguments(left, right)
            self.spend(abs(int(right)))
        elif operator == "%" and isinstance(left, str):
            self.arguments(*(right if isinstance(right, tuple) else (right,)))
            self.arguments(*(int(width[:18]) for width in re.findall(r"\d+", left)))

    def guarded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)  # keeps the mark that says which first argument jinja passes
        def checked(*args: Any, **kwargs: Any) -> Any:
            if name == "format":
                self.operation("%", str(args[0]), args[1:])
            self.arguments(*args[1:], *kwargs.values())
            return self.size(function(*args, **kwargs))

        return checked


def _sized(value: object) -> bool:
    return isinstance(value, str | bytes | list | tuple)


def _check_known(
    template: Template, asked: Mapping[str, int], values: Mapping[str, object]
) -> None:
    """Refuse names that ``values`` lacks; ``asked`` are all, each with its line."""
    if unknown := {name: line for name, line in asked.items() if name not in values}:
        named = ", ".join(f"{{{name}}}" for name in unknown)
        many = "s" if len(unknown) > 1 else ""
        raise FormatError(
            f"{_at(template.name, min(unknown.values()))}: unknown placeholder{many} {named}",
            hint=f"known: {', '.join(sorted(values))}",
        )
