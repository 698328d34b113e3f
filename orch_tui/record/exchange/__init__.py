"""What records tell one another, by files and by a hub: the same rows, read and taken in here."""
