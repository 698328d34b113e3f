"""What the first line of an export says, for who writes one and who recognises one."""

FORMAT = "orch-export"
VERSION = 2
