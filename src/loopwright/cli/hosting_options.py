"""Options of the commands that open a database, and what is read from them or refused."""

import re
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

import typer

from loopwright.server.keys import is_demo, read_fixed_key
from loopwright.server.networks import Network, read_networks
from loopwright.server.public_url import read_public_url
from loopwright.server.settings import DEFAULT_DATA_DIR, RateLimit, Retention

from .failure import CommandFailed
from .paths import folder_path

DataDir = Annotated[
    Path,
    typer.Option(
        envvar="LOOPWRIGHT_DATA_DIR",
        help="Folder of the embedded PostgreSQL.",
        parser=folder_path,
        metavar="PATH",
    ),
]
DataDirOfServer = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="LOOPWRIGHT_DATA_DIR",
        help="Folder of the embedded PostgreSQL, the one your server has.",
        parser=folder_path,
        metavar="PATH",
        show_default=str(DEFAULT_DATA_DIR),
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(envvar="LOOPWRIGHT_DATABASE_URL", help="A PostgreSQL of your own, instead of the embedded."),
]
SmtpUrl = Annotated[
    str | None,
    typer.Option(
        envvar="LOOPWRIGHT_SMTP_URL",
        help="Where email goes out, smtp://user:password@host:587. Without it, email stays in the inbox.",
    ),
]
SmtpConnections = Annotated[
    int,
    typer.Option(
        envvar="LOOPWRIGHT_SMTP_CONNECTIONS",
        min=1,
        max=1000,
        help="Connections to the SMTP server at a time, of each process.",
    ),
]
SmtpMessages = Annotated[
    int,
    typer.Option(
        "--smtp-messages-per-connection",
        envvar="LOOPWRIGHT_SMTP_MESSAGES_PER_CONNECTION",
        min=1,
        help="Emails that go over a connection before it is closed.",
    ),
]
SendRate = Annotated[
    float | None,
    typer.Option(
        envvar="LOOPWRIGHT_SEND_RATE", help="Emails a second at most, of each process; 0.5 is one in two."
    ),
]
EhloName = Annotated[
    str | None,
    typer.Option(
        envvar="LOOPWRIGHT_EHLO_NAME",
        help="What the SMTP server is told as our name, instead of the sending domain.",
    ),
]
GiveUpAfter = Annotated[
    str | None,
    typer.Option(
        envvar="LOOPWRIGHT_GIVE_UP_AFTER",
        help="How long an email is tried, such as 12h or 2d; else marketing for 3d and transactional for 1d.",
    ),
]
PublicUrl = Annotated[
    str | None,
    typer.Option(
        envvar="LOOPWRIGHT_PUBLIC_URL", help="What links in emails begin with, as the world sees it."
    ),
]
MediaUrl = Annotated[
    str | None,
    typer.Option(
        envvar="LOOPWRIGHT_MEDIA_URL",
        help="What addresses of images begin with, where a cache in front of the server has them.",
    ),
]
SealingKeyOption = Annotated[
    str | None,
    typer.Option(
        "--sealing-key",
        envvar="LOOPWRIGHT_SEALING_KEY",
        help="What seals DKIM keys in a database of your own: `loopwright sealing new` makes one. Or a file.",
    ),
]
EventRetention = Annotated[
    str,
    typer.Option(
        envvar="LOOPWRIGHT_EVENT_RETENTION",
        help="Days for which events are kept, at least; whole months go at once. Or 'forever'.",
    ),
]
EmailRetention = Annotated[
    str,
    typer.Option(
        envvar="LOOPWRIGHT_EMAIL_RETENTION",
        help="Days for which emails are kept, at least, with what became of them. Or 'forever'.",
    ),
]
RunRetention = Annotated[
    str,
    typer.Option(
        envvar="LOOPWRIGHT_RUN_RETENTION",
        help="Days for which workflow runs are kept after their end, at least. Or 'forever'.",
    ),
]
InboxRetention = Annotated[
    str,
    typer.Option(
        envvar="LOOPWRIGHT_INBOX_RETENTION",
        help="Days for which messages in the inbox are kept. Or 'forever'.",
    ),
]
LogFormat = Annotated[
    Literal["json", "text"] | None,
    typer.Option(
        envvar="LOOPWRIGHT_LOG_FORMAT", help="How the log on stderr looks; text on a terminal, else json."
    ),
]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    typer.Option(
        envvar="LOOPWRIGHT_LOG_LEVEL", help="From which level on to log; debug has a line a request."
    ),
]
WebhookNetworks = Annotated[
    str | None,
    typer.Option(
        envvar="LOOPWRIGHT_WEBHOOK_NETWORKS",
        help="Networks that are not public and that webhooks may go to all the same, by commas.",
    ),
]


