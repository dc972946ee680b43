"""Rows of one team, for tests of pages: what happened is written down, not made to happen."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from loopwright.ids import new_id
from loopwright.server.keys import hash_key
from loopwright.server.store.database import Pool
from support.factories import add_fact, insert, know_pattern

ENGINE_HTML = """<!doctype html>
<html><head><title>{subject}</title></head>
<body style="margin:0;background:#f4f1ea;font-family:Helvetica,Arial,sans-serif;color:#222">
<div style="max-width:560px;margin:0 auto;padding:32px 24px">
<div style="background:#fff;border-radius:10px;padding:32px">
<h1 style="font-size:24px;margin:0 0 16px">{subject}</h1>
<p style="line-height:1.6">You joined on the <strong>pro</strong> plan, and your engine is warming up.
Have a look round; the first analysis usually takes less than a minute.</p>
<p><a href="https://example.com/start" style="display:inline-block;background:#0b6b53;color:#fff;
padding:12px 20px;border-radius:8px;text-decoration:none">Start your first analysis</a></p>
<script>document.title = "scripts ran"; parent.document.title = "scripts ran";</script>
</div>
<p style="font-size:12px;color:#777;text-align:center">Analytical Engines · 12 St James's Square, London ·
<a href="https://example.com/unsubscribe" style="color:#777">Unsubscribe</a></p>
</div></body></html>"""


def letter(subject: str, to: str, *, html: str = ENGINE_HTML) -> bytes:
    """An email with a text and an HTML part, as bytes that came over SMTP."""
    message = EmailMessage()
    message["From"] = "Analytical Engines <hello@mail.example.com>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<c1@mail.example.com>"
    message["List-Unsubscribe"] = "<http://127.0.0.1:5667/unsubscribe/c1>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(f"{subject}\n\nYou joined on the pro plan, and your engine is warming up.\n")
    message.add_alternative(html.replace("{subject}", subject), subtype="html")
    return message.as_bytes().replace(b"\n", b"\r\n")


class Rows:
    """Writes rows of one team. Each method answers with the new row's id; `at` defaults to now."""

    def __init__(self, pool: Pool, team_id: str) -> None:
        self.pool = pool
        self.team_id = team_id

    async def add(self, table: str, *, at: datetime | None = None, **columns: Any) -> str:
        row_id = new_id(at or datetime.now(UTC))
        values = {"id": row_id, "team_id": self.team_id, **columns}
        await insert(self.pool, table, **values)
        return row_id

    async def key(self, key: str) -> str:
        return await self.add(
            "api_key", name="Test key", key_hash=hash_key(key), created_at=datetime.now(UTC)
        )

    async def own_domain(self) -> None:
        await self.pool.execute(
            "UPDATE team SET sending_domain = 'mail.acme.org' WHERE id = $1", self.team_id
        )

    async def contact(self, email: str, *, at: datetime | None = None, **columns: Any) -> str:
        when = at or datetime.now(UTC)
        values = {
            "source": "API",
            "subscribed": True,
            "user_group": "",
            "properties": {},
            "mailing_lists": {},
            "created_at": when,
            "updated_at": when,
            **columns,
        }
        return await self.add("contact", at=at, email=email, **values)

    async def mailing_list(self, name: str, *, is_public: bool = True) -> str:
        return await self.add("mailing_list", name=name, is_public=is_public, created_at=datetime.now(UTC))

    async def property(self, key: str, type_: str) -> None:
        await insert(
            self.pool,
            "contact_property",
            team_id=self.team_id,
            key=key,
            type=type_,
            created_at=datetime.now(UTC),
        )

    async def event(
        self, name: str, contact_id: str, *, at: datetime | None = None, **properties: Any
    ) -> str:
        await know_pattern(self.pool, self.team_id, name)
        return await self.add(
            "event",
            at=at,
            name=name,
            contact_id=contact_id,
            properties=properties,
            received_at=at or datetime.now(UTC),
        )

    async def workflow(self, name: str, *, at: datetime | None = None, **columns: Any) -> str:
        now = at or datetime.now(UTC)
        values = {
            "revision_id": "c1",
            "status": "Sending",
            "name": name,
            "description": "",
            "root_node_id": "c1",
            "nodes": {},
            "trigger_type": "EventTrigger",
            "created_at": now,
            "updated_at": now,
            **columns,
        }
        return await self.add("workflow", **values)

    async def run(
        self,
        workflow_id: str,
        contact_id: str,
        *,
        event_id: str | None = None,
        status: str = "finished",
        reason: str = "",
        at: datetime | None = None,
        **columns: Any,
    ) -> str:
        when = at or datetime.now(UTC)
        values = {"node_id": "c1", **columns}
        return await self.add(
            "run",
            at=at,
            **values,
            workflow_id=workflow_id,
            contact_id=contact_id,
            event_id=event_id,
            event_properties={},
            once=False,
            status=status,
            reason=reason,
            entered_at=when,
            created_at=when,
            updated_at=when,
        )

    async def content(self, subject: str) -> str:
        return await self.add(
            "email_message",
            content_revision_id=new_id(datetime.now(UTC)),
            subject=subject,
            preview_text="",
            from_name="",
            from_email="hello",
            reply_to_email="",
            email_format="styled",
            lmx="",
            contact_fallbacks={},
            event_fallbacks={},
            data_fallbacks={},
            updated_at=datetime.now(UTC),
        )

    async def email(
        self,
        subject: str,
        to: str,
        contact_id: str | None,
        *,
        status: str = "sent",
        at: datetime | None = None,
        **columns: Any,
    ) -> str:
        """An email; a sent one has a copy in the inbox."""
        when = at or datetime.now(UTC)
        mime_id = new_id(when)
        values = {
            "cause": mime_id,
            "kind": "marketing",
            "event_properties": {},
            "data_variables": {},
            "attachments": [],
            "attempts": 1,
            "sent_at": when + timedelta(milliseconds=400) if status == "sent" else None,
            **columns,
        }
        if "message_id" not in values:
            values["message_id"] = await self.content(subject)
        email_id = await self.add(
            "email",
            at=at,
            contact_id=contact_id,
            to_email=to,
            status=status,
            subject=subject if status == "sent" else "",
            mime_id=mime_id,
            created_at=when,
            **values,
        )
        if status == "sent":
            await add_fact(self.pool, self.team_id, "email_sent", email_id=email_id, now=values["sent_at"])
            await self.received(subject, to, email_id=email_id, at=at)
        return email_id

    async def received(
        self,
        subject: str,
        to: str,
        *,
        raw: bytes | None = None,
        email_id: str | None = None,
        at: datetime | None = None,
    ) -> str:
        return await self.add(
            "inbox_message",
            at=at,
            email_id=email_id,
            from_email="hello@mail.example.com",
            to_email=to,
            subject=subject,
            raw=letter(subject, to) if raw is None else raw,
            received_at=at or datetime.now(UTC),
        )
