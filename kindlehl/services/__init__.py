"""What one can do with a library: verbs that know neither the terminal nor SQLite."""