def read_rate_limit(text: str) -> RateLimit:
    """A number above 0, 'loops' or 'off'."""
    if text == "loops":
        return "loops"
    if text == "off":
        return "off"
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise typer.BadParameter(
            f"--rate-limit {text} is not a rate; give a number above 0, 'loops' or 'off'"
        )
    return number


def read_retention(option: str, text: str) -> Retention:
    """A number of days, at least 1, or 'forever'."""
    if text == "forever":
        return "forever"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 36_500:
        raise typer.BadParameter(f"{option} {text} is not a number of days; give 1 to 36500, or 'forever'")
    return int(text)


def read_send_rate(rate: float | None) -> float | None:
    """A number above 0, if any."""
    if rate is not None and not 0 < rate < float("inf"):
        raise typer.BadParameter(f"--send-rate {rate} is no rate; give emails a second, more than 0")
    return rate


def read_ehlo_name(text: str | None) -> str | None:
    """A full domain name, as the DNS has it, or an address in brackets, if any: servers refuse others."""
    from loopwright.server.mail.addresses import ascii_domain, domain_mistake

    if text is None or _is_address_literal(text):
        return text
    if domain_mistake(text):
        raise typer.BadParameter(
            f"--ehlo-name {text} is no full domain name, such as mail.example.org, nor an address such as "
            "[192.0.2.7] or [IPv6:2001:db8::7]"
        )
    return ascii_domain(text)


def _is_address_literal(text: str) -> bool:
    """Whether it is an address as RFC 5321 has it in the place of a name."""
    found = re.fullmatch(r"\[(IPv6:)?(.+)\]", text)
    if found is None:
        return False
    try:
        return ip_address(found[2]).version == (6 if found[1] else 4)
    except ValueError:
        return False


def read_give_up_after(text: str | None) -> timedelta | None:
    """A number of seconds, minutes, hours or days, if any."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6})([smhd])", text, re.ASCII)
    seconds = int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]] if found else 0
    if not 0 < seconds <= 366 * 86400:
        raise typer.BadParameter(f"--give-up-after {text} is no time; give one such as 90m, 12h or 3d")
    return timedelta(seconds=seconds)


def read_url(text: str | None, option: str = "--public-url") -> str | None:
    """What addresses begin with, when it is given."""
    if text is None:
        return None
    try:
        return read_public_url(text)
    except ValueError as mistake:
        raise typer.BadParameter(f"{option} {mistake}") from None


def read_api_key(text: str | None) -> str | None:
    """The key that is fixed, if any. One of demonstrations is taken, and told about."""
    if text is None:
        return None
    try:
        key = read_fixed_key(text)
    except ValueError as mistake:
        raise typer.BadParameter(f"--api-key: {mistake}") from None
    if is_demo(key):
        typer.echo(
            "The API key is one for demonstrations, which others know; use it on your machine only.", err=True
        )
    return key


def read_webhook_networks(text: str | None) -> tuple[Network, ...]:
    """The networks that an option names."""
    try:
        return read_networks(text or "")
    except ValueError as mistake:
        raise typer.BadParameter(f"--webhook-networks: {mistake}") from None


def read_proxies(text: str | None) -> tuple[Network, ...]:
    """The proxies that are believed."""
    try:
        return read_networks(text or "")
    except ValueError as mistake:
        raise typer.BadParameter(f"--trusted-proxies: {mistake}") from None


def check_smtp_url(url: str | None) -> None:
    """See that the URL can be read, before anything starts. The refusal never shows what is in it."""
    if url is None:
        return
    from loopwright.server.mail.smtp_url import read_url

    try:
        read_url(url)
    except ValueError as problem:
        raise CommandFailed(f"--smtp-url: {problem}") from None
