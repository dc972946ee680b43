"""Reads: values of the domain, in arrays.
Writes: rows in PostgreSQL, each statement named and naming its team.
Hands frozen rows back to whoever asked. SQL and nothing else: decisions live in the rooms that call.
"""
