"""Measures email from queued rows to a local SMTP server, beside what raw SMTP reaches."""
