"""Rows for tests, and the only place of the tests where one is inserted.

What the product writes, its own functions write here as well. The statements are for rows by the hundred, for
what time alone brings, and for what an older release writes, which nothing in the product does any more.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, LiteralString

import msgspec
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.content import save
from loopwright.server.content.designs import create_component, load_design
from loopwright.server.content.images import digest_of
from loopwright.server.content.message import check_message, required_variables
from loopwright.server.keys import hash_key
from loopwright.server.mail.normal import normalise
from loopwright.server.sealing import SealingKey
from loopwright.server.store import batches, suppressions, teams
from loopwright.server.store.batches import BatchChanges
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.designs import ComponentRow, Styles, ThemeRow, insert_theme
from loopwright.server.store.events import PatternRow
from loopwright.server.store.groups import GroupKind, GroupRow, insert_group
from loopwright.server.store.messages import EMPTY, Content
from loopwright.server.store.segments import SegmentRow, insert_segment
from loopwright.server.store.teams import TeamRow
from loopwright.server.store.transactional import insert_transactional, publish
from loopwright.server.store.uploads import ImageRow, keep_images
from loopwright.server.store.webhook_deliveries import queue_test
from loopwright.server.store.webhooks import EndpointRow, insert_endpoint
from loopwright.server.webhook.signing import seal_secret
from loopwright.webhooks import EVENT_TYPES, TestEvent, write
from loopwright.wire.filters import AudienceFilter, PropertyCondition

JSON_COLUMNS = {
    "styles",
    "properties",
    "mailing_lists",
    "event_properties",
    "data_variables",
    "attachments",
    "nodes",
    "contact_fallbacks",
    "event_fallbacks",
    "data_fallbacks",
    "removed_nodes",
    "detail",
}


async def insert(on: Pool | Connection, table: str, **columns: Any) -> None:
    """Insert one row; what `columns` does not name has the table's default."""
    names = ", ".join(columns)
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    is_json = {name for name in columns if name in JSON_COLUMNS and table != "transactional_email"}
    values = [
        msgspec.json.encode(value).decode() if name in is_json else value for name, value in columns.items()
    ]
    await on.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *values)


async def first_team(pool: Pool) -> str:
    """The id of the team that a server makes for itself."""
    team_id: str = await pool.fetchval("SELECT id FROM team ORDER BY id LIMIT 1")
    return team_id


async def add_team(pool: Pool, team_id: str, *, key: str | None = None) -> None:
    """Another team, and a key that opens it."""
    now = datetime.now(UTC)
    team = TeamRow(id=team_id, name=team_id, secret=b"", sending_domain="d", company="", address="")
    async with pool.acquire() as tx:
        await teams.insert_team(tx, team, now=now)
        if key is not None:
            await teams.insert_key(tx, team_id, key_id=key, name="", key_hash=hash_key(key), now=now)


async def add_contact(pool: Pool, team_id: str, contact_id: str, **columns: Any) -> None:
    """A contact, subscribed and otherwise empty but for the `columns`; its address is its id's."""
    now = datetime.now(UTC)
    default: dict[str, Any] = {
        "email": f"{contact_id}@elsewhere.org", "source": "API", "subscribed": True, "user_group": "",
        "properties": {}, "mailing_lists": {}, "created_at": now, "updated_at": now,
    }  # fmt: skip
    await insert(pool, "contact", id=contact_id, team_id=team_id, **{**default, **columns})


async def add_list(
    pool: Pool,
    team_id: str,
    list_id: str,
    *,
    name: str = "News",
    slug: str | None = None,
    is_public: bool = True,
) -> str:
    """A mailing list; without a slug it is nobody's file."""
    await insert(
        pool, "mailing_list", id=list_id, team_id=team_id, slug=slug, name=name, is_public=is_public,
        created_at=datetime.now(UTC),
    )  # fmt: skip
    return list_id


