"""One person: all that is held is handed out, and a deletion clears all of it but what has to stay."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from loopwright.server.clock import SystemClock
from loopwright.server.definitions.database import save
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.parse import parse
from loopwright.server.http import people
from loopwright.server.runtime import forgetting
from loopwright.server.runtime.forgetting import Forgetting
from loopwright.server.sealing import SealingKey
from loopwright.server.store.database import Pool
from loopwright.server.store.emails import NewEmail, queue_emails
from loopwright.server.store.feedback import EmailReport, tell_reports
from loopwright.server.store.jobs import ForgetContact
from loopwright.server.store.suppressions import lift, suppress
from loopwright.server.store.teams import TeamRow
from loopwright.server.store.webhooks import disable_endpoint
from support.examples import WELCOME
from support.factories import add_endpoint, add_events
from support.live import LiveServer
from support.refusals import refused
from support.workflows import add_message

MARK = "zq7person"
EMAIL = f"{MARK}@example.com"
NOW = datetime(2026, 3, 4, tzinfo=UTC)
PATIENCE_SECONDS = 40

CLEARED = {
    "contact": {
        *("email", "user_id", "first_name", "last_name", "source", "user_group", "notes", "properties"),
        *("id", "mailing_lists", "subscribed", "opt_in_status", "created_at", "updated_at"),
    },
    "event": {"id", "contact_id", "name", "properties", "received_at", "kept_out"},
    "run": {
        *("id", "workflow_id", "contact_id", "event_id", "event_name", "event_properties", "once", "status"),
        *("single", "way", "held_from"),
        *("reason", "node_id", "held", "entered_at", "created_at", "updated_at", "due_at", "failures"),
    },
    "email": {
        *("contact_id", "run_id", "to_email", "event_properties", "data_variables", "attachments", "reason"),
        "preview",
        "subject",
    },
    "campaign_recipient": {"campaign_id", "contact_id", "wave"},
    "email_attachment": {"email_id", "place", "filename", "content_type", "data"},
    "fact": {"id", "kind", "contact_id", "email_id", "detail", "happened_at"},
    "inbox_message": {
        *("id", "email_id", "from_email", "to_email", "subject", "raw", "received_at", "text", "html"),
        "taken_apart",
    },
    "suppression_removal": {"email"},
    "email_link": {"contact_id", "event_properties"},
    "webhook_delivery": {
        *("endpoint_id", "id", "sequence", "event_name", "contact_id", "payload", "status", "attempts"),
        *("due_at", "created_at", "ended_at"),
    },
    "webhook_attempt": {
        *("id", "endpoint_id", "delivery_id", "attempted_at", "milliseconds", "status_code", "error"),
        "reply",
    },
    "email_hit": {
        *("id", "email_id", "link", "verdict", "reason", "delay", "visitor", "agent", "happened_at"),
    },
    "email_visit": {"email_id", "link", "hits", "human", "machine", "unsure"},
    "run_entry": {"workflow_id", "contact_id", "noted_at"},
}
"""What goes with a contact: whole rows, or, of emails and lifted suppressions, what is personal in them."""

KEPT = {
    "suppression": {
        "email": "who bounced or complained is not written to again, whoever adds the address",
        "reason": "goes with it",
        "created_at": "goes with it",
    },
    "suppression_removal": {"removed_at": "counts for the quota, without an address; 30 days"},
    "email": {
        "id": "links in the email lead here; it names nobody",
        "mime_id": "made of the id",
        "cause": "a run that is gone; or an address behind the team's secret, not to be asked again soon",
        "kind": "counts",
        "message_id": "which text went out, the same for everybody",
        "revision_id": "which wording of it, the same for everybody",
        "workflow_id": "counts",
        "mailing_list_id": "links in the email are signed with it",
        "transactional_id": "counts",
        "campaign_id": "counts",
        "status": "counts",
        "attempts": "counts",
        "again": "counts",
        "trying_since": "counts",
        "created_at": "counts",
        "sent_at": "counts",
    },
    "email_link": {
        "email_id": "links in an email that was removed lead here; it names nobody",
        "mailing_list_id": "links in the email are signed with it",
        "revision_id": "which wording went out, the same for everybody",
        "owner_id": "counts",
    },
    "email_outcome": {"email_id": "names nobody", "kind": "was counted, and is not counted again"},
    "email_unsent": {
        "campaign_id": "what was sent to many",
        "email_id": "names nobody",
        "status": "is counted",
        "reason": "is counted: one of the server's own sentences",
    },
    "idempotency_key": {
        "endpoint": "which request came; 24 hours",
        "key": "the caller's own name for a request, which is not to hold addresses; 24 hours",
        "created_at": "24 hours",
    },
    "email_report": {"email_id": "names nobody", "kind": "was told, and is not told again"},
    "soft_bouncing": {
        "email": "marketing to an address that it was stopped for is not taken up, whoever adds the address",
        "email_ids": "names nobody",
        "first_at": "goes with it",
        "last_at": "goes with it",
        "stopped_at": "goes with it",
    },
    "feedback_unknown": {
        "id": "names nobody",
        "door": "where it came",
        "reason": "one of the server's own sentences",
        "raw": "mail that nobody understood, so whose it is nobody knows; 30 days",
        "received_at": "30 days",
    },
    "pgqueuer": {
        "payload": "ids of rows that are gone; of a deleted contact the address, until the job is done",
    },
    "pgqueuer_log": {"traceback": "where a job failed; a day"},
}
"""What stays, and why."""

# What a team has made or chosen, and what the machinery needs: it is about nobody.
IMPERSONAL = {
    "alembic_version": {"version_num"},
    "api_key": {"id", "name", "key_hash", "created_at", "is_fixed"},
    "contact_property": {"key", "type", "created_at"},
    "campaign": {
        *("id", "name", "status", "stopped", "message_id", "group_id", "mailing_list_id", "segment_id"),
        *("filter", "planned_at", "starts_at", "revision_id", "started_at", "noted_to", "noted_at"),
        *("recipients", "queued_to", "queued_at", "ended_at", "created_at", "updated_at", "unconfirmed"),
        *("wave", "retry_status", "retry_to"),
    },
    "segment": {"id", "name", "description", "filter", "created_at", "updated_at"},
    "brake": {"owner_id", "kind", "state", "reason", "since", "armed_at"},
    "tally": {"what", "since", "part", "count"},
    "warm_up": {"per_day", "per_hour", "growth", "until", "cap", "day"},
    "brake_counter": {"owner_id", "since", "part", "sends", "complaints", "hard_bounces"},
    "feedback_door": {
        *("id", "provider", "path_hash", "sealed_credentials", "tells_delivered", "last_at", "last_problem"),
        *("place", "place_of", "created_at", "leased_until"),
    },
    "dashboard_session": {"token_hash", "key_id", "expires_at"},
    "email_message": {
        *(
            "id",
            "content_revision_id",
            "subject",
            "preview_text",
            "from_name",
            "from_email",
            "reply_to_email",
        ),
        *("cc_email", "bcc_email", "language_code", "email_format", "lmx", "contact_fallbacks"),
        *("event_fallbacks", "data_fallbacks", "updated_at"),
    },
    "email_revision": {
        *(
            "id",
            "message_id",
            "subject",
            "preview_text",
            "from_name",
            "from_email",
            "reply_to_email",
        ),
        *("cc_email", "bcc_email", "language_code", "email_format", "lmx", "contact_fallbacks"),
        *("event_fallbacks", "data_fallbacks", "created_at"),
    },
    "definition_revision": {"place", "revision_id"},
    "visit_count": {"owner_id", "revision_id", "link", "hour", "part", "human", "machine", "unsure"},
    "email_counter": {
        *("owner_id", "part", "sends", "deliveries", "opens", "clicks", "unsubscribes", "spam_reports"),
        *("hard_bounces", "soft_bounces", "relayed"),
    },
    "campaign_unsent_count": {"campaign_id", "status", "reason", "part", "emails"},
    "component": {"id", "name", "lmx", "slug", "written", "created_at", "updated_at"},
    "content_group": {"id", "kind", "name", "description", "created_at", "updated_at"},
    "image": {"digest", "content_type", "data", "created_at"},
    "rendition": {"revision_id", "rendition_id"},
    "theme": {"id", "name", "styles", "is_default", "slug", "written", "created_at", "updated_at"},
    "upload": {"id", "content_type", "size", "data", "digest", "created_at", "completed_at"},
    "email_queue": {"email_id", "lane", "due_at", "token", "leased_until", "paused_workflow_id", "admitted"},
    "event_pattern": {"id", "name", "properties", "platform", "created_at"},
    "form": {"id", "name", "mailing_lists", "created_at"},
    "mailing_list": {"id", "slug", "name", "description", "is_public", "created_at"},
    "pgqueuer": {
        *("id", "priority", "queue_manager_id", "created", "updated", "heartbeat", "execute_after", "status"),
        *("entrypoint", "dedupe_key", "headers", "attempts", "slot"),
    },
    "pgqueuer_log": {"id", "created", "job_id", "status", "priority", "entrypoint", "aggregated"},
    "pgqueuer_schedules": {
        *(
            "id",
            "expression",
            "entrypoint",
            "heartbeat",
            "created",
            "updated",
            "next_run",
            "last_run",
            "status",
        ),
    },
    "pgqueuer_statistics": {"id", "created", "count", "priority", "status", "entrypoint"},
    "relay_status": {"process", "host", "condition", "reason", "since", "seen_at", "public_url"},
    "sealing": {"is_only", "check_value", "created_at"},
    "test_clock": {"is_only", "ahead"},
    "sending_domain": {"name", "bounce_domain", "created_at"},
    "signing_key": {
        *("id", "domain", "selector", "algorithm", "sealed_key", "record", "created_at"),
        *("active_since", "retired_at"),
    },
    "team": {
        *("id", "name", "secret", "sending_domain", "company", "address", "double_opt_in", "opt_in_id"),
        *("blocklist", "copies", "attachments", "tracking", "hash_visitors", "time_zone", "created_at"),
        *("provider_delivers", "revision"),
    },
    "team_notice": {"to_email"},
    "transactional_email": {
        *("id", "slug", "name", "draft_message_id", "published_message_id", "data_variables"),
        *("required_variables", "group_id", "created_at", "updated_at", "published_at"),
    },
    "workflow": {
        *("id", "slug", "revision_id", "status", "name", "description", "mailing_list_id", "root_node_id"),
        *("nodes", "removed_nodes", "trigger_type", "trigger_event", "created_at", "updated_at"),
        *("group_id", "file_revision_id", "paused_at"),
    },
    "webhook_endpoint": {
        *("id", "url", "description", "events", "sealed_secret", "former_secret", "former_until"),
        *("disabled_at", "disabled_reason", "failing_since", "token", "leased_until", "created_at"),
        *("noticed", "ordered", "updated_at"),
    },
    "write_probe": {"written_at", "filler"},
}

COLUMNS = """
    SELECT relname AS table, attname AS name, atttypid::regtype::text AS type
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
       AND attnum > 0 AND NOT attisdropped
