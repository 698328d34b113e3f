"""Compose's edits: what is chosen, as what and for whom; each can be taken back, none is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import on
from textual.timer import Timer

from orch_tui.prepare.composition import Choice, Composition, Edits, Weight
from orch_tui.screens.base import OrchScreen, Problem
from orch_tui.screens.compose.project_files import ProjectFiles
from orch_tui.screens.compose.words import PRIORITIES, TYPES, remarks
from orch_tui.screens.dialogs import Ask, Confirm
from orch_tui.screens.widgets.filetree import FileTree
from orch_tui.screens.widgets.form import Field, Form
from orch_tui.screens.widgets.rows import Rows
from orch_tui.screens.widgets.safe import one_line
from orch_tui.source_name import is_free_text

if TYPE_CHECKING:
    from orch_tui.compose_context import ComposeContext, ResolvedAgent
    from orch_tui.errors import SourceError
    from orch_tui.prepare.validation import Remark

SAVE_AFTER = 0.3
"""Seconds after an edit until the draft is written."""

MANY = 50
"""Files in a folder from which on it is asked whether all are meant."""

NOTHING_CHOSEN = """Nothing is chosen yet.

Type letters of a file's name
and press Enter. Or Esc: then
Space chooses in the tree,
e says for which agent it is,
o opens what is planned or saved,
a adds lines, patterns, text."""


class Editing(OrchScreen):
    """A composition between the files of the project and the list of what was chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._edits = Edits(Composition())
        self._compose_context: ComposeContext | None = None
        self._agent: ResolvedAgent | None = None
        """For whom the composition is, or was until the engine has looked at another."""
        self._draft_due: Timer | None = None
        self._project = ProjectFiles(id="files")
        self._items = Rows((), id="items", empty=NOTHING_CHOSEN)

    @property
    def now(self) -> Composition:
        """What is on the screen."""
        return self._edits.now

    @property
    def _weights(self) -> dict[str, Weight]:
        return self._project.weights

    @property
    def _session_id(self) -> str:
        return self._compose_context.session_id if self._compose_context else ""

    @property
    def _family(self) -> str:
        """The tokenizer of the agent's model."""
        return self._agent.resolved_model.family if self._agent else ""

    def _show(self) -> None:
        """Show the composition, whatever of it changed."""

    # Choosing

    @on(FileTree.Chosen)
    def _chosen(self, event: FileTree.Chosen) -> None:
        path, title = event.line.key
        if event.line.node.is_folder:
            self._choose_folder(path)
            return
        weight = self._weights.get(path)
        if weight and weight.refused and not weight.secret and not self.now.of(path):
            self.query_one(Problem).show(weight.refused, "choose")
        elif title:
            self._edit(self.now.toggled_section(path, title))
        else:
            self._edit(self.now.toggled(path))

    def _choose_folder(self, folder: str) -> None:
        """All files of a folder in; or, where they all are, out."""
        held = {choice.source for choice in self.now.choices}
        missing = [path for path in self._project.files_under(folder) if path not in held]
        if not missing:
            self._edit(self.now.without({choice.key for choice in self.now.under(folder)}))
        elif len(missing) <= MANY:
            self._add_files(missing)
        else:
            size = sum(self._project.sizes.get(path, 0) for path in missing)
            self._confirm(
                f"Put {len(missing):,} files into the bundle?",
                f"{one_line(folder, 60)} holds {size / 1000:,.0f} kB that are not in it yet.",
                lambda: self._add_files(missing),
            )

    def _add_files(self, paths: Sequence[str]) -> None:
        """Weigh first, so that what cannot be taken is left out and said."""
        from orch_tui.prepare.composition import weigh

        project, family = self.app.project, self._family
        choices = [Choice(path) for path in paths]

        def work() -> dict[str, Weight]:
            weights = weigh(choices, reader=project.reader(), family=family, cache=project.counts)
            return {choice.key: weight for choice, weight in zip(choices, weights, strict=True)}

        def then(weights: dict[str, Weight]) -> None:
            self._project.post_message(ProjectFiles.Weighed(family, weights))
            fit = [choice for choice in choices if not weights[choice.key].refused]
            if len(fit) < len(choices):
                count = len(choices) - len(fit)
                self.app.notify(f"{count} left out: secret, binary or not readable")
            self._edit(self.now.adding(fit))

        self.run_in_thread(work, then, group="folder")

    def action_add(self) -> None:
        self.app.push_screen(
            Ask(
                "Add a source",
                detail="lib/a.py:10-80    docs/a.md#Heading    lib/a.py#Parser.parse    lib/*.py\n"
                "lib/a.py#(skeleton)    /outside/the/project    exec-003:message\n"
                "text:instructions of your own",
            ),
            self._add,
        )

    def _add(self, given: str | None) -> None:
        if not given or not given.strip():
            return
        from orch_tui.prepare.composition import named

        left_out: list[SourceError] = []
        reader = self.app.project.reader(left_out=left_out.append)
        source = given if is_free_text(given) else given.strip()

        def then(choices: Sequence[Choice]) -> None:
            if left_out:
                more = f", and {len(left_out) - 1} more" if len(left_out) > 1 else ""
                self.app.notify(f"left out: {left_out[0].message}{more}", markup=False)
            self._edit(self.now.adding(choices))

        self.run_in_thread(lambda: named(source, reader), then, group="choose")

    # Editing

    def _edit(self, composition: Composition) -> None:
        """Make an edit that can be undone."""
        held = {choice.key for choice in self.now.choices}
        if self._edits.edit(composition):
            fresh = [choice.key for choice in composition.choices if choice.key not in held]
            if fresh and self.focused is not self._items:
                self._items.wanted = fresh[-1]  # brings it into view
            self._edited()

    def _edited(self) -> None:
        if self._draft_due is not None:
            self._draft_due.stop()
        self._draft_due = self.set_timer(SAVE_AFTER, lambda: self._keep_draft(self._session_id))
        self.query_one(Problem).clear("choose")
        self._show()

    def owe_draft(self) -> None:
        if self._draft_due is not None:
            self._owe_draft(self._session_id)

    def _owe_draft(self, session_id: str) -> None:
        if self._draft_due is not None:
            self._draft_due.stop()
            self._draft_due = None
        if self._compose_context is None:  # the draft was not even read yet
            return
        text = "" if self.now == Composition() else self.now.to_json()
        self.app.drafts.owe(draft_of(session_id), text)

    def _keep_draft(self, session_id: str) -> None:
        self._owe_draft(session_id)
        self.run_in_thread(self.app.drafts.settle, lambda _: None, group="draft")

    def action_undo(self) -> None:
        if self._edits.undo():
            self._edited()

    def action_redo(self) -> None:
        if self._edits.redo():
            self._edited()

    @property
    def _targets(self) -> list[Choice]:
        """The choices under the cursor, of the bundle or of the tree."""
        if self.focused is self._items:
            return [choice for choice in self.now.choices if choice.key == self._items.key]
        line = self._project.files.line
        if line is None:
            return []
        path, title = line.key
        if line.node.is_folder:
            return self.now.under(path)
        chosen = self.now.of(path)
        return [choice for choice in chosen if title in choice.sections] if title else chosen

    def action_priority(self) -> None:
        self._cycle("priority", list(PRIORITIES), self._targets)

    def action_type(self) -> None:
        names = [name for name in TYPES if name != "briefing"]
        self._cycle("type", names, [choice for choice in self._targets if choice.text is None])

    def _cycle(self, what: str, names: Sequence[str], targets: Sequence[Choice]) -> None:
        """Give all of them the value that follows that of the first."""
        if not targets:
            return
        value = names[(names.index(getattr(targets[0], what)) + 1) % len(names)]
        values: dict[str, Any] = {what: value}
        if what == "type":
            values["shared_with"] = ()  # said anew when it is shared
        self._edit(self.now.changed({choice.key for choice in targets}, **values))

    def action_shift(self, by: int) -> None:
        if self.focused is self._items and self._items.key:
            self._edit(self.now.moved(self._items.key, by))

    def action_take_out(self) -> None:
        items = self._items
        if self.focused is items and items.key:
            following = [*items.rows[items.cursor + 1 :], *items.rows[: items.cursor][::-1]]
            key, items.wanted = items.key, following[0].key if following else ""
            self._edit(self.now.without({key}))

    @property
    def _secrets(self) -> list[Choice]:
        """What waits for a yes under the cursor."""
        return [
            choice
            for choice in self._targets
            if (weight := self._weights.get(choice.key)) and weight.secret
        ]

    def action_allow(self) -> None:
        if secrets := self._secrets:
            names = "\n".join(one_line(choice.source, 60) for choice in secrets)
            self._confirm(
                "Hand what looks like a secret to the agent?",
                f"{names}\n\nThat you said yes is recorded with the bundle.",
                lambda: self._allow({choice.key for choice in secrets}),
            )

    def _allow(self, keys: set[str]) -> None:
        at = self._items.cursor
        self._edit(self.now.changed(keys, allow_secret=True))
        self._items.move_to(at)  # with what it reads, its key is another

    def action_edit(self) -> None:
        """For which agent it is, what that is to do, and the name of the bundle."""
        project, now = self.app.project, self.now
        models = [
            (name, model.model_id if name != model.model_id else "")
            for model in project.catalogue.models.values()
            for name in (*model.aliases, model.model_id)
        ]
        agents = [(agent, "") for agent in self._agents]
        default = f"{self._usual_model}, unless you say another"
        fields = (
            Field("agent_type", "Agent", now.agent_type, "as in .claude/agents", choices=agents),
            Field("scope", "Scope", now.scope, "what it is to do"),
            Field("model", "Model", now.model, default, choices=models),
            Field("name", "Name", now.name, "to find the bundle by; may stay empty"),
        )
        form = Form("Whom the bundle is for", fields, check=self._check, accept="accept")
        self.app.push_screen(form, self._accept)

    @property
    def _usual_model(self) -> str:
        """The one of the agent's definition, else the configured one."""
        asked = self._agent.ambient.model if self._agent else ""
        return asked or self.app.project.config.model

    def _accept(self, values: Mapping[str, str] | None) -> None:
        if values is not None:
            given: dict[str, Any] = {name: value.strip() for name, value in values.items()}
            self._edit(replace(self.now, **given))

    def _check(self, values: Mapping[str, str]) -> list[Remark]:
        from orch_tui.prepare.validation import Remark

        return [
            Remark(field, text)
            for field, text in self._remarks(values["agent_type"].strip(), values["model"].strip())
        ]

    def _remarks(self, agent_type: str, model: str) -> list[tuple[str, str]]:
        return remarks(agent_type, model, agents=self._agents, project=self.app.project)

    @property
    def _agents(self) -> Sequence[str]:
        return self._compose_context.agent_types if self._compose_context else ()

    def _confirm(self, question: str, detail: str, then: Callable[[], None]) -> None:
        self.app.push_screen(Confirm(question, detail=detail), lambda yes: then() if yes else None)


def draft_of(session_id: str) -> str:
    """The name of the draft of a session."""
    return f"compose-{session_id}" if session_id else "compose"