async def add_segment(
    pool: Pool, team_id: str, segment_id: str, *, name: str = "All", filter_: AudienceFilter | None = None
) -> None:
    """A segment; without a filter it is of everybody."""
    now = datetime.now(UTC)
    everybody = AudienceFilter(match="all", conditions=[PropertyCondition(key="email", operator="any")])
    row = SegmentRow(
        id=segment_id,
        name=name,
        description=None,
        filter=filter_ or everybody,
        created_at=now,
        updated_at=now,
    )
    async with pool.acquire() as tx:
        await insert_segment(tx, team_id, row)


async def add_group(
    pool: Pool, team_id: str, kind: GroupKind, group_id: str, *, name: str, description: str = ""
) -> None:
    """A group of that kind."""
    now = datetime.now(UTC)
    row = GroupRow(id=group_id, name=name, description=description, created_at=now, updated_at=now)
    async with pool.acquire() as tx:
        await insert_group(tx, team_id, kind, row)


async def add_campaign(pool: Pool, team_id: str, campaign_id: str, **columns: Any) -> str:
    """A draft to everybody whose email says nothing; answers its message's id."""
    now = datetime.now(UTC)
    async with pool.acquire() as tx, tx.transaction():
        draft = await save.write_content(tx, team_id, None, EMPTY, now=now)
    default: dict[str, Any] = {
        "name": "News", "status": "Draft", "message_id": draft.message_id, "created_at": now,
        "updated_at": now,
    }  # fmt: skip
    await insert(pool, "campaign", id=campaign_id, team_id=team_id, **{**default, **columns})
    return draft.message_id


async def suppress(
    pool: Pool, team_id: str, email: str, *, reason: str = "hard_bounce", now: datetime | None = None
) -> None:
    """An address to which mail is held back."""
    async with pool.acquire() as tx:
        await suppressions.suppress(tx, team_id, email, reason=reason, now=now or datetime.now(UTC))


async def stop_marketing(pool: Pool, team_id: str, email: str, *, now: datetime) -> None:
    """An address that has bounced softly for a week."""
    await insert(
        pool, "soft_bouncing", team_id=team_id, email=email, email_ids=[], first_at=now, last_at=now,
        stopped_at=now,
    )  # fmt: skip


async def lift_suppression(pool: Pool, team_id: str, *, now: datetime, count: int = 1) -> None:
    """Removals that count towards the quota."""
    async with pool.acquire() as tx:
        for _ in range(count):
            await suppressions.lift(tx, team_id, "x", now=now)


async def add_fact(
    pool: Pool | Connection,
    team_id: str,
    kind: str,
    *,
    email_id: str | None = None,
    contact_id: str | None = None,
    now: datetime,
) -> None:
    """A fact about an email, or about a contact."""
    await insert(
        pool, "fact", id=new_id(now), team_id=team_id, kind=kind, email_id=email_id, contact_id=contact_id,
        detail={}, happened_at=now,
    )  # fmt: skip


async def add_endpoint(
    pool: Pool,
    team_id: str,
    url: str,
    *,
    sealing: SealingKey,
    secret: str = "whsec_c2VjcmV0",
    events: Sequence[str] = tuple(EVENT_TYPES),
    now: datetime | None = None,
) -> EndpointRow:
    """A webhook endpoint, which is told of everything unless `events` names some."""
    now = now or datetime.now(UTC)
    endpoint_id = new_id(now)
    row = EndpointRow(
        id=endpoint_id,
        team_id=team_id,
        url=url,
        description="",
        events=list(events),
        sealed_secret=seal_secret(sealing, endpoint_id, secret),
        created_at=now,
        updated_at=now,
    )
    async with pool.acquire() as tx:
        await insert_endpoint(tx, row)
    return row


async def add_deliveries(pool: Pool, endpoint: EndpointRow, count: int, *, now: datetime) -> list[str]:
    """Tests that are due; returns their ids."""
    payload = write(TestEvent(event_time=int(now.timestamp())))
    ids = [new_id(now) for _ in range(count)]
    async with pool.acquire() as tx:
        for delivery_id in ids:
            await queue_test(
                tx, endpoint.team_id, endpoint.id, delivery_id, payload, name="testing.testEvent", now=now
            )
    return ids


