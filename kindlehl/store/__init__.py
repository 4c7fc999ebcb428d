"""A library's home: one SQLite file, or memory for tests and for a reader who has none yet."""
