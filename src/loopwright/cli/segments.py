"""`loopwright segments`: filters with a name, and who is meant by them."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from msgspec import UNSET

from loopwright import Loops
from loopwright.cli.filters import FilterText, OnList, filter_of
from loopwright.cli.options import Cursor, PerPage
from loopwright.cli.own import ask_own
from loopwright.cli.session import AsJson, client, say, show_json, show_page, show_table
from loopwright.wire.operations import Operation

COUNT = Operation("countAudience", "POST", "/loopwright/v1/audience/count", "always")
PREVIEW = Operation("previewAudience", "POST", "/loopwright/v1/audience/preview", "always")

app = typer.Typer(no_args_is_help=True, help="Make segments, and see who is in them.")


@app.command("list")
def list_(*, per_page: PerPage = None, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """List segments, newest first."""
    with client() as loops:
        answer = loops.audience_segments.list(per_page=per_page, cursor=cursor)
    columns = ("id", "name", "description")
    show_page(answer, columns, lambda one: (one.id, one.name, one.description), as_json=as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="No other segment has it.")],
    *,
    filter_: Annotated[
        str, typer.Option("--filter", metavar="JSON|FILE", help="Its filter: JSON text, or a file with it.")
    ],
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a segment. Who is in it is decided whenever it is asked.

    loopwright segments create Pros --filter pros.json
    """
    wanted = filter_of(filter_)
    with client() as loops:
        made = loops.audience_segments.create(name, filter=wanted, description=description or UNSET)
    if as_json:
        show_json(made.raw.body)
    else:
        say(f"Created segment {made.name} ({made.id}).")


@app.command()
def show(
    segment_id: Annotated[str, typer.Argument(metavar="ID")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show a segment: its filter, how many are in it, and its newest ten contacts."""
    with client() as loops:
        segment = loops.audience_segments.get(segment_id)
        if as_json:
            show_json(segment.raw.body)
            return
        counted = _counted(loops, segment_id, None, None)
        found = msgspec.json.decode(ask_own(loops, PREVIEW, body={"audienceSegmentId": segment_id}))
    say(f"{segment.name}\n{segment.description or ''}".rstrip())
    say(msgspec.json.format(msgspec.json.encode(segment.filter)).decode())
    say(counted)
    show_table(("id", "email"), [(one["id"], one["email"]) for one in found["data"]])


@app.command()
def count(
    segment_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="A segment.")] = None,
    *,
    filter_: FilterText = None,
    list_id: OnList = None,
    as_json: AsJson = False,
) -> None:
    """Count contacts: all of them, or those in a segment, on a list, and matching a filter.

    loopwright segments count --list cnews
    """
    with client() as loops:
        if as_json:
            show_json(ask_own(loops, COUNT, body=_audience(segment_id, list_id, filter_)))
        else:
            say(_counted(loops, segment_id, list_id, filter_))


def _counted(loops: Loops, segment_id: str | None, list_id: str | None, filter_: str | None) -> str:
    counted = msgspec.json.decode(ask_own(loops, COUNT, body=_audience(segment_id, list_id, filter_)))
    return f"{counted['contacts']} contacts, of whom marketing email reaches {counted['reachable']} now."


def _audience(segment_id: str | None, list_id: str | None, filter_: str | None) -> dict[str, object]:
    given = {
        "audienceSegmentId": segment_id,
        "mailingListId": list_id,
        "audienceFilter": filter_of(filter_) if filter_ else None,
    }
    return {key: value for key, value in given.items() if value is not None}
