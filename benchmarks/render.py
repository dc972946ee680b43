"""What one email costs in CPU: preparing a revision once, then filling and composing for each recipient.

Run it with `python benchmarks/render.py`. `EmailMessage` of the standard library builds the same message
beside it, as a measure that is the same everywhere.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from time import perf_counter

from msgspec.structs import replace

from loopwright.server.mail.compose import Envelope, compose
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.render import Rendered, fill, prepare
from loopwright.server.mail.template import Values
from loopwright.server.store.messages import EMPTY

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LMX = """
<H1>Welcome, {contact.firstName}!</H1>
<Paragraph>You chose the <Strong>{event.plan}</Strong> plan. It renews on {event.renewsOn} for {event.price}.
Read <Link href="https://loopwright.dev/guide?for={contact.email}">the guide</Link> first.</Paragraph>
<Button href="https://app.loopwright.dev/{contact.userId}">Open your dashboard</Button>
<Divider/>
<H2>What comes next</H2>
<UnorderedList><ListItem>Invite your team</ListItem><ListItem>Send an event</ListItem></UnorderedList>
<Image src="https://loopwright.dev/picture.png" alt="A loop" width="400"/>
<Paragraph>Yours, Loopwright</Paragraph>
"""
MESSAGE = replace(
    EMPTY,
    subject="Welcome, {contact.firstName}",
    preview_text="Your {event.plan} plan is ready",
    from_name="Loopwright",
    from_email="hello",
    language_code="en",
    lmx=LMX,
)
FOOTER = Footer(company="Loopwright", address="1 Loop Lane\nLondon")
VALUES = Values(
    contact={"firstName": "Ada", "email": "ada@example.com", "userId": "u-1"},
    event={"plan": "Pro", "renewsOn": "2026-12-01T00:00:00.000Z", "price": 19.5},
    system={"unsubscribe_link": "https://mail.loopwright.dev/unsubscribe/token"},
)
ENVELOPE = Envelope(
    mime_id="c0@mail.loopwright.dev",
    from_email="hello@mail.loopwright.dev",
    to_email="ada@example.com",
    unsubscribe_link="https://mail.loopwright.dev/unsubscribe/token",
)


def standard(rendered: Rendered) -> bytes:
    """The same message by the standard library."""
    message = EmailMessage()
    message["From"] = f"{rendered.from_name} <{ENVELOPE.from_email}>"
    message["To"] = ENVELOPE.to_email
    message["Subject"] = rendered.subject
    message["Message-ID"] = f"<{ENVELOPE.mime_id}>"
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    return message.as_bytes()


def microseconds(action: Callable[[], object], *, times: int) -> float:
    """The shortest of five rounds, for one time each."""
    rounds = []
    for _ in range(5):
        began = perf_counter()
        for _ in range(times):
            action()
        rounds.append((perf_counter() - began) / times)
    return min(rounds) * 1e6


def main() -> None:
    """Print a line for each step."""
    prepared = prepare(MESSAGE, FOOTER)
    rendered = fill(prepared, VALUES)
    data = compose(rendered, ENVELOPE, [], now=NOW).data
    print(f"one message: {len(rendered.html)} characters of HTML, {len(data)} bytes in all")
    steps: dict[str, tuple[Callable[[], object], int]] = {
        "prepare, once for a revision": (lambda: prepare(MESSAGE, FOOTER), 50),
        "fill, for each recipient": (lambda: fill(prepared, VALUES), 2000),
        "compose, for each recipient": (lambda: compose(rendered, ENVELOPE, [], now=NOW), 2000),
        "the same by EmailMessage": (lambda: standard(rendered), 100),
    }
    for name, (action, times) in steps.items():
        print(f"{name:30} {microseconds(action, times=times):9.1f} µs")


if __name__ == "__main__":
    main()
