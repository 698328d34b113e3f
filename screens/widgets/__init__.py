"""Widgets that several screens share; they know nothing of the record."""