async def add_draft(pool: Pool, team_id: str, transactional_id: str, message_id: str) -> None:
    """A transactional email that was never published, with the message that it drafts."""
    now = datetime.now(UTC)
    async with pool.acquire() as tx, tx.transaction():
        await save.write_content(tx, team_id, message_id, EMPTY, now=now)
        await insert_transactional(
            tx, team_id, transactional_id, name="Draft", group_id=None, draft_message_id=message_id, now=now
        )


async def add_library(pool: Pool, team_id: str, *, uploads: int) -> None:
    """What emails share, each with an id that its name makes: `ctheme`, `ccomponent`, `ctransactional` …

    Of the uploads `cupload` and `cmuch` have their bytes, `cpending` has not, and some are completed.
    """
    now = datetime.now(UTC)
    dates = {"created_at": now, "updated_at": now}
    await insert(
        pool, "theme", id="ctheme", team_id=team_id, name="Day", styles={}, is_default=False, **dates
    )  # fmt: skip
    await insert(pool, "component", id="ccomponent", team_id=team_id, name="Line", lmx="<Divider/>", **dates)
    kinds: tuple[GroupKind, ...] = ("transactional", "campaign", "workflow")
    for kind in kinds:
        await insert(
            pool, "content_group", id=f"c{kind}", team_id=team_id, kind=kind, name="Some", description="",
            **dates,
        )  # fmt: skip
    image = {"team_id": team_id, "content_type": "image/png", "size": 1, "created_at": now}
    for name, data in (("cupload", b"1"), ("cmuch", b"2"), ("cpending", None)):
        await insert(pool, "upload", id=name, data=data, **image)
    for number in range(uploads):
        await insert(pool, "upload", id=f"c{number}", completed_at=now, **image)


async def add_email(
    pool: Pool,
    message_id: str,
    email_id: str,
    *,
    now: datetime,
    kind: str = "transactional",
    contact_id: str | None = None,
    workflow_id: str | None = None,
    run_id: str | None = None,
    transactional_id: str | None = None,
    mailing_list_id: str | None = None,
    campaign_id: str | None = None,
    status: str = "queued",
) -> None:
    """An email of the message's revision, as it was left at some time; it is in no queue unless it waits."""
    revision = await pool.fetchrow("SELECT id, team_id FROM email_revision WHERE message_id = $1", message_id)
    assert revision
    await insert(
        pool, "email", id=email_id, team_id=revision["team_id"], cause=email_id, kind=kind,
        message_id=message_id, revision_id=revision["id"], contact_id=contact_id,
        to_email="ada@elsewhere.org", workflow_id=workflow_id, run_id=run_id,
        transactional_id=transactional_id, mailing_list_id=mailing_list_id, campaign_id=campaign_id,
        event_properties={}, data_variables={}, status=status,
        attempts=1, mime_id=f"{email_id}@elsewhere.org", created_at=now,
    )  # fmt: skip


async def hold(pool: Pool, team_id: str, email_id: str) -> None:
    """Let the email wait without a time."""
    await pool.execute("DELETE FROM email_queue WHERE email_id = $1", email_id)
    await insert(
        pool,
        "email_queue",
        email_id=email_id,
        team_id=team_id,
        lane=1,
        due_at=datetime.max.replace(tzinfo=UTC),
    )
    await pool.execute("UPDATE email_queue SET due_at = 'infinity' WHERE email_id = $1", email_id)


