"""Recording a return: the final message as it was received, and what was read from it beside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from orch_tui.errors import SourceError, UsageError
from orch_tui.files import refused_reading
from orch_tui.paths import resolve_path
from orch_tui.screens.deploy.found_outputs import (
    FOUND_COLUMNS,
    SECTIONS,
    FoundOutputs,
    describe_item,
    make_section,
    name_item,
)
from orch_tui.screens.deploy.return_outcome import WORDS, ReturnOutcome, ask_outcome
from orch_tui.screens.dialogs import Ask, AskLong, Choose, Confirm
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.split_panes import SplitPanes
from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.paste import Editor, PasteArea
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.words import state_of
from orch_tui.times import between, lasting
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.record.completion import RecordedReturn
    from orch_tui.record.messages.review import (
        Corrections,
        Kind,
        ReturnPreview,
        ReviewItem,
    )
    from orch_tui.record.run_place import MissingFile
    from orch_tui.rows import Completion, ExecutionFacts

SLIM, LOW = 72, 20
"""Columns and lines with fewer of which one pane has the room."""

SETTLED = 0.3
"""Seconds after a change until it is kept as a draft and read."""

NOTHING_YET = """Paste what the agent said at the end.

F6  reads it from a file
F7  opens $EDITOR

What it tells of is listed here."""
NOTHING_READ = """Nothing to collect was read from it.

