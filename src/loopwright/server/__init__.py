"""The server: events in, contacts updated, workflows run, emails out.

`app.py` is the only module that knows every room; the others know the way onward and nothing else.
"""
