"""Reads: what the store's page queries answer, for the team whose API key signed in, and nothing else.

Writes: HTML, and a session cookie; no row changes here.
Hands on to nobody: `views.routes` is what `app.py` mounts, people look at the rest.
"""
