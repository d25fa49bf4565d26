"""Postgres: the engine, the one transaction, the tables, and one file of queries per noun. All SQL lives here."""
