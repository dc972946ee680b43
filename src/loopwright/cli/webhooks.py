"""`loopwright webhooks`: endpoints of a Loopwright server that are told what happens, and their history."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from loopwright import Loops
from loopwright.cli.failure import CommandFailed
from loopwright.cli.session import AsJson, client, say, show_json, show_table
from loopwright.client.bulk import own_root
from loopwright.client.call import Call, fill, with_query
from loopwright.client.config import DEFAULT_TIMEOUT, resolve_settings
from loopwright.wire.answers import Answer
from loopwright.wire.operations import Operation

_ROOT = "/loopwright/v1/webhooks"
_LIST = Operation("listWebhooks", "GET", _ROOT, "always")
_CREATE = Operation("createWebhook", "POST", _ROOT)
_UPDATE = Operation("updateWebhook", "POST", _ROOT + "/{webhookId}", "always")
_DELETE = Operation("deleteWebhook", "DELETE", _ROOT + "/{webhookId}")
_ROTATE = Operation("rotateWebhook", "POST", _ROOT + "/{webhookId}/rotate")
_TEST = Operation("testWebhook", "POST", _ROOT + "/{webhookId}/test")
_REPLAY = Operation("replayWebhook", "POST", _ROOT + "/{webhookId}/replay")
_DELIVERIES = Operation("listWebhookDeliveries", "GET", _ROOT + "/{webhookId}/deliveries", "always")

app = typer.Typer(no_args_is_help=True, help="Tell other programs what happens on a Loopwright server.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The endpoint's id, as `list` shows it.")]
Events = Annotated[
    list[str] | None, typer.Option("--event", help="Only this event; may be given more than once.")
]
Ordered = Annotated[
    bool | None,
    typer.Option("--ordered/--unordered", help="Let nothing overtake what waits about the same contact."),
]
Description = Annotated[str | None, typer.Option(help="What it is for, for people.")]


class Told(Answer, frozen=True, kw_only=True):
    """What the server answers: see `raw`."""


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the endpoints, oldest first."""
    body = _ask(_LIST)
    if as_json:
        show_json(body)
        return
    rows = [
        (one["id"], one["url"], _state(one), f"{len(one['events'])} events", one["description"])
        for one in msgspec.json.decode(body)
    ]
    show_table(("id", "url", "state", "told of", "description"), rows)


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where to send them, such as https://example.com/hooks.")],
    *,
    events: Events = None,
    description: Description = None,
    ordered: Ordered = None,
    as_json: AsJson = False,
) -> None:
    """Add an endpoint, and print the secret that its webhooks are signed with. It is shown only now.

    loopwright webhooks add https://example.com/hooks --event contact.created
    """
    body = _given(url=url, events=events, description=description, ordered=ordered)
    _show_secret(_ask(_CREATE, body=body), as_json=as_json)


@app.command()
def update(
    webhook_id: Id,
    *,
    url: Annotated[str | None, typer.Option(help="Send them there from now on.")] = None,
    events: Events = None,
    description: Description = None,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether it gets any webhooks.")
    ] = None,
    ordered: Ordered = None,
    as_json: AsJson = False,
) -> None:
    """Change an endpoint; what is not given stays."""
    body = _given(url=url, events=events, description=description, enabled=enabled, ordered=ordered)
    _show(_ask(_UPDATE, webhook_id, body=body), as_json=as_json)


@app.command()
def remove(webhook_id: Id, *, as_json: AsJson = False) -> None:
    """Remove an endpoint with its history and all that waits for it."""
    body = _ask(_DELETE, webhook_id)
    show_json(body) if as_json else say(f"{webhook_id} is gone")


@app.command()
def rotate(webhook_id: Id, *, as_json: AsJson = False) -> None:
    """Make a new secret and print it, only now. For 24 hours the former one signs beside it."""
    _show_secret(_ask(_ROTATE, webhook_id), as_json=as_json)


@app.command("test")
def send_test(webhook_id: Id, *, as_json: AsJson = False) -> None:
    """Send the event testing.testEvent, which is about nobody."""
    body = _ask(_TEST, webhook_id)
    if as_json:
        show_json(body)
    else:
        say(f"{msgspec.json.decode(body)['id']} is on its way; `deliveries` shows what came of it")


@app.command()
def replay(
    webhook_id: Id,
    *,
    start: Annotated[str, typer.Option("--from", help="What came since then, such as 2026-05-17T10:00Z.")],
    end: Annotated[str | None, typer.Option("--to", help="And before then; now, without it.")] = None,
    delivered: Annotated[bool, typer.Option("--delivered", help="What was delivered, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send once more what an endpoint has missed, or what has failed. Webhooks keep their ids."""
    body = {**_given(to=end), "from": start, "delivered": delivered}
    answer = _ask(_REPLAY, webhook_id, body=body)
    if as_json:
        show_json(answer)
    else:
        say(f"{msgspec.json.decode(answer)['queued']} webhooks are sent again")


@app.command()
def deliveries(
    webhook_id: Id,
    *,
    status: Annotated[
        str | None, typer.Option(help="Only those: queued, delivered, failed or missed.")
    ] = None,
    cursor: Annotated[str | None, typer.Option(help="The page after the one that named this cursor.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what an endpoint was told in the last 30 days, newest first."""
    body = _ask(_DELIVERIES, webhook_id, status=status, cursor=cursor)
    if as_json:
        show_json(body)
        return
    page = msgspec.json.decode(body)
    rows = [
        (one["id"], one["createdAt"], one["eventName"], one["status"], one["attempts"])
        for one in page["data"]
    ]
    show_table(("id", "happened", "event", "status", "attempts"), rows)
    if page["pagination"]["nextCursor"]:
        say(f"--cursor {page['pagination']['nextCursor']} lists older ones")


def _ask(operation: Operation, *ids: str, body: object = msgspec.UNSET, **query: str | None) -> bytes:
    """Send one request to a server of ours, and return the answer's body."""
    with client() as loops:
        settings = resolve_settings(None, None, DEFAULT_TIMEOUT, 0, None, pacing=False)
        root = own_root(settings.root)
        if root is None:
            raise CommandFailed(
                "Loops' own webhooks are set up in its dashboard: "
                "LOOPS_BASE_URL is to name a Loopwright server."
            )
        return _send(
            loops, Call(operation, root + with_query(fill(operation, *ids), **query), _told, {}, body)
        )


def _send(loops: Loops, call: Call[Told]) -> bytes:
    return loops.send(call).raw.body


def _told(_: bytes) -> Told:
    return Told()


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _state(endpoint: dict[str, Any]) -> str:
    if not endpoint["enabled"]:
        return f"disabled: {endpoint['disabledReason']}"
    return f"failing since {endpoint['failingSince']}" if endpoint["failingSince"] else "enabled"


def _show(body: bytes, *, as_json: bool) -> None:
    if as_json:
        show_json(body)
    else:
        endpoint = msgspec.json.decode(body)
        say(f"{endpoint['id']}  {endpoint['url']}  {_state(endpoint)}\n{', '.join(endpoint['events'])}")


def _show_secret(body: bytes, *, as_json: bool) -> None:
    _show(body, as_json=as_json)
    if not as_json:
        say(f"Secret (shown only now): {msgspec.json.decode(body)['secret']}")
