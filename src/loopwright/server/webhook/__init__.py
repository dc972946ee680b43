"""Reads: deliveries that are due, which facts have left, and the endpoints they go to.
Writes: what came of each attempt, and which endpoints are given up.
Hands on to nobody: what leaves is HTTP.
"""
