"""Feedback: what mail servers and providers tell about email that has left.

Reads:  messages that come back, requests of providers.
Writes: what was not understood; all else through ingest.
Hands on to: ingest, which suppresses, unsubscribes and tells facts.
"""
