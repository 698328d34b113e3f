"""Installing into Claude Code: hooks, skill and plugin."""
