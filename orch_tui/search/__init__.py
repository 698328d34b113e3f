"""Finding runs: the full-text index, its upkeep, and the query language."""
