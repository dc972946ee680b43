"""Tracking: who opens marketing email and follows its links.

Reads what a request says of who made it, and the email that its token names.
Writes hits with a verdict, and facts, of which metrics, timelines and webhooks are made. Hands on to nobody.
"""
