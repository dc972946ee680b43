"""Reads: commands, the contacts they name, and what their teams have declared.
Writes: contacts, events, idempotency keys, and as job rows everything that follows.
Hands on to `workflow` (runs) and `mail` (transactional email).
"""
