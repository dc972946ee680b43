"""Durable sending: an event is kept in a file first and delivered from there, come what may.

Reads and writes one SQLite file, which several processes may share.
Hands each event on to the SDK's client, under a key of its own, until the API has taken or refused it.
"""

from loopwright.outbox.outbox import Outbox
from loopwright.outbox.records import DeadLetter, Status
from loopwright.outbox.spool import OutboxFileError

__all__ = ["DeadLetter", "Outbox", "OutboxFileError", "Status"]
