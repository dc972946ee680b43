"""What a sending domain needs in the DNS: values in, records out."""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from loopwright.server.domains import Domain

LONGEST_STRING = 255
"""Bytes of one string of a TXT record; a longer text is several strings that readers put together."""

# What providers ask to be named by in SPF, by the end of the name of their SMTP server.
PROVIDERS: Mapping[str, str] = {
    "amazonaws.com": "include:amazonses.com",
    "brevo.com": "include:spf.brevo.com",
    "gmail.com": "include:_spf.google.com",
    "google.com": "include:_spf.google.com",
    "mailgun.org": "include:mailgun.org",
    "mailjet.com": "include:spf.mailjet.com",
    "mtasv.net": "include:spf.mtasv.net",
    "office365.com": "include:spf.protection.outlook.com",
    "postmarkapp.com": "include:spf.mtasv.net",
    "sendgrid.net": "include:sendgrid.net",
    "sparkpostmail.com": "include:sparkpostmail.com",
    "zoho.com": "include:zohomail.com",
    "zoho.eu": "include:zohomail.eu",
}


class Record(Struct, frozen=True, kw_only=True, rename="camel"):
    """A record to publish. With `is_hint` its value is a proposal: others do as well."""

    purpose: Literal["DKIM", "SPF", "DMARC", "bounces"]
    name: str
    type: Literal["TXT", "MX"]
    value: str
    why: str
    is_hint: bool = False

    @property
    def strings(self) -> list[str]:
        """The text of a TXT record in strings that are short enough."""
        return [
            self.value[start : start + LONGEST_STRING] for start in range(0, len(self.value), LONGEST_STRING)
        ]

    @property
    def zone_line(self) -> str:
        """The record as a line of a zone file."""
        value = " ".join(f'"{one}"' for one in self.strings) if self.type == "TXT" else f"{self.value}."
        return f"{self.name}. 3600 IN {self.type} {value}"


def records_of(domain: Domain, *, relay_host: str | None, public_host: str | None) -> Sequence[Record]:
    """What is to be published, the keys that wait among it.

    `relay_host` is the SMTP server that email leaves by, `public_host` the one that the world reaches this
    server at; each is for hints.
    """
    envelope = domain.bounce_domain or domain.name
    records = [
        dkim_record(domain.name, key.selector, key.record) for key in (*domain.active, *domain.waiting)
    ]
    records.append(
        Record(
            purpose="SPF",
            name=envelope,
            type="TXT",
            value=spf_value(relay_host),
            why="names who may send; if there is one already, add to it: two of them count as none",
            is_hint=True,
        )
    )
    records.append(
        Record(
            purpose="DMARC",
            name=f"_dmarc.{domain.name}",
            type="TXT",
            value="v=DMARC1; p=none",
            why="what to do with email that is not signed; large mailbox providers ask for one",
            is_hint=True,
        )
    )
    if domain.bounce_domain:
        records.append(
            Record(
                purpose="bounces",
                name=domain.bounce_domain,
                type="MX",
                value=f"10 {public_host or 'HOST'}",
                why="the server that takes what cannot be delivered",
                is_hint=True,
            )
        )
    return records


def dkim_record(domain: str, selector: str, text: str) -> Record:
    """Where the public half of a key is looked for."""
    return Record(
        purpose="DKIM",
        name=f"{selector}._domainkey.{domain}",
        type="TXT",
        value=text,
        why="readers check the signatures of your email with it",
    )


def spf_value(relay_host: str | None) -> str:
    """A proposal for SPF, as far as the SMTP server says who sends."""
    if relay_host is None:
        return "v=spf1 mx ~all"
    name = relay_host.lower().removesuffix(".")
    for end, mechanism in PROVIDERS.items():
        if name == end or name.endswith(f".{end}"):
            return f"v=spf1 {mechanism} ~all"
    if name.replace(".", "").isdigit():
        return f"v=spf1 ip4:{name} ~all"
    if ":" in name:
        return f"v=spf1 ip6:{name} ~all"
    return f"v=spf1 a:{name} ~all" if "." in name else "v=spf1 mx ~all"