"""


async def test_every_column_is_on_a_list(pool: Pool) -> None:
    """Whoever adds a column says whether it is personal, and has it cleared, or says why it stays."""
    found: dict[str, set[str]] = {}
    for row in await pool.fetch(COLUMNS):
        if row["name"] != "team_id":
            found.setdefault(row["table"], set()).add(row["name"])
    listed: dict[str, set[str]] = {}
    for columns in (CLEARED, KEPT, IMPERSONAL):
        for table, names in columns.items():
            assert not listed.setdefault(table, set()) & set(names), f"{table} has a column on two lists"
            listed[table] |= set(names)
    assert found == listed


async def places(pool: Pool, text: str) -> set[tuple[str, str]]:
    """Every table and column of the database that holds the text somewhere."""
    found = set[tuple[str, str]]()
    for row in await pool.fetch(COLUMNS):
        table, name = row["table"], row["name"]
        value = f"encode({name}, 'escape')" if row["type"] == "bytea" else f"{name}::text"
        if await pool.fetchval(f"SELECT EXISTS (SELECT FROM {table} WHERE {value} ILIKE $1)", f"%{text}%"):
            found.add((table, name))
    return found


@pytest.fixture
async def http(live_server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    """A plain client with the server's key."""
    async with live_server.client() as http:
        yield http


