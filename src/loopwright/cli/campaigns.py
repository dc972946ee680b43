"""`loopwright campaigns`: look at campaigns, and send them from a Loopwright server."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import typer

from loopwright.cli.failure import CommandFailed
from loopwright.cli.options import Cursor, PerPage
from loopwright.cli.own import ask_own
from loopwright.cli.session import AsJson, client, say, show_json, show_page, show_table
from loopwright.wire.operations import Operation

ROOT = "/loopwright/v1/campaigns/{campaignId}"
SHOW = Operation("showCampaign", "GET", ROOT, "always")
VISITS = Operation("showVisits", "GET", "/loopwright/v1/email-messages/{emailMessageId}/visits", "always")
WARM_UP = Operation("showWarmUp", "GET", "/loopwright/v1/warm-up", "always")
ACTIONS = {
    action: Operation(f"{action}Campaign", "POST", f"{ROOT}/{action}")
    for action in ("send", "schedule", "pause", "resume", "cancel", "send-to-joined", "retry", "test")
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


@app.command("warm-up")
def warm_up(*, as_json: AsJson = False) -> None:
    """Show where the team stands with its warm-up plan, and when all that waits for it is through."""
    with client() as loops:
        body = ask_own(loops, WARM_UP)
    if as_json:
        show_json(body)
        return
    found = msgspec.json.decode(body)["warmUp"]
    if found is None:
        say("There are no caps: the team has no warm-up plan, or is through with it.")
    else:
        _tell_warm_up(found)


@app.command()
def visits(
    campaign_id: CampaignId,
    *,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Hours from then on; else of thirty days.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who opened a campaign's emails and followed their links: people, machines, or nobody can say.

    Every hit counts. Hours are UTC.
    """
    with client() as loops:
        message_id = loops.campaigns.get(campaign_id).email_message_id
        if message_id is None:
            raise CommandFailed("This campaign has no email message.")
        body = ask_own(loops, VISITS, message_id, since=since)
    if as_json:
        show_json(body)
        return
    found = msgspec.json.decode(body)
    show_table(
        ("what", "human", "machine", "unsure"),
        [
            ("opens", *_split(found["opens"])),
            ("clicks", *_split(found["clicks"])),
            ("hidden link", *_split(found["hidden"])),
            *((f"{one['link']}: {one['address']}", *_split(one["clicks"])) for one in found["links"]),
        ],
    )
    if found["hours"]:
        show_table(
            ("hour", "opens", "by machines", "clicks", "by machines"),
            [
                (one["hour"], *_people_and_machines(one["opens"]), *_people_and_machines(one["clicks"]))
                for one in found["hours"]
            ],
        )


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
        typer.confirm(f"Send {_name(campaign_id)} to its whole audience now?", abort=True, err=True)
    _do("send", campaign_id, None, as_json=as_json)


@app.command()
def schedule(
    campaign_id: CampaignId,
    *,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="As in 2027-01-31T08:00:00+01:00, or without an offset in the team's time zone; "
            "else when it is planned for.",
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


@app.command("send-to-joined")
def send_to_joined(
    campaign_id: CampaignId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Send without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send a campaign that was sent to those who are in its audience now, and were not then."""
    if not yes and not as_json:
        question = f"Send {_name(campaign_id)} to all who have joined its audience since?"
        typer.confirm(question, abort=True, err=True)
    _do("send-to-joined", campaign_id, None, as_json=as_json)


@app.command()
def retry(
    campaign_id: CampaignId,
    *,
    status: Annotated[
        Literal["failed", "skipped", "unknown"],
        typer.Option(help="Those that failed, were skipped, or may have left or not."),
    ] = "failed",
    as_json: AsJson = False,
) -> None:
    """Send emails of a campaign once more.

    Each says what it was to say, and whether it may go is decided anew. With --status unknown somebody may
    get it twice.
    """
    _do("retry", campaign_id, {"status": status}, as_json=as_json)


def _name(campaign_id: str) -> str:
    """What people call the campaign, so that they see which one they are asked about."""
    with client() as loops:
        return f"“{loops.campaigns.get(campaign_id).name}”"


def _do(action: str, campaign_id: str, body: dict[str, object] | None, *, as_json: bool) -> None:
    with client() as loops:
        _tell(ask_own(loops, ACTIONS[action], campaign_id, body=body), as_json=as_json)


def _tell(body: bytes, *, as_json: bool) -> None:
    if as_json:
        show_json(body)
        return
    found = msgspec.json.decode(body)
    say(f"{found['name']}: {found['state']}{_when(found)}")
    if found.get("reason"):
        say(found["reason"])
    counts = {"recipients": found["recipients"], "unconfirmed": found["unconfirmed"], **found["emails"]}
    if found["startedAt"]:
        say(", ".join(f"{name} {count}" for name, count in counts.items() if count) or "no recipients yet")
    if found.get("warmUp"):
        _tell_warm_up(found["warmUp"])


def _tell_warm_up(found: dict[str, Any]) -> None:
    say(
        f"warm-up: {found['sentInHour']} of {found['perHour']} emails an hour and {found['sentInDay']} of "
        f"{found['perDay']} a day are sent"
    )
    if found["toCome"]:
        through = f"are through about {found['throughAt']}" if found["throughAt"] else "take more than a year"
        say(f"{found['toCome']} are to come, the next at {found['nextAt']}; all of them {through}")
    if found["heldBack"]:
        say(f"tomorrow has no more than today: {found['heldBack']}")


def _split(counts: dict[str, int]) -> tuple[str, str, str]:
    return str(counts["human"]), str(counts["machine"]), str(counts["unsure"])


def _people_and_machines(counts: dict[str, int]) -> tuple[str, str]:
    return str(counts["human"] + counts["unsure"]), str(counts["machine"])


def _when(found: dict[str, str | None]) -> str:
    if found["startsAt"] is None:
        return ""
    return f", begins at {found['startsAtLocal']} in {found['timeZone']}, which is {found['startsAt']}"
