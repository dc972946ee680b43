"""`loopwright domain` and `loopwright doctor domain`, on a real database, DNS server, relay and nginx."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dns.zone import Zone, from_text
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from loopwright.server.mail.decide import is_owned
from loopwright.server.sealing import new_sealing_key
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from support.content import write_message
from support.dns_zone import DnsServer, dns_server
from support.factories import add_email
from support.live import LiveServer
from support.nginx import Nginx
from support.raw_smtp import own_certificate, raw_smtp, tls_of
from support.smtp_peer import Peer, smtp_peer

Run = Callable[..., Awaitable[Result]]
DOMAIN = "mail.elsewhere.org"
PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
(SITE,) = re.findall(r"^```nginx\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
NOT_TOLD = {"LOOPWRIGHT_SMTP_URL": None, "LOOPWRIGHT_PUBLIC_URL": None}


@pytest.fixture
def run(database_url: str, team: TeamRow) -> Run:
    """A command as an operator of the test's database gives it."""
    settings = {"LOOPWRIGHT_DATABASE_URL": database_url, "LOOPWRIGHT_SEALING_KEY": new_sealing_key()}

    async def run(*words: str, code: int = 0, **without: None) -> Result:
        runner = CliRunner(env={**settings, **NOT_TOLD, **without})
        result = await asyncio.to_thread(runner.invoke, program, list(words))
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
async def dns() -> AsyncIterator[DnsServer]:
    async with dns_server() as server:
        yield server


@pytest.fixture
async def relay() -> AsyncIterator[Peer]:
    async with smtp_peer() as peer:
        yield peer


async def added(run: Run, *words: str) -> Any:
    """What `domain add --json` says."""
    return json.loads((await run("domain", "add", DOMAIN, *words, "--json")).stdout)


def zone_lines(facts: Any) -> list[str]:
    return [record["zoneLine"] for record in facts["records"]]


async def findings(run: Run, dns: DnsServer, *words: str, code: int) -> dict[str, list[dict[str, str]]]:
    """What the doctor finds, by subject."""
    result = await run("doctor", "domain", "--resolver", dns.address, *words, "--json", code=code)
    facts = json.loads(result.stdout)
    assert facts["success"] is (code == 0)
    found: dict[str, list[dict[str, str]]] = {}
    for finding in facts["findings"]:
        found.setdefault(finding["about"], []).append(finding)
    return found


async def test_add(run: Run, pool: Pool, dns: DnsServer) -> None:
    """A key is made, stored sealed, and its record is what a DNS server hands out again; once is enough."""
    facts = await added(run, "--ed25519", "--bounce-domain", "bounces.elsewhere.org")
    assert [key["algorithm"] for key in facts["keys"]] == ["rsa", "ed25519"]
    assert {key["state"] for key in facts["keys"]} == {"active"}
    assert (facts["sends"], facts["bounceDomain"]) == (True, "bounces.elsewhere.org")
    purposes = ["DKIM", "DKIM", "SPF", "DMARC", "bounces"]
    assert [record["purpose"] for record in facts["records"]] == purposes
    for record in facts["records"]:
        assert all(len(text) <= 255 for text in record["strings"])
        assert "".join(record["strings"]) == record["value"]
        if record["type"] == "TXT":
            zone = dns_zone([record["zoneLine"]])
            [read] = zone.find_rdataset(f"{record['name']}.", "TXT")
            assert b"".join(read.strings).decode() == record["value"]
    [row, _] = await pool.fetch("SELECT sealed_key, record FROM signing_key ORDER BY id")
    assert b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" not in row["sealed_key"], "RSA's name in DER"
    assert await pool.fetchval("SELECT sending_domain FROM team") == DOMAIN
    again = await added(run)
    assert again["records"] == facts["records"]
    shown = await run("domain", "show")
    for line in zone_lines(facts):
        assert line in shown.stdout
    listed = json.loads((await run("domain", "list", "--json")).stdout)
    assert listed == [{key: value for key, value in facts.items() if key != "records"}]
    assert facts["keys"][1]["selector"] in " ".join((await run("domain", "list")).stdout.split())
    assert (await added(run, "--bounce-domain", ""))["bounceDomain"] == ""


