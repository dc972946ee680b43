# Made by tools/make_sync.py from src/loopwright/client/_async/__init__.py
"""The client and its resources: async by hand, sync made from that by `tools/make_sync.py`.

Takes the arguments of its methods, hands calls on to a transport, and gives typed answers back.
Decides nothing: what is decided is in the modules above.
"""
