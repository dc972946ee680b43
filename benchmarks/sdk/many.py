"""The SDK's own way with a file of rows, as a program somebody would write; see `file_import.py`.

python many.py events|contacts FILE
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from loopwright import Loops
from loopwright.client.many import ContactUpdate, EventToSend


def events(file: Path) -> Iterator[EventToSend]:
    """One of each row."""
    with file.open(newline="") as opened:
        for number, row in enumerate(csv.DictReader(opened), 1):
            yield {
                "name": row["event"],
                "email": row["email"],
                "contact": {"firstName": row["firstName"]},
                "properties": {"n": int(row["event.n:number"]), "plan": row["event.plan"]},
                "idempotency_key": f"row-{number}",
            }


def contacts(file: Path) -> Iterator[ContactUpdate]:
    """One of each row."""
    with file.open(newline="") as opened:
        for row in csv.DictReader(opened):
            yield {
                "email": row["email"],
                "user_id": row["userId"],
                "first_name": row["firstName"],
                "properties": {"n": int(row["n"]), "plan": row["plan"]},
            }


def main(kind: str, file: Path) -> None:
    with Loops() as loops:
        if kind == "events":
            failed = sum(one.error is not None for one in loops.events.send_many(events(file)))
        else:
            failed = sum(one.error is not None for one in loops.contacts.update_many(contacts(file)))
    if failed:
        sys.exit(f"{failed} rows failed")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
