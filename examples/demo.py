"""Watch an event become an email: a real PostgreSQL, the server, the SDK, a workflow, SMTP, and the inbox.

Starts what it needs, ends it again, and leaves its data in `.loopwright` for `loopwright serve`.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import loopwright
from loopwright import Loops

WELCOME = Path(loopwright.__file__).parent / "examples" / "welcome"
API_KEY = "demo0000000000000000000000000000"
LOOPWRIGHT = Path(sys.executable).parent / "loopwright"
PUBLIC_URL = "http://127.0.0.1:5667"
PATIENCE_SECONDS = 40


def main() -> None:
    """Tell the story from start to end."""
    say("Definitions: a workflow that answers `signup`, from src/loopwright/examples/welcome")
    subprocess.run([LOOPWRIGHT, "apply", WELCOME, "--data-dir", ".loopwright"], check=True)

    say("Server: PostgreSQL, API, workers, inbox")
    with serving() as address, Loops(API_KEY, base_url=f"{address}/api") as loops:
        show(f"listens on {address}")
        seen = {message["id"] for message in inbox(address)}
        ada = {
            "properties": {
                "planName": "pro",
                "seats": 3,
                "trial": True,
                "trialEnds": datetime.now(UTC).date() + timedelta(days=14),
            },
            "contact": {"firstName": "Ada"},
        }
        say("Request: POST /api/v1/events/send, by loops.events.send")
        show(f'"signup", email="ada@example.com", {ada}')
        answer = loops.events.send("signup", email="ada@example.com", **ada)
        say("Answer of the API")
        show(json.dumps(json.loads(answer.raw.body)))
        say("Contact, as stored")
        contact = loops.contacts.find(email="ada@example.com")
        assert contact is not None
        show(json.dumps(contact.to_wire(), indent=2))
        message = arrived(address, seen)
        say("Email, as it arrived over SMTP")
        show(f"Subject: {message['subject']}\n\n{message['text']}")
        say("To read it in a browser")
        show(
            f"make serve, then open {PUBLIC_URL}/inbox/{message['id']}\n"
            f"and sign in with the API key {API_KEY}"
        )


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server that runs while the context lasts."""
    # A free port, for another server may run; links in the email lead to where `make serve` will listen.
    command = [LOOPWRIGHT, "serve", "--port", "0", "--api-key", API_KEY, "--public-url", PUBLIC_URL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            for line in server.stdout:
                if "listens on" in line:
                    yield line.split()[-1]
                    break
            else:
                sys.exit("The server did not start.")
        finally:
            server.terminate()


def arrived(address: str, seen: set[str]) -> dict[str, Any]:
    """The first message that was not there before."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for message in inbox(address):
            if message["id"] not in seen:
                return message
        time.sleep(0.1)
    sys.exit("No email arrived.")


def inbox(address: str) -> list[dict[str, Any]]:
    """What the inbox holds for Ada, newest first."""
    request = urllib.request.Request(
        f"{address}/loopwright/v1/inbox?to=ada@example.com", headers={"Authorization": f"Bearer {API_KEY}"}
    )
    with urllib.request.urlopen(request) as response:
        messages: list[dict[str, Any]] = json.load(response)
    return messages


def say(title: str) -> None:
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}", flush=True)


def show(text: str) -> None:
    print("  " + text.replace("\n", "\n  "), flush=True)


if __name__ == "__main__":
    main()
