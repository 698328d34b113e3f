"""Prepare: what an agent will be given, under a budget. Needs no database."""
