"""Reads what the rooms report of their work, and asks the database how much waits.
Writes metrics, log lines and spans; never an address, a key or a value that somebody sent.
Hands on to whoever operates the server: Prometheus, a log collector, OpenTelemetry, a load balancer.
"""
