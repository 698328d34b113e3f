"""What agents do while they run, read from the files Claude Code appends to; never stored."""
