"""The way from HTTP to PostgreSQL, measured beside the bare HTTP stack."""
