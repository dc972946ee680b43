"""What an operator may change about a team, and the email that double opt-in needs."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal
from zoneinfo import available_timezones

from msgspec import Struct
from msgspec.structs import asdict, replace

from loopwright.ids import new_id
from loopwright.server.content.save import write_content
from loopwright.server.ingest.blocklist import read_pattern
from loopwright.server.ingest.consent import OPT_IN_VARIABLE
from loopwright.server.mail.addresses import ascii_domain, domain_mistake
from loopwright.server.mail.warm_up import Plan, begun, mistake_of
from loopwright.server.mail.warming import level_of, plan_of
from loopwright.server.store.database import Connection
from loopwright.server.store.definitions import (
    TransactionalDefinitionRow,
    load_transactional,
    lock_definitions,
    note_written,
    save_transactional,
    transactional_place,
)
from loopwright.server.store.designs import lock_design
from loopwright.server.store.messages import EMPTY
from loopwright.server.store.teams import TeamRow, load_teams, lock_names, lock_team, update_team
from loopwright.server.store.warm_ups import WarmUpRow, delete_warm_up, let_go, lock_warm_up, save_warm_up

OPT_IN_SLUG = "double-opt-in"
OPT_IN_LMX = f"""\
<H2>One more click</H2>
<Paragraph>
  Somebody, most likely you, signed this address up for our email. Please confirm that you want it.
</Paragraph>
<Button href="{{data.{OPT_IN_VARIABLE}}}" align="center">Confirm or decline</Button>
<Paragraph>If it was not you, leave this email alone: we will not write again.</Paragraph>
"""
OPT_IN_CONTENT = replace(
    EMPTY,
    subject="Please confirm your subscription",
    preview_text="One more click, and you are on the list.",
    from_email="hello",
    lmx=OPT_IN_LMX,
)
OPT_IN_RULE = f"the email of double opt-in must use {{data.{OPT_IN_VARIABLE}}} and no other variable"


SWITCHES = ("copies", "attachments", "tracking", "hash_visitors")


OFF: Literal["off"] = "off"
_NO_ZONES = {"localtime", "Factory"}
"""Names of files among the zones: what the first means is each machine's own, and the other means nothing."""
USUAL_HOURS = 8
"""An hour has this part of a day's emails, unless somebody says otherwise."""


class WarmUpChanges(Struct, frozen=True, kw_only=True):
    """What is to change about a warm-up plan; None leaves it. With `per_day` one begins, or begins anew."""

    per_day: int | None = None
    per_hour: int | None = None
    growth: int | None = None
    until: int | None = None


class SettingChanges(Struct, frozen=True, kw_only=True):
    """What is to change about a team; None leaves it. `block` and `unblock` hold blocklist patterns."""

    name: str | None = None
    company: str | None = None
    address: str | None = None
    sending_domain: str | None = None
    double_opt_in: bool | None = None
    copies: bool | None = None
    attachments: bool | None = None
    tracking: bool | None = None
    hash_visitors: bool | None = None
    time_zone: str | None = None
    warm_up: WarmUpChanges | Literal["off"] = WarmUpChanges()
    block: Collection[str] = ()
    unblock: Collection[str] = ()


async def change_team(tx: Connection, team_id: str, changes: SettingChanges, *, now: datetime) -> TeamRow:
    """Change a team's settings in the caller's transaction, and return them.

    Switching double opt-in on makes the email that asks for confirmation, unless there is one of the slug
    `double-opt-in`. Raises `ValueError` for a pattern that is none, a name that is empty or taken, a sending
    domain, a time zone or a warm-up plan that is none, and an opt-in email that does not use exactly the
    variable optInUrl.
    """
    if changes.name is not None:
        await lock_names(tx)
        check_name(changes.name, [team for team in await load_teams(tx) if team.id != team_id])
    team = await lock_team(tx, team_id)
    switched = {key: value for key in SWITCHES if (value := getattr(changes, key)) is not None}
    changed = replace(team, **_texts(changes), **switched, blocklist=_blocklist(team, changes))
    if changes.double_opt_in is not None:
        opt_in_id = await _opt_in_email(tx, team_id, now) if changes.double_opt_in else team.opt_in_id
        changed = replace(changed, double_opt_in=changes.double_opt_in, opt_in_id=opt_in_id)
    await update_team(tx, changed)
    if changes.warm_up == OFF:
        await delete_warm_up(tx, team_id, now=now)
    elif changes.warm_up != WarmUpChanges():
        await _warm_up(tx, team_id, changes.warm_up, now)
    return changed