async def add_published(
    pool: Pool, team_id: str, ids: list[str], *, variables: Sequence[str] = (), required: Sequence[str] = ()
) -> None:
    """Transactional emails that can be sent, `T1`, `T2` …, each with these data variables."""
    now = datetime.now(UTC)
    async with pool.acquire() as tx, tx.transaction():
        for number, transactional_id in enumerate(ids, 1):
            draft = await save.write_content(tx, team_id, None, EMPTY, now=now)
            await insert_transactional(
                tx,
                team_id,
                transactional_id,
                name=f"T{number}",
                group_id=None,
                draft_message_id=draft.message_id,
                now=now,
            )
            await publish(
                tx,
                team_id,
                transactional_id,
                data_variables=list(variables),
                required_variables=list(required),
                now=now,
            )


async def add_theme(pool: Pool, team_id: str, theme_id: str, *, name: str, styles: Styles) -> None:
    """A theme that no file knows."""
    now = datetime.now(UTC)
    row = ThemeRow(id=theme_id, name=name, styles=styles, is_default=False, created_at=now, updated_at=now)
    async with pool.acquire() as tx:
        await insert_theme(tx, team_id, row)


async def add_component(pool: Pool, team_id: str, component_id: str, *, name: str, lmx: str) -> None:
    """A component that no file knows."""
    now = datetime.now(UTC)
    row = ComponentRow(id=component_id, name=name, lmx=normalise(lmx), created_at=now, updated_at=now)
    async with pool.acquire() as tx, tx.transaction():
        await create_component(tx, team_id, row)


async def add_image(pool: Pool, team_id: str, data: bytes) -> None:
    """A PNG that emails may show."""
    row = ImageRow(content_type="image/png", data=data)
    async with pool.acquire() as tx:
        await keep_images(tx, team_id, {digest_of(data): row}, now=datetime.now(UTC))


async def add_published_content(
    pool: Pool,
    team_id: str,
    transactional_id: str,
    content: Content,
    *,
    name: str,
    group_id: str | None = None,
) -> None:
    """A transactional email that says this, and that no file knows."""
    now = datetime.now(UTC)
    async with pool.acquire() as tx, tx.transaction():
        design = await load_design(tx, team_id, [content.lmx])
        content = replace(content, lmx=normalise(content.lmx))
        names = check_message(content, "transactional", design).data_variables
        draft = await save.write_content(tx, team_id, None, content, now=now)
        await insert_transactional(
            tx, team_id, transactional_id, name=name, group_id=group_id,
            draft_message_id=draft.message_id, now=now,
        )  # fmt: skip
        await publish(
            tx, team_id, transactional_id, data_variables=names,
            required_variables=required_variables(names, content), now=now,
        )  # fmt: skip


async def know_pattern(pool: Pool, team_id: str, name: str) -> None:
    """The pattern of an event name, unless it is known."""
    row = PatternRow(id=new_id(datetime.now(UTC)), team_id=team_id, name=name, properties={})
    async with pool.acquire() as tx:
        await batches.save(tx, BatchChanges(patterns=[row]), now=datetime.now(UTC), window=datetime.now(UTC))


# By the hundred.


async def add_events(
    on: Pool | Connection,
    team_id: str,
    contact_id: str,
    count: int,
    *,
    prefix: str,
    name: str = "signup",
    now: datetime | None = None,
) -> None:
    """Events with the ids `prefix` + 000001, 000002 …"""
    await on.execute(
        "INSERT INTO event (id, team_id, contact_id, name, properties, received_at) "
        "SELECT $1::text || to_char(n, 'FM000000'), $2, $3, $4, '{}', $5 FROM generate_series(1, $6::int) n",
        prefix, team_id, contact_id, name, now or datetime.now(UTC), count,
    )  # fmt: skip


async def copy_campaign(
    tx: Connection, campaign_id: str, other_id: str, *, team_id: str, message_id: str
) -> None:
    """A campaign of the same name in another team, or of it."""
    await tx.execute(
        """
        INSERT INTO campaign (id, team_id, name, status, message_id, created_at, updated_at)
        SELECT $2, $3, name, status, $4, created_at, updated_at FROM campaign WHERE id = $1
        """,
        campaign_id, other_id, team_id, message_id,
    )  # fmt: skip