async def live_a_life(
    http: httpx2.AsyncClient, live_server: LiveServer, database_url: str, mark: str
) -> None:
    """Have a person leave traces wherever there is room for some."""
    email, pool = f"{mark}@example.com", live_server.pool
    team = await pool.fetchval("SELECT id FROM team")
    endpoint = await add_endpoint(pool, team, "https://hooks.test", sealing=SealingKey(bytes(32)))
    async with pool.acquire() as tx:
        await disable_endpoint(tx, team, endpoint.id, "", now=NOW)
    await save(parse(read_folder(WELCOME)), Path(), database_url, None, SystemClock())
    await http.post("/api/v1/contacts/properties", json={"name": "nickname", "type": "string"})
    receipt = await pool.fetchval("SELECT id FROM transactional_email WHERE slug = 'receipt'")
    transactional = {
        "transactionalId": receipt,
        "email": email,
        "dataVariables": {"number": mark, "amount": mark, "plan": mark, "note": mark},
        "attachments": [{"filename": f"{mark}.txt", "contentType": "text/plain", "data": b64(mark)}],
    }
    # Before the address was a contact's.
    answer = await http.post("/api/v1/transactional", json=transactional)
    assert answer.status_code == 200, answer.text
    contact = {
        "email": email,
        "userId": f"{mark}-id",
        "firstName": mark,
        "lastName": mark,
        "source": mark,
        "userGroup": mark,
        "nickname": mark,
    }
    answer = await http.post("/api/v1/contacts/create", json=contact)
    assert answer.status_code == 200, answer.text
    await pool.execute("UPDATE contact SET notes = $1 WHERE email = $2", mark, email)
    event = {"eventName": "signup", "email": email, "eventProperties": {"planName": mark}}
    assert (await http.post("/api/v1/events/send", json=event)).status_code == 200
    assert (await http.post("/api/v1/transactional", json=transactional)).status_code == 200
    # Nothing is sent to whoever is suppressed.
    await until(pool, "SELECT count(*) = 3 FROM inbox_message WHERE to_email = $1", email)
    async with pool.acquire() as tx:
        await suppress(tx, team, email, reason="complaint", now=NOW)
        await lift(tx, team, email, now=datetime.now(UTC))
        await suppress(tx, team, email, reason="hard_bounce", now=NOW)
        [bounced] = await tx.fetch("SELECT id, contact_id FROM email WHERE to_email = $1 LIMIT 1", email)
        report = EmailReport(
            team_id=team,
            email_id=bounced["id"],
            contact_id=bounced["contact_id"],
            fact="email_soft_bounced",
            address=email,
            reply=f"452 4.2.2 {mark}: mailbox full",
            code="4.2.2",
        )
        await tell_reports(tx, [report], now=datetime.now(UTC))
        await tx.execute("UPDATE email SET reason = $1 WHERE to_email = $2", mark, email)
        await tx.execute("UPDATE run SET reason = $1 WHERE event_properties ->> 'planName' = $1", mark)


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


