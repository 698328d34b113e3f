"""What hooks report: the inbox, payloads, and transcripts to read later."""
