"""What the first line of an export says, for who writes one and who recognises one."""

from orch_tui.record.ledger.contents import FORGOTTEN_BYTES, UNSENT_BYTES

FORMAT = "orch-export"
VERSION = 2

MARKS: dict[bytes | None, str] = {FORGOTTEN_BYTES: "forgotten", UNSENT_BYTES: "unsent"}
"""By what stands in place of the bytes of a content: why it is not there, where it was not
redacted."""