async def until(pool: Pool, statement: str, *given: object) -> None:
    """Wait until a statement says true."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await pool.fetchval(statement, *given):
            await asyncio.sleep(0.05)


async def test_a_whole_life(http: httpx2.AsyncClient, live_server: LiveServer, database_url: str) -> None:
    """All about one person is in the export; a deletion clears it; another person keeps all of theirs."""
    await live_a_life(http, live_server, database_url, MARK)
    await live_a_life(http, live_server, database_url, "zq8other")
    pool = live_server.pool
    contact_id = await pool.fetchval("SELECT id FROM contact WHERE email = $1", EMAIL)
    before, others = await places(pool, MARK), await places(pool, "zq8other")
    expected = {
        *(("contact", name) for name in ("email", "user_id", "first_name", "last_name", "source")),
        *(("contact", name) for name in ("user_group", "notes", "properties")),
        *(("email", name) for name in ("to_email", "event_properties", "data_variables")),
        *(("email", name) for name in ("subject", "reason")),
        *(("inbox_message", name) for name in ("to_email", "subject", "raw", "text", "html")),
        *(("run", name) for name in ("event_properties", "reason")),
        *(
            ("email_attachment", "filename"),
            ("event", "properties"),
            ("fact", "detail"),
            ("webhook_delivery", "payload"),
            ("suppression", "email"),
            ("suppression_removal", "email"),
            ("soft_bouncing", "email"),
        ),
    }
    assert before == expected

    answer = await http.get("/loopwright/v1/contacts/data", params={"email": EMAIL})
    assert answer.headers["content-type"] == "application/json"
    held = answer.json()
    assert "zq8other" not in answer.text
    counts = {key: len(rows) for key, rows in held.items()}
    assert (counts.pop("emails"), counts.pop("inbox")) == (3, 3)
    assert counts.pop("facts") == len({one["kind"] for one in held["facts"]})
    told = {one["payload"]["eventName"] for one in held["webhooks"]}
    assert told >= {"contact.created", "loop.email.sent", "transactional.email.sent"}
    assert counts.pop("webhooks") >= len(told)
    emails = [one["payload"]["email"] for one in held["webhooks"] if "email" in one["payload"]]
    assert {email["id"] for email in emails} <= {one["id"] for one in held["emails"]}
    assert all(email["subject"] for email in emails)
    assert counts == dict.fromkeys(
        ("contact", "suppression", "suppressionRemovals", "softBounces", "events", "runs"), 1
    )
    [contact], [event], [run] = held["contact"], held["events"], held["runs"]
    assert [contact[key] for key in ("userId", "firstName", "lastName", "source", "userGroup", "notes")] == [
        f"{MARK}-id",
        *[MARK] * 5,
    ]
    assert contact["properties"] == {"nickname": MARK}
    assert event["properties"] == run["eventProperties"] == {"planName": MARK}
    sent = [one for one in held["emails"] if one["kind"] == "transactional"]
    assert [one["attachments"][0]["data"] for one in sent] == [b64(MARK)] * 2
    assert all(MARK.encode() in b64decode(one["raw"]) for one in held["inbox"])
    by_user_id = await http.get("/loopwright/v1/contacts/data", params={"userId": f"{MARK}-id"})
    assert by_user_id.json() == held

    assert (await http.post("/api/v1/contacts/delete", json={"email": EMAIL})).status_code == 200
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (left := await places(pool, MARK)) != {("suppression", "email")}:
            assert left <= before | {("pgqueuer", "payload")}
            await asyncio.sleep(0.05)
    assert await places(pool, contact_id) <= {("pgqueuer", "payload")}
    assert await places(pool, "zq8other") == others
    assert await pool.fetchval("SELECT count(*) FROM email WHERE to_email = ''") == 3
    held = (await http.get("/loopwright/v1/contacts/data", params={"email": EMAIL})).json()
    assert {key for key, rows in held.items() if rows} == {"suppression"}


async def test_links_in_emails_of_the_forgotten(
    http: httpx2.AsyncClient, live_server: LiveServer, database_url: str
) -> None:
    """Whoever follows one later is told where things stand, and can leave as the mail program asks."""
    await live_a_life(http, live_server, database_url, MARK)
    message = await live_server.pool.fetchval(
        "SELECT raw FROM inbox_message JOIN email ON email.id = email_id WHERE kind = 'marketing'"
    )
    link = message.decode().partition("List-Unsubscribe: <")[2].partition(">")[0]
    link = link.replace("\r\n", "").replace(" ", "")
    assert EMAIL in (await http.get(link)).text
    await http.post("/api/v1/contacts/delete", json={"email": EMAIL})
    await until(live_server.pool, "SELECT count(*) = 0 FROM email WHERE to_email = $1", EMAIL)
    page = await http.get(link)
    assert page.status_code == 200
    assert "This address</strong> is no longer in the audience" in page.text
    assert (await http.post(link, data={"List-Unsubscribe": "One-Click"})).status_code == 200


@pytest.mark.parametrize("given", [{"email": "nobody@example.com"}, {"userId": "nobody"}])
async def test_nothing_is_held(http: httpx2.AsyncClient, given: dict[str, str]) -> None:
    """There is nothing to hand out."""
    answer = await http.get("/loopwright/v1/contacts/data", params=given)
    refused(answer, 404, "Nothing is held about this person.")


async def test_who_is_meant(http: httpx2.AsyncClient) -> None:
    """One identifier, as for every other look-up."""
    assert (await http.get("/loopwright/v1/contacts/data")).status_code == 400


async def test_other_teams_people_stay_theirs(http: httpx2.AsyncClient, stranger: dict[str, str]) -> None:
    """The key decides whose data it is."""
    await http.post("/api/v1/contacts/create", json={"email": EMAIL})
    answer = await http.get("/loopwright/v1/contacts/data", params={"email": EMAIL}, headers=stranger)
    assert answer.status_code == 404


@pytest.mark.parametrize("count", [0, 1, 2, 5])
async def test_pages(http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """A long history comes in pieces, and is one JSON object all the same."""
    monkeypatch.setattr(people, "PAGE", 2)
    await http.post("/api/v1/contacts/create", json={"email": EMAIL})
    for number in range(count):
        body = {"eventName": f"e{number}", "email": EMAIL}
        assert (await http.post("/api/v1/events/send", json=body)).status_code == 200
    held = json.loads((await http.get("/loopwright/v1/contacts/data", params={"email": EMAIL})).text)
    assert [event["name"] for event in held["events"]] == [f"e{number}" for number in range(count)]


async def test_long_histories_go_in_steps(pool: Pool, team: TeamRow, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction is long, and nobody else's rows are touched."""
    monkeypatch.setattr(forgetting, "AT_ONCE", 100)
    for contact_id in ("ca", "cb"):
        await add_events(pool, team.id, contact_id, 250, prefix=contact_id)
    await Forgetting(pool).forget(_job(team, "ca"))
    rows = await pool.fetch("SELECT contact_id, count(*) FROM event GROUP BY 1")
    assert [tuple(row) for row in rows] == [("cb", 250)]


