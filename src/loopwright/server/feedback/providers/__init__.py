"""Providers that tell by HTTP: how each proves that it is the one, and what its requests say. Pure.

Reads:  bodies, headers, and what the team was given by the provider.
Writes: nothing.
Hands on to: `http_door`, which has the reports take effect.
"""
