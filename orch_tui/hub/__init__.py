"""The hub: a PostgreSQL database in which the records of a team meet."""
