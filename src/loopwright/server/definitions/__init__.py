"""Reads: a folder of definition files, TOML with LMX beside it, and what the team has already.

Writes: mailing lists, transactional emails and workflows by slug, all of them in one transaction or none.
Hands on to: workflow, which wakes the runs that a change concerns.
"""