async def repeat_events(on: Pool | Connection, count: int) -> None:
    """Some of the events once more, as a writer does who is there meanwhile."""
    await on.execute("INSERT INTO event SELECT * FROM event LIMIT $1", count)


async def repeat_as_sent(on: Pool | Connection, email_id: str, count: int) -> None:
    """So many emails like that one, which were sent."""
    await on.execute(
        """
        INSERT INTO email (id, team_id, cause, kind, message_id, revision_id, to_email, event_properties,
                           data_variables, status, mime_id, created_at)
        SELECT 'csent' || n, team_id, 'sent:' || n, kind, message_id, revision_id, to_email, '{}', '{}',
               'sent', 'sent' || n, created_at
          FROM email, generate_series(1, $2::int) AS n WHERE id = $1
        """,
        email_id, count,
    )  # fmt: skip


async def add_contacts(on: Pool | Connection, team_id: str, count: int, *, domain: str) -> None:
    """Contacts with the addresses `1@domain`, `2@domain` …"""
    await on.execute(
        """
        INSERT INTO contact (id, team_id, email, source, subscribed, user_group, properties, mailing_lists,
                             created_at, updated_at)
        SELECT 'p' || n, $1, n || '@' || $2, 'API', true, '', '{}', '{}', now(), now()
          FROM generate_series(1, $3::int) AS n
        """,
        team_id, domain, count,
    )  # fmt: skip


async def add_patterns(pool: Pool, team_id: str, count: int) -> None:
    """Event patterns with the names `event 1`, `event 2` …, the last of them the newest."""
    await pool.execute(
        """
        INSERT INTO event_pattern (id, team_id, name, properties, created_at)
        SELECT 'c' || to_char(n, 'FM000000000000000000000000'), $1, 'event ' || n, '{}', now()
          FROM generate_series(1, $2::int) AS n
        """,
        team_id, count,
    )  # fmt: skip


async def add_facts_of(
    pool: Pool,
    team_id: str,
    message_id: str,
    owner: Literal["campaign", "workflow"],
    sent: int,
    *,
    bounced: int = 0,
    complained: int = 0,
    suppressed: int = 0,
    now: datetime,
) -> None:
    """Emails of the only campaign or workflow, and what was told of them."""
    kinds = {
        "email_sent": sent,
        "email_bounced": bounced,
        "email_complained": complained,
        "email_suppressed": suppressed,
    }
    for kind, count in kinds.items():
        ids = [new_id(now) for _ in range(count)]
        await pool.execute(
            f"""
            INSERT INTO email (id, team_id, cause, kind, message_id, to_email, {owner}_id, event_properties,
                               data_variables, status, attempts, mime_id, created_at)
            SELECT id, $2, id, 'marketing', $3, id || '@elsewhere.org', (SELECT id FROM {owner}),
                   '{{}}', '{{}}',
                   CASE WHEN $5 = 'email_suppressed' THEN 'skipped' ELSE 'sent' END, 1, id, $4
              FROM unnest($1::text[]) AS id
            """,
            ids, team_id, message_id, now, kind,
        )  # fmt: skip
        await pool.execute(
            """
            INSERT INTO fact (id, team_id, kind, email_id, detail, happened_at)
            SELECT id, $2, $3, id, '{}', $4 FROM unnest($1::text[]) AS id
            """,
            ids, team_id, kind, now,
        )  # fmt: skip


async def add_keys(pool: Pool, team_id: str, prefix: str, count: int, *, now: datetime) -> None:
    """Idempotency keys that were used at `now`."""
    await pool.execute(
        "INSERT INTO idempotency_key (team_id, endpoint, key, created_at) "
        "SELECT $1, 'e', $2::text || n, $3 FROM generate_series(1, $4::int) n",
        team_id, prefix, now, count,
    )  # fmt: skip


