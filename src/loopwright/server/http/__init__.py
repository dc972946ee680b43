"""Reads: requests, and the key that says which team they come from.
Writes: answers; failures leave the rooms as exceptions and get their status here.
Hands on to `ingest` (whatever changes a contact) and `store` (whatever only reads).
"""
