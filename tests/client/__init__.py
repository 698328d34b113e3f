"""orch beside the real Claude Code: a scripted model, scenarios, and what was recorded of each."""