async def repeat_email(pool: Pool, count: int) -> None:
    """The only email so many times more, each with a cause of its own."""
    await pool.execute(
        """
        INSERT INTO email
        SELECT (jsonb_populate_record(email, jsonb_build_object(
                   'id', 'c' || lpad(number::text, 20, '0'), 'cause', 'again:' || number))).*
          FROM email, generate_series(1, $1::int) AS number
        """,
        count,
    )


# Jobs, which are PgQueuer's rows.


async def add_job(
    on: Pool | Connection, entrypoint: str, *, status: str = "queued", seconds: float = 0, payload: str = ""
) -> None:
    """A job that is due in so many seconds."""
    await on.execute(
        """
        INSERT INTO pgqueuer (priority, created, updated, heartbeat, execute_after, status, entrypoint,
                              payload)
        VALUES (0, now(), now(), now(), now() + make_interval(secs => $1), $2, $3, convert_to($4, 'UTF8'))
        """,
        seconds, status, entrypoint, payload,
    )  # fmt: skip


async def add_job_log(pool: Pool, *, now: datetime) -> None:
    """What PgQueuer notes of a job that was done."""
    await insert(
        pool, "pgqueuer_log", created=now, job_id=1, status="successful", priority=0, entrypoint="run_step"
    )


# As an older release writes.


OLDER_MESSAGE: LiteralString = """
    INSERT INTO email_message (id, team_id, content_revision_id, subject, preview_text, from_name, from_email,
                               reply_to_email, email_format, lmx, contact_fallbacks, event_fallbacks,
                               data_fallbacks, updated_at)
    VALUES ('m', 't', $1, $2, '', '', '', '', 'styled', '', '{}', '{}', '{}', now())
    ON CONFLICT (id) DO UPDATE SET content_revision_id = excluded.content_revision_id,
                                   subject = excluded.subject
"""
"""The message `m`: its revision and its subject."""

OLDER_EMAIL: LiteralString = """
    INSERT INTO email (id, team_id, cause, kind, message_id, to_email, event_properties, data_variables,
                       attachments, status, mime_id, created_at)
    VALUES ($1, 't', $1, 'marketing', 'm', '', '{}', '{}', '[]', $2, $1, now())
"""
"""An email of that message: its id and its status."""

OLDER_ATTACHMENT: LiteralString = """
    INSERT INTO email (id, team_id, cause, kind, message_id, to_email, event_properties, data_variables,
                       attachments, status, mime_id, created_at)
    VALUES ('cbefore', $1, 'before', 'transactional', $2, 'ada@elsewhere.org', '{}', '{}',
            '[{"filename": "a.txt", "contentType": "text/plain", "data": "QQ=="}]', 'queued', 'before@d', $3)
"""
"""An email with its attachment in the row, and no revision: the team, the message, the time."""

OLDER_WORKFLOW: LiteralString = """
    INSERT INTO workflow
    VALUES ('w', 't', NULL, '', 'Sending', '', '', NULL, '', '{}', '{}', '', NULL, now(), now())
"""
OLDER_RUN: LiteralString = """
    INSERT INTO run (id, team_id, workflow_id, contact_id, event_properties, once, status, node_id, held,
                     entered_at, created_at, updated_at)
    VALUES ($1, 't', 'w', 'c', '{}', false, $2, 'n', $3, now(), now(), now())
"""
"""A run of that workflow: its id, its status, and whether it is held."""

OLDER_CONTACT: LiteralString = """
    INSERT INTO contact (id, team_id, email, source, subscribed, user_group, properties,
                         mailing_lists, created_at, updated_at)
    VALUES ('c', 't', 'ada@example.com', 'API', true, '', '{}', '{}', now(), now())
"""
OLDER_TEAM: LiteralString = """
    INSERT INTO team (id, name, secret, sending_domain, created_at) VALUES ('t', 'T', '', 'd', now())
"""
OLDER_REVISION: LiteralString = "INSERT INTO alembic_version VALUES ($1)"
