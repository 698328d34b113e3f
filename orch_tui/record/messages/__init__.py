"""What a final message says: files, checks, insights."""
