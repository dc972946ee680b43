"""Emails to a team about its own affairs, where it has said that it wants them."""

from datetime import datetime

from msgspec.structs import replace

from loopwright.server.store.database import Connection
from loopwright.server.store.emails import NewEmail, queue_emails
from loopwright.server.store.messages import EMPTY
from loopwright.server.store.notices import load_address

from .save import write_content

# What is told are values: whatever names people have given to things, nothing of it is markup.
CONTENT = replace(
    EMPTY, subject="{data.subject}", from_email="hello", lmx="<Paragraph>{data.text}</Paragraph>"
)


async def notify_team(
    tx: Connection, team_id: str, *, cause: str, subject: str, text: str, now: datetime
) -> None:
    """Queue an email to the team's address for notices, if it has one; one cause has one email."""
    address = await load_address(tx, team_id)
    if address is None:
        return
    message = await write_content(tx, team_id, None, CONTENT, now=now)
    email = NewEmail(
        team_id=team_id,
        cause=f"notice:{cause}",
        kind="transactional",
        message_id=message.message_id,
        revision_id=message.id,
        contact_id=None,
        to_email=address,
        data_variables={"subject": subject, "text": text},
    )
    await queue_emails(tx, [email], now=now)
