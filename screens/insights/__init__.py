"""Insights: what happened lately, and what went with success."""
