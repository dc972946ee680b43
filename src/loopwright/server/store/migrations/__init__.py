"""Alembic scripts, one a release; the SQL is in the scripts."""

HEAD = "0230"
"""The newest revision, known without importing Alembic so that an up-to-date start stays quick."""