def _texts(changes: SettingChanges) -> dict[str, str]:
    """The texts that are given, as they are stored."""
    said = {
        key: value.strip()
        for key in ("name", "company", "address", "sending_domain", "time_zone")
        if (value := getattr(changes, key)) is not None
    }
    if "sending_domain" in said:
        said["sending_domain"] = _sending_domain(said["sending_domain"])
    if "time_zone" in said:
        _check_time_zone(said["time_zone"])
    return said


def _blocklist(team: TeamRow, changes: SettingChanges) -> list[str]:
    removed = {read_pattern(text) for text in changes.unblock}
    if unknown := removed - set(team.blocklist):
        raise ValueError(f"{', '.join(sorted(unknown))}: not on the blocklist")
    added = {read_pattern(text) for text in changes.block}
    return sorted((set(team.blocklist) | added) - removed)


async def _warm_up(tx: Connection, team_id: str, changes: WarmUpChanges, now: datetime) -> None:
    """Begin a warm-up plan, or change the one there is; what waits for it asks again."""
    known = await lock_warm_up(tx, team_id)
    if changes.per_day is not None:
        plan = Plan(per_day=changes.per_day, per_hour=max(changes.per_day // USUAL_HOURS, 1))
        level = begun(plan, now=now)
    elif known is not None:
        plan, level = plan_of(known), level_of(known)
    else:
        raise ValueError(
            "there is no warm-up plan to change; begin one with: loopwright team set --warm-up 500"
        )
    given = {key: value for key in plan.__struct_fields__ if (value := getattr(changes, key)) is not None}
    plan = replace(plan, **given)
    if mistake := mistake_of(plan):
        raise ValueError(mistake)
    await save_warm_up(tx, WarmUpRow(team_id=team_id, **asdict(plan), **asdict(level)))
    await let_go(tx, team_id, now=now)


def _sending_domain(text: str) -> str:
    if not text:
        raise ValueError("a team's sending domain cannot be empty")
    if mistake := domain_mistake(text):
        raise ValueError(f"the sending domain {mistake} (got {text})")
    return ascii_domain(text).lower()


def _check_time_zone(name: str) -> None:
    if name not in available_timezones() - _NO_ZONES:
        raise ValueError(f"there is no time zone {name or 'without a name'}; one is Europe/Berlin")


def check_name(name: str, others: Iterable[TeamRow]) -> None:
    """Raises `ValueError` for a name that is empty, or by which two teams would be called."""
    if not name.strip():
        raise ValueError("a team's name cannot be empty")
    if any(name.strip() == team.name for team in others):
        raise ValueError(f"there is a team called {name.strip()} already; give another name")


def asks_to_confirm(data_variables: Collection[str]) -> bool:
    """Whether an email with these variables keeps `OPT_IN_RULE`."""
    return set(data_variables) == {OPT_IN_VARIABLE}


async def _opt_in_email(tx: Connection, team_id: str, now: datetime) -> str:
    """The transactional email that asks for confirmation, made when there is none."""
    await lock_design(tx, team_id)
    await lock_definitions(tx, team_id)
    found = await load_transactional(tx, team_id, [OPT_IN_SLUG])
    if found:
        if found[0].published_message_id is None or not asks_to_confirm(found[0].data_variables):
            raise ValueError(f"{OPT_IN_RULE}, and be published; change {OPT_IN_SLUG}, then try again")
        return found[0].id
    revision = await write_content(tx, team_id, None, OPT_IN_CONTENT, now=now)
    # A file of this slug may replace what nobody has touched.
    await note_written(tx, team_id, {transactional_place(OPT_IN_SLUG): revision.id})
    email = TransactionalDefinitionRow(
        id=new_id(now),
        team_id=team_id,
        slug=OPT_IN_SLUG,
        name="Double opt-in",
        draft_message_id=None,
        published_message_id=revision.message_id,
        published_at=now,
        data_variables=[OPT_IN_VARIABLE],
        required_variables=[OPT_IN_VARIABLE],
        group_id=None,
    )
    await save_transactional(tx, email, now=now)
    return email.id