async def test_remove(run: Run, pool: Pool) -> None:
    """Only once somebody agrees; the keys go too, and a team that sent from it has no domain of its own."""
    await added(run)
    await run("domain", "add", "second.elsewhere.org")
    told = json.loads((await run("domain", "remove", DOMAIN, "--yes", "--json")).stdout)
    assert told == {"domain": DOMAIN, "removed": True, "wasUsed": False, "waiting": 0}
    assert await pool.fetchval("SELECT sending_domain FROM team") == "second.elsewhere.org"
    message = (await write_message(pool, await pool.fetchval("SELECT id FROM team"))).message_id
    await add_email(pool, message, "e1", now=datetime.now(UTC))
    refused = await run("domain", "remove", "second.elsewhere.org", "--json", code=1)
    assert json.loads(refused.stdout or refused.stderr)["waiting"] == 1
    assert "1 waiting now, is held" in (await run("domain", "remove", "second.elsewhere.org", code=1)).output
    assert await pool.fetchval("SELECT count(*) FROM sending_domain") == 1
    await run("domain", "remove", "second.elsewhere.org", "--yes")
    for table in ("sending_domain", "signing_key"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert not is_owned(await pool.fetchval("SELECT sending_domain FROM team"))
    assert await pool.fetchval("SELECT count(*) FROM email_queue") == 1, "what waits stays"
    missing = await run("domain", "remove", "second.elsewhere.org", "--yes", code=2)
    assert "not set up yet" in missing.output


def dns_zone(lines: list[str]) -> Zone:
    return from_text("\n".join(lines), origin=".", relativize=False, check_origin=False)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param(["add", "https://elsewhere.org"], "write elsewhere.org", id="a URL"),
        pytest.param(["add", "elsewhere"], "no domain that email can come from", id="one label"),
        pytest.param(["add", "a..elsewhere.org"], "is no domain name", id="an empty label"),
        pytest.param(["add", "ada@elsewhere.org"], "write elsewhere.org", id="an address"),
        pytest.param(["add", DOMAIN, "--bounce-domain", DOMAIN], "another bounce domain", id="the same"),
        pytest.param(["add", DOMAIN, "--bounce-domain", "x y.org"], "is no domain name", id="bounces"),
        pytest.param(["show"], "loopwright domain add DOMAIN", id="none yet"),
        pytest.param(["show", DOMAIN], f"loopwright domain add {DOMAIN}", id="unknown"),
        pytest.param(["rotate"], "loopwright domain add", id="nothing to rotate"),
        pytest.param(["rotate", "--resolver", "dns.test"], "is no address", id="a resolver's name"),
    ],
)
async def test_mistakes(run: Run, pool: Pool, words: list[str], text: str) -> None:
    """A sentence, and nothing changes."""
    assert text in (await run("domain", *words, code=2)).output
    assert await pool.fetchval("SELECT count(*) FROM sending_domain") == 0
    assert await pool.fetchval("SELECT sending_domain FROM team") == "mail.example.com"


async def test_without_a_sealing_key(run: Run, pool: Pool) -> None:
    """Nothing is stored in the open; the sentence says how to make one."""
    refused = await run("domain", "add", DOMAIN, code=2, LOOPWRIGHT_SEALING_KEY=None)
    assert "loopwright sealing new" in refused.output
    assert await pool.fetchval("SELECT count(*) FROM signing_key") == 0
    key = (await run("sealing", "new")).stdout.strip()
    assert json.loads((await run("domain", "add", DOMAIN, "--sealing-key", key, "--json")).stdout)["keys"]
    assert "is not the one" in (await run("domain", "add", DOMAIN, "--ed25519", code=2)).output


async def test_a_reserved_domain_is_told(run: Run) -> None:
    """It does for the inbox."""
    added = await run("domain", "add", "example.com")
    assert "no email leaves from it" in added.stderr


async def test_rotation(run: Run, dns: DnsServer) -> None:
    """The new key signs once it is in the DNS, or when told to; the old one is retired."""
    dns.lines = zone_lines(await added(run))
    refused = await run("domain", "rotate", "--resolver", dns.address, "--json", code=1)
    [line] = json.loads(refused.stdout)["publish"]
    again = await run("domain", "rotate", "--resolver", dns.address, code=1)
    assert line in again.output, "a second call makes no third key"
    assert [key["state"] for key in await keys(run)] == ["active", "waiting"]

    dns.silent = {line.partition(". ")[0]}
    assert "gave no answer" in (await run("domain", "rotate", "--resolver", dns.address, code=2)).output
    dns.silent = set()
    dns.lines += [line.replace("p=MII", "p=MIJ")]
    await run("domain", "rotate", "--resolver", dns.address, code=1)
    dns.lines[-1] = line
    found = await findings(run, dns, code=1)
    assert ["domain rotate" in one["remedy"] for one in found["DKIM"]] == [False, True]
    await run("domain", "rotate", "--resolver", dns.address)
    assert [key["state"] for key in await keys(run)] == ["retired", "active"]

    await run("domain", "rotate", "--activate")
    assert [key["state"] for key in await keys(run)] == ["retired", "retired", "active"]
    shown = json.loads((await run("domain", "show", "--json")).stdout)
    assert [record["purpose"] for record in shown["records"]].count("DKIM") == 1