async def test_what_was_promised_is_sent_first(pool: Pool, team: TeamRow, message_id: str) -> None:
    """A transactional email that waits is left alone, and cleared after it has gone out."""
    await queue(pool, team, message_id, contact_id="ca", at=NOW)
    await queue(pool, team, message_id, contact_id=None, at=NOW)
    after_deletion = NOW + timedelta(hours=1)
    await Forgetting(pool).forget(_job(team, "ca", after_deletion))
    assert (
        await pool.fetchval("SELECT count(*) FROM email WHERE to_email = $1 AND status = 'queued'", EMAIL)
        == 2
    )
    again = await waiting_jobs(pool)
    assert [job["contact_id"] for job in again] == ["ca"]
    assert MARK not in str(again), "the address waits nowhere"
    await pool.execute("UPDATE email SET status = 'sent'")
    await Forgetting(pool).forget(_job(team, "ca", after_deletion, email="", again=False))
    assert await places(pool, MARK) == set()


async def test_a_new_owner_of_the_address(pool: Pool, team: TeamRow, message_id: str) -> None:
    """What came after the deletion is somebody else's, also when the job comes late."""
    await queue(pool, team, message_id, contact_id="cb", at=NOW + timedelta(minutes=1))
    await queue(pool, team, message_id, contact_id=None, at=NOW + timedelta(minutes=1))
    await pool.execute("UPDATE email SET status = 'sent'")
    await Forgetting(pool).forget(_job(team, "ca", NOW))
    assert await pool.fetchval("SELECT count(*) FROM email WHERE to_email = $1", EMAIL) == 2


