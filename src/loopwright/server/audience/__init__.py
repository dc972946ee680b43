"""Who is meant: audience filters and segments.

Reads filters, refuses those that mean nothing, and makes of the others one SQL condition on a contact.
`store.audience` asks it of sets, of single contacts and of all of them.
"""
