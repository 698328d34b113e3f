"""Recall: find, show, compare, replay, report and learn from what was recorded."""
