"""Runtime: what keeps processes running: workers that take jobs, sockets that listen, a house in order.

Reads settings and the store, writes what housekeeping tidies, hands requests to the application it is given.
"""
