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
    """Its runs are not recorded by themselves yet."""

    def __str__(self) -> str:
        said = []
        if self.transcripts:
            many = "" if self.transcripts == 1 else "s"
            said.append(f"Claude Code keeps {self.transcripts:,} transcript{many} of this project.")
        if self.hooks:
            said.append("Its agents' runs are not recorded by themselves yet.")
        return " ".join(said)


def offer(project: Project) -> Offer | None:
    """What there is to offer; None: nothing, or the user does not use Claude Code.

    Looks at the disk: meant for a thread.

    Raises:
        RecordError: the record cannot be read.
    """
    if not os.path.isdir(claude_folder()):
        return None
    found = Offer(project.unread_transcripts(), not hook_settings.state(project.root).is_on)
    return found if found.transcripts or found.hooks else None
