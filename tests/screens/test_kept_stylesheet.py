"""What is remembered of the styles of a node is what Textual finds each time it looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

from orch_tui.app import OrchApp
from orch_tui.project import Project
from orch_tui.screens.header import Header
from tests.conftest import FakeClock
from tests.screens.quiet import settled
from tests.screens.test_file_names import folder, pressed

__all__ = ["folder"]


def rules_of(node: DOMNode) -> dict[str, Any]:
    """What a node and its parts have of the stylesheet; each node has a layout of its own."""
    found = {"": node.styles.base.get_rules()}
    found |= {part: styles.base.get_rules() for part, styles in node._component_styles.items()}
    return {
        f"{part} {name}": type(value) if name == "layout" else value
        for part, rules in found.items()
        for name, value in rules.items()
    }


async def test_nodes_have_the_styles_that_textual_finds(folder: Path, clock: FakeClock) -> None:
    app = OrchApp(Project(folder, clock=clock))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        looked_at = 0
        for keys in (("f1",), ("f2",), ("f3", "tab"), ("f4", "escape"), ("f5",), ("f4", "ctrl+g")):
            await pressed(pilot, *keys)
            if keys == ("f5",):  # what was there has the colours of the theme before
                app.theme = "orch-light"
                await settled(pilot)
            plain = Stylesheet(variables=app.get_css_variables())
            plain.source = dict(app.stylesheet.source)
            plain.parse()
            for node in (app, *app.screen.walk_children(with_self=True)):
                before = rules_of(node)
                plain.apply(node)
                assert before == rules_of(node), (node, node._parent)
                looked_at += len(before)
        assert looked_at > 1000
        assert len(app.stylesheet.rules) == len(plain.rules)
        header = app.screen_stack[0].query_one(Header)
        app.stylesheet.add_source("Header { offset-x: 3; }", is_default_css=False)
        app.stylesheet.apply(header)
        assert header.styles.offset.x.value == 3  # what was found before is looked for again
