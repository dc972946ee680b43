"""Reads: what ingest saw happen to contacts, and the jobs of runs that are due.

Writes: runs, their way from node to node and the emails they cause, in the transaction of what caused them.
Hands on to: mail, which delivers each queued email; itself, by a job that comes when a timer ends.
"""
