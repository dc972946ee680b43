"""What keeps a team's email from arriving: the team's settings, the DNS, the relay and the public URL.

Each look makes findings: all is well, or what to do.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal

import httpx2
from msgspec import Struct

from loopwright.server.dns import Dns, DnsFailure
from loopwright.server.dns_records import Record, dkim_record, records_of
from loopwright.server.domains import Domain
from loopwright.server.mail.decide import NO_ADDRESS, is_owned, no_domain
from loopwright.server.mail.dkim import publishes, tags_of
from loopwright.server.mail.reply import Moment
from loopwright.server.mail.session import Failure, Timeouts, leave, open_session, own_name
from loopwright.server.mail.smtp_url import Server
from loopwright.server.store.brakes import BrakeRow
from loopwright.server.store.runs import Overdue
from loopwright.server.store.teams import TeamRow

LOOK_SECONDS = 15.0
UNAUTHORIZED = 401
DMARC_POLICIES = ("none", "quarantine", "reject")


class Finding(Struct, frozen=True, kw_only=True):
    """What was found about a subject. `remedy` says what to do; it is empty when all is well."""

    about: Literal[
        "domain", "address", "DKIM", "SPF", "DMARC", "bounces", "relay", "public URL", "workflows", "brakes"
    ]
    found: str
    remedy: str = ""


async def examine(
    team: TeamRow, domain: Domain, dns: Dns, *, relay: Server | None, public_url: str | None
) -> list[Finding]:
    """Look at everything, at the same time where that can be."""
    records = records_of(domain, relay_host=relay.host if relay else None, public_host=None)
    looks = await asyncio.gather(
        *(_of_record(dns, domain, record) for record in records),
        _of_relay(relay, domain),
        _of_public_url(public_url),
    )
    return [*_of_settings(team, domain), *looks]


def of_runs(overdue: Overdue | None) -> Finding:
    """Whether contacts go on in their workflows."""
    if overdue is None:
        return Finding(about="workflows", found="every contact goes on when it is due")
    return Finding(
        about="workflows",
        found=f"{overdue.count} contacts were to go on more than five minutes ago, the first at "
        f"{overdue.since:%Y-%m-%d %H:%M} UTC",
        remedy="see that a server or worker runs on this database, and what its log says of their steps",
    )


def of_brakes(brakes: Sequence[BrakeRow]) -> list[Finding]:
    """Whether too much comes back of what is sent."""
    if not brakes:
        return [Finding(about="brakes", found="little comes back of campaigns and workflows")]
    return [
        Finding(
            about="brakes",
            found=f"{one.kind} {one.name} ({one.owner_id}): {one.reason}",
            remedy="see whose addresses these are, and "
            + (
                f"have it go on with: loopwright {one.kind}s resume {one.owner_id}"
                if one.state == "braked"
                else f"pause it with: loopwright {one.kind}s pause {one.owner_id}"
            ),
        )
        for one in brakes
    ]


async def missing_keys(dns: Dns, domain: Domain) -> list[str]:
    """The lines of a zone file that are not in the DNS yet, for the keys that wait. Raises `DnsFailure`."""
    records = [dkim_record(domain.name, key.selector, key.record) for key in domain.waiting]
    return [
        record.zone_line
        for record in records
        if not any(publishes(text, record.value) for text in await dns.txt(record.name))
    ]


def _of_settings(team: TeamRow, domain: Domain) -> list[Finding]:
    findings = [Finding(about="domain", found=f"the team's email comes from {team.sending_domain}")]
    if not is_owned(domain.name):
        findings = [
            Finding(
                about="domain", found=f"{domain.name} is reserved for tests", remedy=no_domain(domain.name)
            )
        ]
    elif not domain.is_used:
        findings = [
            Finding(
                about="domain",
                found=f"the team's email comes from {team.sending_domain}, and not from {domain.name}",
                remedy=f"have it come from there with: loopwright domain add {domain.name}",
            )
        ]
    remedy = "" if team.address.strip() else NO_ADDRESS
    return [*findings, Finding(about="address", found=team.address.strip() or "none", remedy=remedy)]


async def _of_record(dns: Dns, domain: Domain, record: Record) -> Finding:
    try:
        match record.purpose:
            case "DKIM":
                return _dkim(record, await dns.txt(record.name), waits=_waits(domain, record))
            case "SPF":
                return _spf(record, await dns.txt(record.name))
            case "DMARC":
                return _dmarc(record, await _inherited(dns, domain.name))
            case "bounces":
                return _bounces(record, await dns.mx(record.name))
    except DnsFailure as failure:
        return Finding(about=record.purpose, found=str(failure), remedy="see why, and look again")


def _waits(domain: Domain, record: Record) -> bool:
    return any(record.value == key.record for key in domain.waiting)


def _dkim(record: Record, found: Sequence[str], *, waits: bool) -> Finding:
    keys = [text for text in found if "p" in tags_of(text)]
    if len(keys) > 1:
        return Finding(
            about="DKIM",
            found=f"{record.name} has {len(keys)} keys, of which readers take any one",
            remedy=f"leave this one alone there: {record.zone_line}",
        )
    if any(publishes(text, record.value) for text in keys):
        remedy = "sign with it from now on: loopwright domain rotate" if waits else ""
        return Finding(about="DKIM", found=f"{record.name} is published", remedy=remedy)
    what = "has another key" if keys else "is not published"
    return Finding(about="DKIM", found=f"{record.name} {what}", remedy=f"publish {record.zone_line}")


def _spf(record: Record, found: Sequence[str]) -> Finding:
    policies = [text for text in found if text.lower().split(" ")[0] == "v=spf1"]
    if len(policies) == 1:
        return Finding(about="SPF", found=f"{record.name} has {policies[0]}")
    if policies:
        return Finding(
            about="SPF",
            found=f"{record.name} has {len(policies)} of them, which counts as none",
            remedy="make one record of them",
        )
    return Finding(
        about="SPF", found=f"{record.name} has none", remedy=f"publish one, such as {record.zone_line}"
    )


async def _inherited(dns: Dns, domain: str) -> list[str]:
    """The DMARC policies of a domain, or else of the nearest one above that has any."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        found = await dns.txt(f"_dmarc.{'.'.join(labels[start:])}")
        policies = [text for text in found if next(iter(tags_of(text).items()), None) == ("v", "DMARC1")]
        if policies:
            return policies
    return []