async def test_it_looks_once_more(pool: Pool, team: TeamRow) -> None:
    """What was under way while the contact was deleted comes to light a little later."""
    await Forgetting(pool).forget(_job(team, "ca"))
    [again] = await waiting_jobs(pool)
    assert (again["again"], again["email"]) == (False, "")
    await pool.execute("DELETE FROM pgqueuer")
    await Forgetting(pool).forget(_job(team, "ca", email="", again=False))
    assert await waiting_jobs(pool) == []


@pytest.fixture
async def message_id(pool: Pool, team: TeamRow) -> str:
    """The content of some email."""
    return await add_message(pool, team.id)


async def queue(pool: Pool, team: TeamRow, message_id: str, *, contact_id: str | None, at: datetime) -> None:
    async with pool.acquire() as tx:
        email = NewEmail(
            team_id=team.id,
            cause=f"{contact_id}-{at}",
            kind="transactional",
            message_id=message_id,
            contact_id=contact_id,
            to_email=EMAIL,
            data_variables={"name": MARK},
        )
        await queue_emails(tx, [email], now=at)
        await tx.execute("DELETE FROM pgqueuer")


def _job(team: TeamRow, contact_id: str, at: datetime = NOW, **changed: Any) -> ForgetContact:
    given = {"team_id": team.id, "contact_id": contact_id, "email": EMAIL, "deleted_at": at, **changed}
    return ForgetContact(**given)


async def waiting_jobs(pool: Pool) -> list[dict[str, Any]]:
    """What the queue holds, none of it due yet."""
    rows = await pool.fetch("SELECT payload FROM pgqueuer WHERE execute_after > now() + interval '1 minute'")
    return [json.loads(row["payload"]) for row in rows]
