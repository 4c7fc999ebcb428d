"""What the server keeps, in SQLite or PostgreSQL: one set of tables for both."""