def _dmarc(record: Record, found: Sequence[str]) -> Finding:
    if len(found) == 1 and tags_of(found[0]).get("p", "").lower() in DMARC_POLICIES:
        return Finding(about="DMARC", found=found[0])
    if found:
        what = "several, which count as none" if len(found) > 1 else f"{found[0]}, without a policy (p=)"
        return Finding(about="DMARC", found=what, remedy=f"have one, such as {record.zone_line}")
    return Finding(
        about="DMARC", found=f"{record.name} is not published", remedy=f"publish {record.zone_line}"
    )


def _bounces(record: Record, found: Sequence[str]) -> Finding:
    if found:
        return Finding(about="bounces", found=f"{record.name} is taken by {', '.join(found)}")
    return Finding(
        about="bounces",
        found=f"nobody takes mail for {record.name}, and many servers refuse such senders",
        remedy=f"publish an MX record, such as {record.zone_line}",
    )


async def _of_relay(relay: Server | None, domain: Domain) -> Finding:
    """Do what a sender does before its first email: connect, say our name, begin TLS, sign in."""
    if relay is None:
        return Finding(
            about="relay",
            found="no SMTP server is named, and email stays in the inbox",
            remedy="give --smtp-url (LOOPWRIGHT_SMTP_URL), as to the server",
        )
    where = f"{relay.host}:{relay.port}"
    name, timeouts = own_name(f"@{domain.name}"), Timeouts(connect=LOOK_SECONDS, reply=LOOK_SECONDS)
    try:
        client = await open_session(relay, name, timeouts, relay.tls_context())
    except Failure as failure:
        return Finding(
            about="relay",
            found=f"{where} cannot be worked with: {failure.reason}",
            remedy=_RELAY_REMEDIES[failure.moment],
        )
    tls = "with" if client.get_transport_info("ssl_object") else "without"
    await leave(client)
    signed_in = ", and takes user name and password" if relay.username else ""
    return Finding(about="relay", found=f"{where} answers, {tls} TLS{signed_in}")


_RELAY_REMEDIES: Mapping[Moment, str] = {
    "connect": "see that the address is right, that this machine may connect to it, and for smtps that its "
    "certificate is valid, or ?ca=FILE names the authority",
    "EHLO": "see what the server wants of a name, and start servers and workers with --ehlo-name",
    "STARTTLS": "see that the certificate is valid, or name its authority with ?ca=FILE; or use a port with "
    "TLS, such as smtps://…:465; without it nothing is sent",
    "AUTH": "see that user name and password are right, percent-encoded, and that the port is the one for "
    "senders who sign in, often 587; a server that asks for neither gets none in the URL",
}


def _said(problem: Exception) -> str:
    return " ".join(str(problem).split()) or type(problem).__name__


async def _of_public_url(url: str | None) -> Finding:
    remedy = "start servers and workers with --public-url https://HOST, where readers can reach the server"
    if url is None:
        return Finding(about="public URL", found="none is given", remedy=remedy)
    if not url.startswith("https://"):
        return Finding(about="public URL", found=f"{url} does not begin with https", remedy=remedy)
    try:
        async with httpx2.AsyncClient(timeout=LOOK_SECONDS) as http:
            answer = await http.get(f"{url}/api/v1/api-key")
    except (httpx2.HTTPError, OSError) as problem:
        return Finding(
            about="public URL",
            found=f"{url} does not answer: {_said(problem)}",
            remedy="see that the name leads to the proxy before the server, and its certificate is valid",
        )
    if "x-request-id" in answer.headers and answer.status_code == UNAUTHORIZED:
        return Finding(about="public URL", found=f"{url} answers")
    return Finding(
        about="public URL",
        found=f"at {url} something else answers, with {answer.status_code}",
        remedy="have the proxy pass requests on to this server",
    )
