"""Reads: an email's row, its message, its contact and its team. Writes: the row's outcome, and the inbox.

Hands on to an SMTP server: the one of the settings, or the inbox of this server.
"""
