"""The ledger: statements about runs, and the rows they add up to."""
