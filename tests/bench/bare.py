"""The least a Textual app with the same parts can do: what ours is measured against."""

from textual.app import App, ComposeResult
from textual.events import Paste
from textual.widgets import DataTable, Footer, Header, Input, Static


class Sink(Static, can_focus=True):
    """What a paste costs before anyone has looked at it."""

    def on_paste(self, event: Paste) -> None:
        self.update(f"pasted {len(event.text)}")


class Bare(App[None]):
    """A header, an input, a table of 200 rows and a footer."""

    AUTO_FOCUS = "Sink"

    def compose(self) -> ComposeResult:
        yield Header()
        yield Input()
        yield Sink("nothing")
        yield DataTable()
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("when", "agent", "state", "what")
        table.add_rows(("2026-11-22", "reviewer", "completed", f"row {n}") for n in range(200))


if __name__ == "__main__":
    Bare().run()
