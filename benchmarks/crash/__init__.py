"""Rounds of load, `kill -9` and restart: is every acknowledged event still there, exactly once?"""
