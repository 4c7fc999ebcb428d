"""Libraries of many people in PostgreSQL: one set of tables, in which every row has an owner."""