a  adds a file, a result or an insight"""

KEYS_STORMED = """\
This came key by key: your terminal does not mark pastes. Faster for a long text: F6 (a file), \
F7 ($EDITOR), or in a shell: {command}"""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is known of an execution when its return is to be recorded."""

    execution: ExecutionFacts
    returns: int
    text: str
    corrections: Corrections
    now: str


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read from a message."""

    preview: ReturnPreview
    copied: Completion | None


_TOLD_BY = {"hook": "recorded by hooks", "import": "read from its transcript"}


class ReturnForm(ScreenPart):
    """One return of one execution, corrected until it is recorded."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # with priority, because a text area has F6 and F7 for itself
        Binding("f8,ctrl+enter", "record", "record", id="completion-record", priority=True),
        Binding("f9", "outcome", "outcome", id="completion-outcome", priority=True),
        Binding("f6", "file", "read a file", id="completion-file", priority=True),
        Binding("f7", "edit", "edit in $EDITOR", id="completion-edit", priority=True),
        Binding("e", "correct", "correct it", id="completion-correct"),
        Binding("a", "add", "add one", id="completion-add"),
        Binding("tab", "to_list", "to what was read", id="completion-list"),
        Binding("tab,shift+tab", "to_text", "to the message", id="completion-text"),
        Binding("escape", "leave", "back", id="completion-back"),
    ]

    @dataclass
    class Closed(Message):
        """The view is left; ``recorded`` says whether there is something new."""

        execution_id: str
        recorded: bool

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id)
        self.execution_id = ""
        """The execution it is about; empty while there is none."""
        self._opened: _Opened | None = None
        self._chosen = ReturnOutcome()
        """The outcome that a person said, if any."""
        self._preview: ReturnPreview | None = None
        self._preview_of = ""
        self._copied: Completion | None = None
        """The recorded return that the message is a copy of."""
        self._corrections: Corrections | None = None
        self._items: Sequence[ReviewItem] = ()
        self._timer: Timer | None = None
        self._reading = False
        self._is_unreadable = False
        """Reading it failed, for a reason that is told in place."""

    def compose(self) -> ComposeResult:
        yield Static("", id="completing-what", classes="title", markup=False)
        with SplitPanes(id="completing"):
            area = PasteArea(id="message", placeholder="Paste the agent's final message here.")
            area.add_class("pane")
            area.border_title = "Final message"
            yield area
            with Vertical(id="reading", classes="pane") as reading:
                reading.border_title = "Read from it"
                yield FoundOutputs(FOUND_COLUMNS, id="found", empty=NOTHING_YET)
                yield Static("", id="found-detail", markup=False)
        yield Static("", id="completing-hint", markup=False)
        yield Static("", id="completing-state", markup=False)

    @property
    def _area(self) -> PasteArea:
        return self.query_one(PasteArea)

    # Opening

    def open(self, execution_id: str, pasted: str = "") -> None:
        """Begin, or go on with what was typed before; ``pasted`` is added to it."""
        from orch_tui.record import executions
        from orch_tui.record.executions import list_completions
        from orch_tui.record.messages.review import Corrections

        project, drafts = self.app.project, self.app.drafts
        self.execution_id = execution_id
        self._opened, self._preview, self._chosen, self._items = None, None, ReturnOutcome(), ()
        self._copied = None
        self._area.load("")
        self._hint("")
        self._area.focus_text()

        def work() -> _Opened:
            record = project.existing_record
            return _Opened(
                executions.get_execution(record, execution_id),
                len(list_completions(record, execution_id)),
                drafts.load(_message_draft(execution_id)),
                Corrections.loads(drafts.load(_corrections_draft(execution_id))),
                project.now(),
            )

        self.run_in_thread(
            work,
            lambda opened: (
                self._begin(opened, pasted) if self.execution_id == execution_id else None
            ),
            group="completing",
        )

    def _begin(self, opened: _Opened, pasted: str) -> None:
        execution = opened.execution
        self._opened, self._corrections = opened, opened.corrections
        typed_meanwhile = self._area.text
        self._area.load(opened.text + typed_meanwhile)
        if pasted:
            self._area.insert(pasted)
        if opened.text:
            self.notify("the draft is back", markup=False)
        if opened.returns:
            state = f"returned {opened.returns} times" if opened.returns > 1 else "returned once"
            word, _ = state_of(execution.status, execution.unverified, execution.success)
            state = f"{word}, {state}: other words are another return"
        else:
            state = f"waiting {lasting(between(execution.deployed_at, opened.now))}"
        name, scope = one_line(execution.agent_type, 60), one_line(execution.scope or "", 200)
        what = Content.assemble(
            (f" {name}", "bold"),
            "  " if opened.returns else (f"  {SIGNS['running']} ", "$state-running"),
            (state, "$foreground-muted"),
            f"   {scope}" if scope else "",
        )
        self.query_one("#completing-what", Static).update(what)
        self.settle()

    # The text: kept as a draft and read, a moment after each change

    @on(PasteArea.Changed)
    def _changed(self) -> None:
        if self._opened and self._timer is None:
            self._timer = self.set_timer(SETTLED, self.settle)

    @property
    def is_settled(self) -> bool:
        """Everything typed is kept, or on its way."""
        return self._timer is None

    def settle(self) -> None:
        """Keep what was typed, and read it."""
        self._stop_timer()
        if self._opened is not None:
            self._owe_draft()
            self.run_in_thread(self.app.drafts.settle, lambda _: None, group="draft")
            self._read()

    def owe_draft(self) -> None:
        if not self.is_settled:
            self._stop_timer()
            self._owe_draft()

    def _owe_draft(self) -> None:
        if self._opened is not None and self._corrections is not None:
            drafts, label = self.app.drafts, self.execution_id
            drafts.owe(_message_draft(label), self._area.text)
            drafts.owe(_corrections_draft(label), self._corrections.dumps())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _read(self) -> None:
        """Read the message in a thread, one at a time: the next begins when this one is done."""
        text, opened = self._area.text, self._opened
        if opened is None or self._reading or (self._preview and text == self._preview_of):
            self._show_items()
            return
        from orch_tui.record.completion import find_recorded_return
        from orch_tui.record.messages.review import preview_return
        from orch_tui.record.run_place import find_run_place

        self._reading, self._is_unreadable = True, False
        project, label, since = self.app.project, self.execution_id, opened.execution.deployed_at
        self._show_state()

        def work() -> _Read:
            record = project.existing_record
            place = find_run_place(record, opened.execution, project.root, project.cwd)
            found = preview_return(text, place, since)
            return _Read(found, find_recorded_return(record, label, text) if text else None)

        self.run_in_thread(
            work,
            lambda read: self._was_read(read, text, opened),
            group="read-message",
            failed=lambda _: self._was_read(None, text, opened),
        )

    def _was_read(self, read: _Read | None, text: str, of: _Opened) -> None:
        """Show what was read; None: it could not be, and is read again with the next change."""
        self._reading, self._is_unreadable = False, read is None
        if of is self._opened and read is not None:
            self._preview, self._preview_of, self._copied = read.preview, text, read.copied
            self._show_items()
        elif of is self._opened:
            self._show_state()
        if of is not self._opened or self._area.text != text:
            self._read()

    # What was read

    def _show_items(self) -> None:
        from orch_tui.record.messages.review import list_recordable

        if self._preview is None or self._corrections is None:
            return
        self._items = list_recordable(self._preview, self._corrections)
        if not self._preview_of:
            self._items = [item for item in self._items if item.state != "empty"]
        empty = NOTHING_READ if self._preview_of else NOTHING_YET
        rows = [row for kind in SECTIONS for row in make_section(kind, self._items)]
        self.query_one("#found", Rows).show(rows, empty=empty)
        self._show_detail()
        self._show_state()

    @on(Rows.Highlighted, "#found")
    def _highlighted(self) -> None:
        self._show_detail()
        self._show_line()

    @property
    def _item(self) -> ReviewItem | None:
        key = self.query_one("#found", Rows).key
        return next((item for item in self._items if item.key == key), None)

    def _show_detail(self) -> None:
        item = self._item
        text = "" if item is None else one_line(describe_item(item, self._preview), 400)
        self.query_one("#found-detail", Static).update(text)

    def _show_state(self) -> None:
        area, text = self._area, self._area.text
        size = f"{len(text):,} characters" if text else "no message yet"
        if area.is_large:
            size += " · kept beside: F7 edits them, Ctrl+Z takes the paste back"
        one = self.has_class("-one")
        to_list, to_text = ("Tab what was read · ", "Tab the message · ") if one else ("", "")
        area.border_subtitle = Content(f"{to_list}{one_line(self.execution_id, 40)} · {size}")
        wanted = sum(item.wanted for item in self._items)
        left = len(self._items) - wanted
        read = f"{wanted} will be recorded{f', {left} left out' * bool(left)}"
        reading = self.query_one("#reading")
        told = self._word_reading() or (read if text else "")
        reading.border_subtitle = Content(f"{to_text}{told}")
        self.query_one("#completing-state", Static).update(self._word_outcome(text))

    def _word_reading(self) -> str:
        """Say that it is not read yet; empty: it is."""
        return "reading …" if self._reading else "could not be read" * self._is_unreadable

    def _word_outcome(self, text: str) -> Content:
        """Say how it will be recorded, and why."""
        copied = self._copied if text and text == self._preview_of else None
        if copied is not None:
            told = _TOLD_BY.get(copied.source, "recorded")
            return Content(
                f"outcome  this is return {copied.position}, {told} already: F8 makes no other"
            )
        if not text and not self._chosen.is_chosen:
            without = _mark_keys(self._word_no_message())
            return Content.assemble(("outcome  ", "$foreground-muted"), without)
        outcome = self._outcome
        state = "failed" if outcome.status == "failed" else "done"
        why = " ".join(filter(None, (outcome.error_code, outcome.error_message)))
        parts: list[tuple[str, str] | str | Content] = [
            ("outcome  ", "$foreground-muted"),
            (f"{SIGNS[state]} {state}", f"bold $state-{state}"),
            f"  {one_line(why, 160)}" if why else "",
            "  ",
            _mark_keys(self._word_because()),
        ]
        troubles = [item for item in self._items if item.kind == "error" and item.line is not None]
        if troubles and state == "done":
            signs = plural(len(troubles), "sign")
            parts.append((f"   {SIGNS['doubt']} {signs} of trouble", "$state-doubt"))
        return Content.assemble(*parts)

    def _word_because(self) -> str:
        """Say who says so, and what another outcome takes."""
        if self._chosen.is_chosen:
            return "as you say"
        if self._preview is None or not self._preview_of:
            return self._word_reading() or "reading …"
        from orch_tui.record.messages.review import propose_return

        because = propose_return(self._preview, self._items).because
        return f"{because or 'nothing in it says otherwise'}; F9 changes it"

    def _word_no_message(self) -> str:
        opened = self._opened
        if opened is None or not opened.returns:
            return "follows from its message; F9 closes it without one"
        word = state_of(opened.execution.status)[0]
        return f"{word} is recorded; F9 changes that, a message pasted here is another return"

    # Correcting it

    def action_to_list(self) -> None:
        self.add_class("-reading")
        self.query_one("#found", Rows).focus()

    def action_to_text(self) -> None:
        self.remove_class("-reading")
        self._area.focus_text()

    def on_resize(self) -> None:
        """Show one pane at a time where there is little room."""
        width, height = self.app.size
        self.set_class(width < SLIM or height < LOW, "-one")
        self._show_state()

    @on(events.DescendantFocus)
    def _focused(self) -> None:
        """Mark the line that is told of while one is at what was read."""
        at_list = self.query_one("#found", Rows).has_focus
        self.set_class(at_list, "-reading")
        self._show_line()

    def _show_line(self) -> None:
        item = self._item if self.query_one("#found", Rows).has_focus else None
        line = item.line if item and self._preview and self._preview.is_as_received else None
        self._area.mark_line(line)

    @on(Rows.Selected, "#found")
    def _toggle(self) -> None:
        if self._item and self._corrections:
            self._correct(self._corrections.toggle(self._item.key))

    def action_correct(self) -> None:
        item = self._item
        if item is not None:
            question = f"{name_item(item).capitalize()}: what should it say?"
            dialog = AskLong if item.kind in ("insight", "error") else Ask
            asked = dialog(question, value=item.text)
            self.app.push_screen(asked, lambda text: self._rewrite(item.key, text))

    def _rewrite(self, key: str, text: str | None) -> None:
        if text and text.strip() and self._corrections:
            corrections = self._corrections
            self._try(lambda: corrections.rewrite(key, text.strip()))

    def action_add(self) -> None:
        kinds = (
            ("deliverable", "a file it made or changed"),
            ("validation", "the result of a check, as tests:pass or coverage:85"),
            ("insight", "something it learned"),
            ("error", "something that went wrong"),
        )
        self.app.push_screen(Choose("What did it deliver?", kinds), self._ask_what)

    def _ask_what(self, kind: str | None) -> None:
        if kind is not None:
            questions = {"deliverable": "Which file?", "validation": "Which check and result?"}
            asked = Ask(questions[kind]) if kind in questions else AskLong("In which words?")
            self.app.push_screen(asked, lambda text: self._add(kind, text))

    def _add(self, kind: str, text: str | None) -> None:
        if text and text.strip() and self._corrections:
            corrections = self._corrections
            self._try(lambda: corrections.add(_KINDS[kind], text.strip()))

    def _try(self, make: Callable[[], Corrections]) -> None:
        try:
            self._correct(make())
        except UsageError as error:
            self.refuse(error, "draft")  # the next correction takes it away

    def _correct(self, corrections: Corrections) -> None:
        self._corrections = corrections
        if self._timer is None:
            self._timer = self.set_timer(SETTLED, self.settle)
        self._show_items()

    # Other ways for a text to come

    @on(Editor.Stormed)
    def _stormed(self) -> None:
        self._hint(KEYS_STORMED.format(command=self.command()))

    def _hint(self, text: str) -> None:
        hint = self.query_one("#completing-hint", Static)
        hint.update(text)
        hint.display = bool(text)

    def action_file(self) -> None:
        asked = Ask("Which file holds the final message?", detail="It is put where the cursor is.")
        self.app.push_screen(asked, self._read_file)

    def _read_file(self, name: str | None) -> None:
        if name:
            cwd, name = self.app.project.cwd, name.strip()
            self.run_in_thread(lambda: _text_of(cwd, name), self._area.insert, group="file")

    def action_edit(self) -> None:
        text = self._area.text
        edited = self.app.edit(text, f"{self.execution_id}.md")
        if edited is not None and edited != text:
            self._area.load(edited)

    # Recording it

    def action_outcome(self) -> None:
        """Ask how it ended; what is not so yet is proposed, to be accepted with its reason."""
        now = self._outcome
        if not self._chosen.is_chosen and now.status == "completed":
            now = ReturnOutcome("failed")
        ask_outcome(
            self, "How did it end?", self._set_outcome, now=now, recorded=self._recorded_status
        )

    @property
    def _recorded_status(self) -> str:
        """The outcome that the record has of this return; empty: it has none."""
        opened = self._opened
        if self._copied is not None:
            return self._copied.status or ""
        is_amended = opened is not None and opened.returns and not self._area.text
        return (opened.execution.status or "") if opened and is_amended else ""

    @property
    def _outcome(self) -> ReturnOutcome:
        if self._chosen.is_chosen or not self._preview_of:
            return self._chosen
        return _decide_outcome(self._chosen, self._copied, self._preview, self._items)

    def _set_outcome(self, outcome: ReturnOutcome) -> None:
        self._chosen = outcome
        self._show_state()

    def action_record(self) -> None:
        """Record the return; one without a message only when that is meant."""
        if self._opened is None:
            return
        if self._area.text:
            self._record()
            return
        if not self._opened.returns and self._outcome.status != "failed":
            error = UsageError(
                f"{self.execution_id} has not returned: nothing was pasted or typed",
                hint="paste what it said, or choose the outcome failed",
            )
            self.refuse(error, "record")
            return
        self.app.push_screen(
            Confirm("Record it without a final message?", detail=_without_message(self._opened)),
            lambda sure: self._record() if sure else None,
        )

    def _record(self) -> None:
        from orch_tui.record.completion import find_recorded_return
        from orch_tui.record.messages.review import (
            list_recordable,
            make_return_arguments,
            preview_return,
        )
        from orch_tui.record.run_place import find_run_place
        from orch_tui.record.run_return import record_return

        opened, corrections, chosen = self._opened, self._corrections, self._chosen
        if opened is None or corrections is None:
            return
        self._stop_timer()
        project, drafts, text = self.app.project, self.app.drafts, self._area.text
        label = self.execution_id
        seen = self._preview if text == self._preview_of else None
        missing: list[MissingFile] = []
        self.app.news.expect(label)

        def work() -> RecordedReturn:
            drafts.save(_message_draft(label), text)  # until it is recorded
            project.check_own_run(label)
            execution = opened.execution
            place = find_run_place(project.record, execution, project.root, project.cwd)
            found = seen or preview_return(text, place, execution.deployed_at)
            items = list_recordable(found, corrections)
            arguments = make_return_arguments(found, items)
            outcome = chosen
            if text:
                copied = find_recorded_return(project.record, label, text)
                outcome = _decide_outcome(chosen, copied, found, items)
            else:
                del arguments["collect"]
            recorded, _ = record_return(
                project.record,
                label,
                root=project.root,
                cwd=project.cwd,
                missing=missing.append,
                final_message=text or None,
                status=outcome.status if text or outcome.is_chosen else None,
                supersede=outcome.reason,
                error_message=outcome.error_message,
                error_code=outcome.error_code,
                **arguments,
            )
            drafts.drop(_message_draft(label))
            drafts.drop(_corrections_draft(label))
            return recorded

        self.run_in_thread(
            work, lambda recorded: self._recorded(recorded, opened, missing), group="record"
        )

    def _recorded(
        self, recorded: RecordedReturn, of: _Opened, missing: Iterable[MissingFile]
    ) -> None:
        for file in missing:
            self.notify(f"deliverable {file}", severity="warning", markup=False)
        name, completion = one_line(recorded.execution.agent_type, 40), recorded.completion
        which = f" as return {completion.position}" if completion.position > 1 else ""
        again = "" if recorded.is_new else ", as before"
        word = WORDS.get(completion.status, completion.status)
        self.notify(f"{name} {word}, recorded{which}{again}", markup=False)
        if of is self._opened:
            self._close(recorded=True)

    def action_leave(self) -> None:
        if self._area.text:
            self.notify("the draft is kept", markup=False)
        self.settle()
        self._close(recorded=False)

    def _close(self, *, recorded: bool) -> None:
        self._stop_timer()
        label, self.execution_id, self._opened = self.execution_id, "", None
        self.post_message(self.Closed(label, recorded))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("correct", "add", "to_list", "to_text"):
            return self.query_one("#found", Rows).has_focus is (action != "to_list")
        return True

    def command(self) -> str:
        outcome = self._outcome
        words = ["orch", "record-completion", "--execution-id", self.execution_id]
        amends = not self._area.text and self._opened and self._opened.returns
        if outcome.status != "completed" or (amends and outcome.is_chosen):
            words += ["--status", outcome.status]
        for flag, value in (
            ("--error-message", outcome.error_message),
            ("--error-code", outcome.error_code),
            ("--supersede", outcome.reason),
        ):
            words += [flag, value] if value else []
        if amends:
            return join(words)
        words += ["--final-message-file", "FILE"]
        if self._preview is None or not (self._corrections and self._corrections.dumps()):
            return join([*words, "--collect", "auto"])
        return f"{join(words)} && {join(_collecting(self.execution_id, self._items))}"


