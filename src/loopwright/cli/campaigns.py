"""`loopwright campaigns`: look at campaigns, and send them from a Loopwright server."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from loopwright.cli.options import Cursor, PerPage
from loopwright.cli.own import ask_own
from loopwright.cli.session import AsJson, client, say, show_json, show_page
from loopwright.wire.operations import Operation

ROOT = "/loopwright/v1/campaigns/{campaignId}"
SHOW = Operation("showCampaign", "GET", ROOT, "always")
ACTIONS = {
    action: Operation(f"{action}Campaign", "POST", f"{ROOT}/{action}")
    for action in ("send", "schedule", "pause", "resume", "cancel", "test")
}

app = typer.Typer(no_args_is_help=True, help="Look at campaigns, and send them.")

CampaignId = Annotated[str, typer.Argument(metavar="ID", help="The campaign's id, as in its address.")]


@app.command("list")
def list_(*, per_page: PerPage = None, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """List campaigns, newest first."""
    with client() as loops:
        answer = loops.campaigns.list(per_page=per_page, cursor=cursor)
    show_page(answer, ("id", "name", "status"), lambda one: (one.id, one.name, one.status), as_json=as_json)


@app.command()
def show(campaign_id: CampaignId, *, as_json: AsJson = False) -> None:
    """Show where a campaign stands, and what became of its emails."""
    with client() as loops:
        _tell(ask_own(loops, SHOW, campaign_id), as_json=as_json)


@app.command("test")
def try_out(
    campaign_id: CampaignId,
    *,
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Your own address.")],
    as_json: AsJson = False,
) -> None:
    """Send its email to one address, as the contact of that address would have it."""
    _do("test", campaign_id, {"email": to}, as_json=as_json)


@app.command()
def send(
    campaign_id: CampaignId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Send without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send a draft now."""
    if not yes and not as_json:
        typer.confirm("Send it to its whole audience now?", abort=True, err=True)
    _do("send", campaign_id, None, as_json=as_json)


@app.command()
def schedule(
    campaign_id: CampaignId,
    *,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="As in 2027-01-31T08:00:00+01:00; else when it is planned for."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have a draft begin at a time."""
    _do("schedule", campaign_id, {} if at is None else {"timestamp": at}, as_json=as_json)


@app.command()
def pause(campaign_id: CampaignId, *, as_json: AsJson = False) -> None:
    """Begin no further email of a campaign that is being sent."""
    _do("pause", campaign_id, None, as_json=as_json)


@app.command()
def resume(campaign_id: CampaignId, *, as_json: AsJson = False) -> None:
    """Let a campaign go on that was paused, or begin with one whose time was missed."""
    _do("resume", campaign_id, None, as_json=as_json)


@app.command()
def cancel(campaign_id: CampaignId, *, as_json: AsJson = False) -> None:
    """Make a scheduled campaign a draft again; end one that is being sent."""
    _do("cancel", campaign_id, None, as_json=as_json)


def _do(action: str, campaign_id: str, body: dict[str, object] | None, *, as_json: bool) -> None:
    with client() as loops:
        _tell(ask_own(loops, ACTIONS[action], campaign_id, body=body), as_json=as_json)


def _tell(body: bytes, *, as_json: bool) -> None:
    if as_json:
        show_json(body)
        return
    found = msgspec.json.decode(body)
    say(f"{found['name']}: {found['state']}{_when(found['startsAt'])}")
    if found.get("reason"):
        say(found["reason"])
    counts = {"recipients": found["recipients"], **found["emails"]}
    if found["startedAt"]:
        say(", ".join(f"{name} {count}" for name, count in counts.items() if count) or "no recipients yet")


def _when(starts_at: str | None) -> str:
    return f", begins at {starts_at}" if starts_at else ""
