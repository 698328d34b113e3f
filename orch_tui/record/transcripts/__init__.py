"""Reading the transcripts of Claude Code into the record."""
