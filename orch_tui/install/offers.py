"""What is offered where Claude Code has worked in a project and orch has not been told."""

from __future__ import annotations

import os

from orch_tui.frozen import frozen
from orch_tui.install import hook_settings
from orch_tui.paths import claude_folder
from orch_tui.project import Project


@frozen
class Offer:
    """What could be done to have the runs of a project in its record."""

    transcripts: int
    """Files of Claude Code that were never read."""
    hooks: bool
    """Its runs are not recorded by themselves yet, or less is heard than could be."""
    update: str = ""
    """The events that the installed Claude Code knows and the registered hooks do not ask for."""

    def __str__(self) -> str:
        said = []
        if self.transcripts:
            many = "" if self.transcripts == 1 else "s"
            said.append(f"Claude Code keeps {self.transcripts:,} transcript{many} of this project.")
        if self.update:
            said.append(f"Your Claude Code tells more than the hooks ask for: {self.update}.")
        elif self.hooks:
            said.append("Its agents' runs are not recorded by themselves yet.")
        return " ".join(said)


def offer(project: Project, *, only_update: bool = False) -> Offer | None:
    """Find what there is to offer; None: nothing, or the user does not use Claude Code.

    ``only_update``: only that hooks which are registered could hear of more.
    Looks at the disk: meant for a thread.

    Raises:
        RecordError: the record cannot be read.
    """
    if not os.path.isdir(claude_folder()):
        return None
    state = hook_settings.state(project.root)
    own = [registered for registered in state.registered if not registered.by_plugin]
    is_wanted = not state.is_on and not state.disabled_by and len(own) == len(state.registered)
    update = ""
    if is_wanted and own and all(registered.works for registered in own):
        new = {event for each in own for event in each.missing}
        update = ", ".join(event for event in hook_settings.EVENTS if event in new)
    if only_update:
        return Offer(0, True, update) if update else None
    found = Offer(project.unread_transcripts(), is_wanted, update)
    return found if found.transcripts or found.hooks else None
