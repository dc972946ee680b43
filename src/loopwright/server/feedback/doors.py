"""The doors of a team: what each needs, the secret in its address, and how its credentials are kept."""

import re
from collections.abc import Mapping, Sequence
from secrets import token_urlsafe

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from msgspec import Struct

from loopwright.server.sealing import SealingKey
from loopwright.server.store.feedback_doors import DoorRow, Provider

from .providers import resend, sendgrid, ses
from .providers.proof import Credentials, from_base64

ADDRESS = "/feedback/{provider}/{secret}"
SECRET_BYTES = 24

NEEDS: Mapping[Provider, Sequence[str]] = {
    "ses": ("topics",),
    "postmark": ("username", "password"),
    "mailgun": ("key",),
    "sendgrid": ("key",),
    "resend": ("key",),
    "imap": ("host", "username", "password"),
}
"""What has to be given for a door of each."""


class Given(Struct, frozen=True, kw_only=True):
    """What a team says of a door. `key` is what the provider signs with, `topics` are those of SNS.

    Of a mailbox: its server, which is reached by TLS, and its folder.
    """

    key: str = ""
    username: str = ""
    password: str = ""
    topics: Sequence[str] = ()
    host: str = ""
    port: int = 993
    folder: str = "INBOX"

    @property
    def credentials(self) -> Credentials:
        """What its requests are proved by."""
        return Credentials(key=self.key, username=self.username, password=self.password, topics=self.topics)


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_read = msgspec.json.Decoder(Given).decode


def new_path_secret() -> str:
    """What makes the address of a door one that nobody guesses."""
    return token_urlsafe(SECRET_BYTES)


def seal_given(sealing: SealingKey, door_id: str, given: Given) -> bytes:
    """What was given, as it is stored."""
    return sealing.seal(msgspec.json.encode(given), _purpose(door_id))


def open_given(sealing: SealingKey, door: DoorRow) -> Given:
    """What was given. Raises `CannotUnseal`."""
    return _read(sealing.unseal(door.sealed_credentials, _purpose(door.id)))


def problem_of(provider: Provider, given: Given) -> str | None:
    """Why a door cannot be made of this; None when it can."""
    missing = [name for name in NEEDS[provider] if not getattr(given, name)]
    if missing:
        return f"{', '.join(missing)} is missing: a door of {provider} needs {' and '.join(NEEDS[provider])}"
    wrong = [topic for topic in given.topics if not ses.is_topic(topic)]
    if wrong:
        return f"topics: {wrong[0]} is no topic, such as arn:aws:sns:eu-west-1:123456789012:bounces"
    if provider == "resend" and not from_base64(given.key.removeprefix(resend.PREFIX)):
        return "key is none of Resend's, which begin with whsec_; copy it from the webhook's page there"
    if provider == "sendgrid":
        try:
            sendgrid.key(given.key)
        except (ValueError, UnsupportedAlgorithm):
            return "key is no verification key of SendGrid's; copy it from the event webhook's page there"
    for name in ("host", "username", "password", "folder"):
        if _CONTROL.search(getattr(given, name)):
            return f"{name} has a line end or another control character; leave it out"
    if not 0 < given.port < 65536:
        return "port must be from 1 to 65535"
    return None


def _purpose(door_id: str) -> str:
    return f"feedback door {door_id}"
