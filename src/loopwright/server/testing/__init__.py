"""What a server for tests has beyond others: a clock that is moved, faults on demand, and a look at all.

Reads: the control requests of test kits, and what waits. Writes: the moved clock, teams, faults.
Hands on to: nobody.
"""
