"""The links that marketing email carries: signed, so that only who got the email can follow them."""

import hmac
import re
from base64 import b32encode, urlsafe_b64encode
from functools import lru_cache

from msgspec import Struct

_TOKEN = re.compile(r"([a-z0-9]+)\.([a-z0-9]+)\.([A-Za-z0-9_\-]+)")


_HIT = re.compile(
    r"([a-z0-9]+)\.([a-z0-9]+)\.(0|[1-9]\d{0,3})(?:-(0|[1-9]\d{0,4}))?\.([A-Za-z0-9_\-]{16})", re.ASCII
)
_SIGNED_BYTES = 12  # 96 bits; a whole number of base64's characters, so that none has bits to spare


class Ticket(Struct, frozen=True):
    """What a token says before anybody has verified it."""

    team_id: str
    email_id: str
    signature: str


class Tracking(Struct, frozen=True):
    """Makes the tracked addresses of one email. `public_url` has no slash at its end."""

    public_url: str
    secret: bytes
    team_id: str
    email_id: str

    def click(self, place: str) -> str:
        """What stands for the link at that place."""
        return f"{self.public_url}/c/{self._token(place)}"

    @property
    def open_pixel(self) -> str:
        """The picture that tells of opens."""
        return f"{self.public_url}/o/{self._token(PICTURE)}"

    @property
    def hidden_link(self) -> str:
        """The link that nobody sees."""
        return self.click(HIDDEN)

    def _token(self, place: str) -> str:
        signature = _hit_signature(self.secret, self.team_id, self.email_id, place)
        return f"{self.team_id}.{self.email_id}.{place}.{signature}"


PICTURE = "0"
"""The place of the picture among the links, which count from 1."""
HIDDEN = "9999"
"""The place of a link that nobody sees: no email has so many."""


class HitTicket(Struct, frozen=True):
    """What the token of a tracked link or picture says before anybody has verified it.

    `link` is the link's number, 0 for the picture; `turn` the item's, in what is repeated.
    """

    team_id: str
    email_id: str
    link: int
    turn: int | None
    signature: str

    def is_genuine(self, secret: bytes) -> bool:
        """Whether the team of that secret signed it."""
        place = str(self.link) if self.turn is None else f"{self.link}-{self.turn}"
        expected = _hit_signature(secret, self.team_id, self.email_id, place)
        return hmac.compare_digest(expected.encode(), self.signature.encode())


def read_hit_token(token: str) -> HitTicket | None:
    """Take the token of a tracked link or picture apart; `None` when it has not the shape of one."""
    found = _HIT.fullmatch(token)
    if found is None:
        return None
    team_id, email_id, link, turn, signature = found.groups()
    return HitTicket(team_id, email_id, int(link), None if turn is None else int(turn), signature)


def unsubscribe_url(
    public_url: str, secret: bytes, *, team_id: str, email_id: str, mailing_list_id: str | None
) -> str:
    """Where the email's unsubscribe link leads. `public_url` has no slash at its end."""
    signature = _signature(secret, team_id, email_id, mailing_list_id)
    return f"{public_url}/unsubscribe/{team_id}.{email_id}.{signature}"


def opt_in_url(public_url: str, secret: bytes, *, team_id: str, contact_id: str) -> str:
    """Where a contact says whether they want the team's email. `public_url` has no slash at its end."""
    return f"{public_url}/opt-in/{team_id}.{contact_id}.{_signed(secret, 'opt-in', team_id, contact_id)}"


def is_genuine_opt_in(secret: bytes, *, team_id: str, contact_id: str, signature: str) -> bool:
    """Whether the team of that secret signed an opt-in link for the contact."""
    expected = _signed(secret, "opt-in", team_id, contact_id)
    return hmac.compare_digest(expected.encode(), signature.encode())


def icons_root(public_url: str) -> str:
    """Where the images of icons are; without a slash at its end, as `public_url`."""
    return f"{public_url}/icons"


def bounce_address(domain: str, secret: bytes, *, team_id: str, email_id: str) -> str:
    """Where the email comes back to when it cannot be delivered; letters' case may get lost on the way."""
    return f"bounces+{bounce_token(secret, team_id=team_id, email_id=email_id)}@{domain}"


def bounce_token(secret: bytes, *, team_id: str, email_id: str) -> str:
    """What names the email in the address it comes back to."""
    digest = _digest(secret, "bounce", team_id, email_id)
    return f"{email_id}-{b32encode(digest[:10]).decode().lower()}"


def is_genuine_bounce(token: str, secret: bytes, *, team_id: str) -> bool:
    """Whether the team of that secret made the token of an address that email comes back to."""
    expected = bounce_token(secret, team_id=team_id, email_id=token.partition("-")[0])
    return hmac.compare_digest(expected.encode(), token.lower().encode())


def read_token(token: str) -> Ticket | None:
    """Take a token apart; `None` when it has not the shape of one."""
    found = _TOKEN.fullmatch(token)
    return Ticket(*found.groups()) if found else None


def is_genuine(ticket: Ticket, secret: bytes, *, mailing_list_id: str | None) -> bool:
    """Whether the team of that secret signed the ticket, for the email and the list it was sent to."""
    expected = _signature(secret, ticket.team_id, ticket.email_id, mailing_list_id)
    return hmac.compare_digest(expected.encode(), ticket.signature.encode())


def _signature(secret: bytes, team_id: str, email_id: str, mailing_list_id: str | None) -> str:
    return _signed(secret, "unsubscribe", team_id, email_id, mailing_list_id or "")


def _hit_signature(secret: bytes, team_id: str, email_id: str, place: str) -> str:
    digest = _digest(secret, "track", team_id, email_id, place)
    return urlsafe_b64encode(digest[:_SIGNED_BYTES]).decode()


def _signed(secret: bytes, *said: str) -> str:
    return urlsafe_b64encode(_digest(secret, *said)).rstrip(b"=").decode()


def _digest(secret: bytes, *said: str) -> bytes:
    signing = _begun(secret).copy()
    signing.update("\n".join(said).encode())
    return signing.digest()


@lru_cache(64)
def _begun(secret: bytes) -> hmac.HMAC:
    """What is the same in every signature of a team."""
    return hmac.new(secret, digestmod="sha256")
