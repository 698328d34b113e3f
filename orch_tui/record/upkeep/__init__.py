"""Looking after a record: doctor, redaction, export and restore."""