def _mark_keys(text: str) -> Content:
    """Draw muted words with the function keys in them as keys are drawn."""
    pieces = re.split(r"\b(F\d+)\b", text)
    styles = ("$foreground-muted", "bold $text-accent")
    return Content.assemble(*((piece, styles[n % 2]) for n, piece in enumerate(pieces)))


def _decide_outcome(
    chosen: ReturnOutcome,
    copied: Completion | None,
    preview: ReturnPreview | None,
    items: Sequence[ReviewItem],
) -> ReturnOutcome:
    """Decide how a return is recorded: as a person says, else as it is recorded already (a message
    that is a copy), else as the message tells."""
    if chosen.is_chosen:
        return chosen
    if copied is not None:
        return ReturnOutcome(copied.status, copied.error_message, copied.error_code)
    if preview is None:
        return ReturnOutcome()
    from orch_tui.record.messages.review import propose_return

    proposed = propose_return(preview, items)
    return ReturnOutcome(proposed.status, proposed.reason or None)


def _without_message(opened: _Opened) -> str:
    where = "What was entered goes to the latest return." if opened.returns else "It is closed."
    return f"Nothing was pasted or typed. {where}"


def _message_draft(execution_id: str) -> str:
    return f"final-message {execution_id}"


def _corrections_draft(execution_id: str) -> str:
    return f"corrections {execution_id}"


_KINDS: dict[str, Kind] = {
    "deliverable": "deliverable",
    "validation": "validation",
    "insight": "insight",
    "error": "error",
}


def _collecting(execution_id: str, items: Sequence[ReviewItem]) -> list[str]:
    """The command that records exactly these findings."""
    taken = [item for item in items if item.wanted]
    words = ["orch", "collect", "--execution-id", execution_id]
    flags = (
        ("deliverable", "--deliverables"),
        ("validation", "--validation-results"),
        ("insight", "--insights"),
        ("error", "--errors"),
    )
    for kind, flag in flags:
        texts = [item.text for item in taken if item.kind == kind]
        if kind == "validation":
            texts = [",".join(texts)] if texts else []
        for text in texts:
            words += [flag, text]
    return words


def _text_of(folder: Path, name: str) -> str:
    """The bytes of a file as text that gives the very same bytes back."""
    with refused_reading(name):
        path = Path(resolve_path(name, folder))
        if not path.is_file():
            raise SourceError(name, "is no file", hint="F6 asks for another one")
        return path.read_bytes().decode("utf-8", "surrogateescape")