async def keys(run: Run) -> Any:
    [domain] = json.loads((await run("domain", "list", "--json")).stdout)
    return domain["keys"]


async def test_the_doctor_finds_nothing_to_do(
    run: Run,
    dns: DnsServer,
    relay: Peer,
    live_server: LiveServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All is published, the relay answers, and the public URL leads here by way of nginx: 0."""
    facts = await added(run, "--ed25519", "--bounce-domain", "bounces.elsewhere.org")
    await run("team", "set", "--address", "1 Engine Road")
    dns.lines = [line.replace("HOST", "mx.elsewhere.org") for line in zone_lines(facts)]
    dns.lines += [f'{DOMAIN}. 60 IN TXT "unrelated"']
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    upstream = live_server.base_url.removeprefix("http://")
    with Nginx(tmp_path, SITE, port=port, upstream=upstream) as nginx:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        given = ["--smtp-url", relay.url, "--public-url", nginx.address]
        found = await findings(run, dns, *given, code=0)
        assert all(not one["remedy"] for some in found.values() for one in some)
        subjects = {"domain", "address", "DKIM", "SPF", "DMARC", "bounces", "relay", "public URL"}
        assert found.keys() == subjects
        told = await run("doctor", "domain", DOMAIN, "--resolver", dns.address, *given)
        assert "to do" not in told.stdout
        monkeypatch.delenv("SSL_CERT_FILE")
        found = await findings(run, dns, *given, code=1)
        assert "certificate" in found["public URL"][0]["remedy"]


async def test_the_doctor_finds_all_that_is_amiss(run: Run, dns: DnsServer) -> None:
    """Nothing is published, no relay and no URL are given, and each finding says what to do: 1."""
    facts = await added(run, "--bounce-domain", "bounces.elsewhere.org")
    found = await findings(run, dns, code=1)
    subjects = ["address", "DKIM", "SPF", "DMARC", "bounces", "relay", "public URL"]
    assert {about: [bool(one["remedy"]) for one in some] for about, some in found.items()} == {
        "domain": [False],
        **{about: [True] for about in subjects},
    }
    assert facts["records"][0]["zoneLine"] in found["DKIM"][0]["remedy"]
    assert "team set --address" in found["address"][0]["remedy"]
    told = await run("doctor", "domain", "--resolver", dns.address, code=1)
    assert told.stdout.count("to do") == told.stdout.count("→") == 7


@pytest.mark.parametrize(
    ("subject", "lines", "well"),
    [
        pytest.param("SPF", [f'{DOMAIN}. 60 IN TXT "v=spf1 -all"'], True, id="an SPF of one's own"),
        pytest.param("SPF", [f'{DOMAIN}. 60 IN TXT "v=spf10 -all"'], False, id="no SPF"),
        pytest.param(
            "SPF", [f'{DOMAIN}. 60 IN TXT "v=spf1 mx -all"', f'{DOMAIN}. 60 IN TXT "v=spf1 a ~all"'], False,
            id="two SPF",
        ),
        pytest.param("DMARC", ['_dmarc.elsewhere.org. 60 IN TXT "v=DMARC1;p=reject"'], True, id="inherited"),
        pytest.param("DMARC", ['_dmarc.elsewhere.org. 60 IN TXT "v=DMARC1"'], False, id="no policy"),
        pytest.param("DMARC", [f'_dmarc.{DOMAIN}. 60 IN TXT "v=DMARC1; sp=reject"'], False, id="of others"),
        pytest.param("DMARC", [f'_dmarc.{DOMAIN}. 60 IN TXT "v=DMARC1; p=block"'], False, id="odd policy"),
        pytest.param("DMARC", [f'_dmarc.{DOMAIN}. 60 IN TXT "v=dmarc1; p=none"'], False, id="odd version"),
        pytest.param("DMARC", ['_dmarc.org. 60 IN TXT "v=DMARC1; p=none"'], False, id="of a whole ending"),
    ],
)  # fmt: skip
async def test_records_of_others(
    run: Run, dns: DnsServer, subject: str, lines: list[str], well: bool
) -> None:
    """What is there already may do as well, or not."""
    await added(run)
    dns.lines = lines
    [finding] = (await findings(run, dns, code=1))[subject]
    assert (not finding["remedy"]) is well


async def test_keys_as_others_write_them(run: Run, dns: DnsServer) -> None:
    """Blanks, and tags that change nothing, are as good; a key that readers cannot take for ours is not."""
    [line, *_] = zone_lines(await added(run))
    first, _, rest = line.partition('"v=DKIM1; k=rsa; p=')
    for found, well in [
        ([f'{first}"p= " "{rest}'], True),
        ([f'{first}"v=DKIM1\\; t=y; h=sha1:sha256; s=email ; k=rsa; p=" "{rest}'], True),
        ([f'{first}"v=DKIM1; h=sha1; p=" "{rest}'], False),
        ([f'{first}"v=DKIM1; s=other; p=" "{rest}'], False),
        ([line, f'{first}"v=DKIM1; p=AAAA"'], False),
        ([f'{first}"v=DKIM1; p="'], False),
        ([line, f'{first}"unrelated"'], True),
    ]:
        dns.lines = found
        [finding] = (await findings(run, dns, code=1))["DKIM"]
        assert (not finding["remedy"]) is well, found


async def test_a_dns_that_fails_is_not_one_without_the_record(run: Run, dns: DnsServer) -> None:
    """The finding says which it was."""
    facts = await added(run)
    dns.silent = {facts["records"][0]["name"]}
    [finding] = (await findings(run, dns, code=1))["DKIM"]
    assert "gave no answer" in finding["found"]


async def test_relays(run: Run, dns: DnsServer, relay: Peer) -> None:
    """One that is not there, one without what the URL asks for, and something else at the public URL."""
    await added(run)
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = free.getsockname()[1]
    for url, text in [
        (f"smtp://127.0.0.1:{nobody}", "cannot be worked with"),
        (f"{relay.url}?starttls", "offers no STARTTLS, and it is required"),
        (relay.url.replace("//", "//ada:s3cret@"), "offers no way to sign in"),
    ]:
        result = await run("doctor", "domain", "--resolver", dns.address, "--smtp-url", url, "--json", code=1)
        [finding] = [one for one in json.loads(result.stdout)["findings"] if one["about"] == "relay"]
        assert text in finding["found"]
        assert finding["remedy"]
        assert "s3cret" not in result.output
    found = await findings(run, dns, "--public-url", f"https://127.0.0.1:{relay.port}", code=1)
    assert found["public URL"][0]["remedy"]


@pytest.mark.parametrize(
    ("answers", "found", "well"),
    [
        ({}, "answers, with TLS, and takes user name and password", True),
        ({"AUTH": "535 5.7.8 wrong password"}, "refused the sign-in: 535 5.7.8 wrong password", False),
        ({"EHLO": "550 5.7.1 who are you?"}, "refused our name: 550", False),
        ({"STARTTLS": "454 TLS not available"}, "no TLS with the SMTP server: 454", False),
        ({"greeting": "554 go away"}, "no connection to the SMTP server: 554 go away", False),
    ],
)
async def test_a_relay_is_asked_as_a_sender_asks_it(
    run: Run, dns: DnsServer, tmp_path: Path, answers: dict[str, str], found: str, well: bool
) -> None:
    """By our own name, with its certificate looked at, and signed in once: what stops email is told here."""
    await added(run)
    files = own_certificate(tmp_path)
    async with raw_smtp(tls_of(files)) as raw:
        raw.auth = "PLAIN LOGIN"
        raw.answers.update(answers)
        url = f"smtp://ada:s3cret@localhost:{raw.port}?ca={files[0]}"
        [finding] = (await findings(run, dns, "--smtp-url", url, code=1))["relay"]
        assert found in finding["found"]
        assert (not finding["remedy"]) is well
        assert raw.said("EHLO")[:1] == ([] if "greeting" in answers else [f"EHLO {DOMAIN}"])
        assert len(raw.said("AUTH")) == int("AUTH" in answers or well)


@pytest.mark.parametrize(
    ("url", "mechanism"),
    [
        ("smtp://email-smtp.eu-west-1.amazonaws.com:587", "include:amazonses.com"),
        ("smtps://smtp.postmarkapp.com", "include:spf.mtasv.net"),
        ("smtp://relay.elsewhere.org", "a:relay.elsewhere.org"),
        ("smtp://192.0.2.7", "ip4:192.0.2.7"),
        ("smtp://[2001:db8::7]", "ip6:2001:db8::7"),
        ("smtp://localhost", "mx"),
    ],
)
async def test_a_hint_for_spf(run: Run, url: str, mechanism: str) -> None:
    """As far as the relay's name says who sends."""
    facts = await added(run, "--smtp-url", url)
    [spf] = [record for record in facts["records"] if record["purpose"] == "SPF"]
    assert re.fullmatch(rf"v=spf1 {re.escape(mechanism)} ~all", spf["value"])
    assert spf["isHint"] is True
