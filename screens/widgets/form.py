"""A form of several lines over a screen: each with choices to complete from and, while it is
typed, what is wrong with it beneath.

What is typed is kept as a draft, so that leaving the form, or a crash, loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from orch_tui.errors import OrchError
from orch_tui.screens.dialogs import tell_keys
from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.safe import one_line, plain

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.prepare.validation import Remark

SAVE_AFTER = 0.3
"""Seconds without a key after which the draft is written."""
MOST_CHOICES = 100
_MOST_SHOWN = 7
"""Lines of choices that are seen at once."""
_AROUND, _REMARKS = 5, 1
"""Lines of a form besides its fields and choices, and those kept for what is wrong with it."""

Values = Mapping[str, str]
Check = Callable[[Values], "Sequence[Remark]"]


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form."""

    name: str
    label: str
    value: str = ""
    placeholder: str = ""
    choices: Sequence[tuple[str, str]] = ()
    """Pairs of a value to complete to and the words beside it."""
    several: bool = False
    """Values separated by commas; the one at the end is completed."""
    is_asked: bool = False
    """Enter in a line above goes here while it is empty, and accepts nothing yet."""


class FormInput(Input):
    """A line of a form; line ends in it are shown, and kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.choose(1)", "Choose", show=False),
        Binding("up", "screen.choose(-1)", "Choose", show=False),
    ]

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()  # Textual's own takes the first line only
        self.insert_text_at_cursor(_shown(event.text.rstrip("\r\n")))


class Form(ModalScreen[dict[str, str] | None]):
    """Several lines of text; their values by name are the result, None when left with Escape."""

    DEFAULT_CSS = """
    Form { align: center middle; }
    Form > Vertical {
        width: 84; max-width: 96%; height: auto; max-height: 100%;
        border: round $border; background: $surface; padding: 1 2 0 2;
        border-title-color: $border; border-title-style: bold;
    }
    Form #fields { height: auto; max-height: 12; }
    Form #fields > Horizontal { height: 1; }
    Form .label { width: 12; color: $foreground-muted; }
    Form .-now .label { color: $text-accent; text-style: bold; }
    Form FormInput { width: 1fr; background: $panel; }
    Form .remark { height: auto; margin-left: 12; display: none; color: $text-warning; }
    Form .remark.-shown { display: block; }
    Form .remark.-stops { color: $text-error; }
    Form #choices {
        height: 7; margin-top: 1; border: none; border-top: solid $border; padding: 0;
        background: $surface;
    }
    Form #choices.-none { border-top: solid $surface; }
    Form #hint { height: 1; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave"),
        Binding("ctrl+z", "start_over", "as it was"),
        # keys typed ahead, over a slow line, must not end up in the line before
        Binding("tab", "next", "next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "the line before", show=False, priority=True),
    ]

    app: OrchApp

    @dataclass
    class DraftRead(Message, bubble=False):
        """What was typed the last time and not accepted."""

        values: dict[str, str]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        check: Check,
        accept: str,
        draft: str = "",
        at: str = "",
    ) -> None:
        """``check`` says what is wrong with values, at every key, so it must be quick; ``accept``
        is the word for Enter; ``draft`` names where unfinished typing is kept, empty: nowhere;
        ``at`` is the line one begins in, empty: the first.

        Accepting leaves the draft to the caller: it is to be dropped once the values are recorded.
        """
        super().__init__()
        self._title = title
        self._fields = {field.name: field for field in fields}
        self._check = check
        self._accept = accept
        self.draft = draft
        self._at = at
        self._touched: set[str] = set()
        self._remarks: dict[str, list[Remark]] = {}
        self._chosen: tuple[str, str] | None = None
        """What was typed into the line, and the value taken from the list since."""
        self._is_resumed = False
        """What was typed the last time is back, and nobody went on from it yet."""
        self._saving: Any = None

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(one_line(self._title))
            with VerticalScroll(id="fields", can_focus=False):
                for field in self._fields.values():
                    with Horizontal(id=f"line-{field.name}"):
                        yield Static(Text(field.label), classes="label")
                        yield FormInput(
                            _shown(field.value),
                            placeholder=field.placeholder,
                            id=f"field-{field.name}",
                            compact=True,
                            select_on_focus=False,
                        )
                    yield Static("", classes="remark", id=f"remark-{field.name}", markup=False)
            choices = OptionList(id="choices")
            choices.can_focus = False
            choices.display = self._has_choices
            yield choices
            yield Static(self._hint(), id="hint")

    def on_mount(self) -> None:
        self._show_remarks()
        if self._at:
            self._input(self._at).focus()
        if self.draft:
            self.run_worker(self._read_draft, thread=True, group="draft")

    def on_resize(self) -> None:
        self._make_room()

    def _make_room(self) -> None:
        """Leave room for the keys: the choices give way, then the lines that are not seen; where
        there is little, the choices have room only in a line that has some."""
        lines = self.app.size.height - _AROUND
        choices = self.query_one("#choices", OptionList)
        most = max((len(field.choices) for field in self._fields.values()), default=0)
        most = max(2, min(_MOST_SHOWN, most))
        room = min(most, lines - len(self._fields) - _REMARKS)
        is_needed = room == most or choices.option_count > 0
        choices.display = self._has_choices and room > 1 and is_needed
        choices.styles.height = max(2, room)
        taken = room + 1 if choices.display else 0
        self.query_one("#fields").styles.max_height = max(2, min(12, lines - taken))

    # Values

    @property
    def values(self) -> dict[str, str]:
        """As typed; a line nobody changed is what it was, to the character."""
        found = {}
        for name, field in self._fields.items():
            shown = self._input(name).value
            found[name] = field.value if shown == _shown(field.value) else _meant(shown)
        return found

    def _input(self, name: str) -> FormInput:
        return self.query_one(f"#field-{name}", FormInput)

    def _put(self, values: Values) -> None:
        for name in self._fields:
            if isinstance(values.get(name), str):
                self._input(name).value = _shown(values[name])
                self._input(name).cursor_position = len(self._input(name).value)

    @property
    def _now(self) -> str:
        """The line that has the cursor."""
        return (self.focused.id or "").removeprefix("field-") if self.focused else ""

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        name = (event.input.id or "").removeprefix("field-")
        if event.value != _shown(self._fields[name].value):
            self._touched.add(name)
        self._show_remarks()
        if name == self._now and not (self._chosen and event.value == self._chosen[1]):
            self._chosen = None
            self._show_choices()
        if self.draft and self._touched:
            self._stop_saving()
            self._saving = self.set_timer(SAVE_AFTER, self._save)

    def _show_remarks(self) -> list[Remark]:
        """Say beneath each line what is wrong with it; gives what cannot be accepted."""
        values = self.values
        remarks = self._check(values)
        for name in self._fields:
            own = [r for r in remarks if r.field == name]
            if name == self._now and self._only_match:  # Enter makes it right
                own = [remark for remark in own if remark.stops]
            shown = own if values[name].strip() or name in self._touched else []
            if shown == self._remarks.get(name, []):
                continue  # laying out the form anew takes longer than a key should
            self._remarks[name] = shown
            label = self.query_one(f"#remark-{name}", Static)
            lines = [f"{SIGNS['failed' if r.stops else 'doubt']} {one_line(r.text)}" for r in shown]
            label.update(Text("\n".join(lines)))
            label.set_class(bool(shown), "-shown")
            label.set_class(any(r.stops for r in shown), "-stops")
        return [remark for remark in remarks if remark.stops]

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if self._takes_choice:
            self._end_choice()
            return
        if self._only_match:
            self.action_next()
            return
        if left := self._left_empty:
            self._input(left).focus()
            return
        self._touched.update(self._fields)
        stops = self._show_remarks()
        if stops:
            self._input(stops[0].field).focus()
            self.app.bell()
            return
        self._stop_saving()
        self.dismiss(self.values)

    def action_leave(self) -> None:
        if self._touched:
            self._save()
        self.dismiss(None)

    def action_start_over(self) -> None:
        self._put({name: field.value for name, field in self._fields.items()})
        self._touched.clear()
        self._is_resumed = False
        self._show_remarks()
        self._keep("")
        self._tell_keys()

    def _hint(self) -> Content:
        if self._is_resumed:
            return tell_keys(self._accept, [("^Z", "as it was; what you typed is back")])
        only = one_line(self._only_match, 30)
        if self._takes_choice:
            enter = "takes it"
        elif only:
            enter = f"takes {only}"
        else:
            enter = "goes on" if self._left_empty else self._accept
        keys = [("Tab", "next"), *[("↓", "choose")] * self._has_choices, ("Esc", "leaves")]
        return tell_keys(enter, keys)

    @property
    def _left_empty(self) -> str:
        """The first line below this one that is asked for and empty; empty: none."""
        names = list(self._fields)
        below = names[names.index(self._now) + 1 :] if self._now in names else []
        empty = (name for name in below if self._fields[name].is_asked)
        return next((name for name in empty if not self._input(name).value.strip()), "")

    @property
    def _has_choices(self) -> bool:
        return any(field.choices for field in self._fields.values())

    # Choices

    @on(events.DescendantFocus)
    def _focused(self) -> None:
        for name in self._fields:
            self.query_one(f"#line-{name}").set_class(name == self._now, "-now")
        self._chosen = None
        self._show_choices()

    def _show_choices(self) -> None:
        field = self._fields.get(self._now)
        found = matching(field, self._input(field.name).value) if field else []
        choices = self.query_one("#choices", OptionList)
        choices.clear_options()
        width = max((len(value) for value, _ in found), default=0)
        choices.add_options(
            Option(
                Text(
                    f"{one_line(value):{width}}  {one_line(words)}",
                    no_wrap=True,
                    overflow="ellipsis",
                ),
                id=value,
            )
            for value, words in found
        )
        choices.set_class(not found, "-none")
        self._make_room()
        self._tell_keys()

    @property
    def _only_match(self) -> str:
        """The one choice that what is typed in the line may become; empty: none, or several."""
        field = self._fields.get(self._now)
        if field is None or not field.choices:
            return ""
        text = self._input(field.name).value
        typed = (text.rpartition(",")[2] if field.several else text).strip().casefold()
        found = [value for value, _ in matching(field, text)]
        begun = [value for value in found if value.casefold().startswith(typed)]
        only = begun if len(begun) == 1 else found
        is_one = len(only) == 1 and typed and only[0].casefold() != typed
        return only[0] if is_one else ""

    def action_next(self) -> None:
        """Go to the next line; where what is typed can only become one choice, it is taken."""
        if only := self._only_match:
            self._choose(only)
            self._chosen = None
        self.app.action_focus_next()

    def action_choose(self, by: int) -> None:
        """Take the next choice into the line, or go to the next line where there is none."""
        choices = self.query_one("#choices", OptionList)
        if not choices.option_count:
            (self.focus_next if by > 0 else self.focus_previous)("FormInput")
            return
        at = choices.highlighted
        at = (0 if by > 0 else choices.option_count - 1) if at is None else at + by
        choices.highlighted = at % choices.option_count
        self._choose(str(choices.get_option_at_index(choices.highlighted).id))

    @on(OptionList.OptionSelected, "#choices")
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self._choose(str(event.option_id))

    def _choose(self, value: str) -> None:
        field = self._fields[self._now]
        line = self._input(field.name)
        typed = self._chosen[0] if self._chosen else line.value
        head = typed.rpartition(",")[0] if field.several else ""
        self._chosen = (typed, f"{head}, {value}" if head else value)
        line.value = self._chosen[1]
        line.cursor_position = len(line.value)
        self._tell_keys()

    @property
    def _takes_choice(self) -> bool:
        """Whether the line has what was chosen for it, and nobody went on from it yet."""
        return self._chosen is not None and self._input(self._now).value == self._chosen[1]

    def _end_choice(self) -> None:
        """Take what was chosen, and go on to the next line; the last one stays."""
        self._chosen = None
        if self._now != list(self._fields)[-1]:
            self.focus_next("FormInput")
        else:
            self._show_choices()
        self._tell_keys()

    def _tell_keys(self) -> None:
        self.query_one("#hint", Static).update(self._hint(), layout=False)

    # The draft

    def _read_draft(self) -> None:
        try:
            values = json.loads(self.app.drafts.load(self.draft))
        except ValueError:  # none, or not ours
            return
        if isinstance(values, dict):
            self.post_message(self.DraftRead(values))

    def on_form_draft_read(self, message: DraftRead) -> None:
        if self._touched or message.values == self.values:
            return
        self._is_resumed = True
        self._put(message.values)
        self._tell_keys()

    def owe_draft(self) -> None:
        if self._saving is not None:
            self._owe_draft(draft_of(self.values))

    def _owe_draft(self, text: str) -> None:
        self._stop_saving()
        if self.draft:
            self.app.drafts.owe(self.draft, text)

    def _stop_saving(self) -> None:
        if self._saving is not None:
            self._saving.stop()
            self._saving = None

    def _save(self) -> None:
        self._keep(draft_of(self.values))

    def _keep(self, text: str) -> None:
        """Write the draft in a thread, or drop it; the app lives longer than the form."""
        self._owe_draft(text)
        app = self.app

        def work() -> None:
            try:
                app.drafts.settle()
            except OrchError as error:
                app.call_from_thread(app.notify, error.message, severity="warning", markup=False)

        app.run_worker(work, thread=True, group="draft")


def draft_of(values: Values) -> str:
    """Values as a draft that a form takes up again."""
    return json.dumps(dict(values), ensure_ascii=False)


def matching(field: Field, text: str) -> list[tuple[str, str]]:
    """The choices that what is typed may become, those that begin with it first.

    All of them where it is one already, so that another can be taken.
    """
    typed = (text.rpartition(",")[2] if field.several else text).strip().casefold()
    taken = {part.strip() for part in text.split(",")} if field.several else set()
    open_choices = [choice for choice in field.choices if choice[0] not in taken]
    if any(value.casefold() == typed for value, _ in field.choices):
        return open_choices[:MOST_CHOICES]
    found = [c for c in open_choices if typed in c[0].casefold() or typed in c[1].casefold()]
    found.sort(key=lambda c: (not c[0].casefold().startswith(typed), typed not in c[0].casefold()))
    return found[:MOST_CHOICES]


_LINE_END = "␊"


def _shown(text: str) -> str:
    return plain(text.replace("\r\n", "\n").replace("\r", "\n"))


def _meant(shown: str) -> str:
    return shown.replace(_LINE_END, "\n")
