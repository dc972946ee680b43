"""SpamAssassin's own rules over every email that comes with the package, and over all that LMX can do."""

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from loopwright.server.mail.compose import Envelope, compose
from loopwright.server.mail.design import NOTHING, expand
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.render import Prepared, fill, prepare
from loopwright.server.mail.template import Values
from loopwright.server.mail.variables import HIDDEN_LINK, ICONS_ROOT, KINDS, OPEN_PIXEL, UNSUBSCRIBE_LINK
from loopwright.server.store.messages import EMPTY, Content
from loopwright.server.team_settings import OPT_IN_CONTENT
from support.examples import WELCOME

GALLERY = Path(__file__).parents[3] / "tools" / "mail_gallery"
MOST = 0.5
SITE = "https://mail.acme.org"
FOOTER = Footer(company="Acme Ltd", address="1 Square\nLondon", list_name="News")
SYSTEM = {
    ICONS_ROOT: f"{SITE}/icons",
    OPEN_PIXEL: f"{SITE}/o/token",
    HIDDEN_LINK: f"{SITE}/c/hidden",
    UNSUBSCRIBE_LINK: f"{SITE}/unsubscribe/token",
}
BEGINS = b"From hello@mail.acme.org Thu Nov 26 22:00:00 2026\n"
# In the copies that come out each message is said which rules it met: `tests=HTML_MESSAGE=0.001,...`.
_TESTS = re.compile(r"^X-Spam-Status: \w+, tests=(.*?)\s+autolearn", re.MULTILINE | re.DOTALL)


def contents() -> Iterator[tuple[str, Content, bool]]:
    """Each email by its name, and whether it is marketing."""
    frame = replace(EMPTY, subject="Welcome to Acme", preview_text="All is ready", from_name="Acme")
    for path in sorted([*WELCOME.rglob("*.lmx"), *GALLERY.glob("*.lmx")]):
        lmx = expand(path.read_text(encoding="utf-8"), NOTHING)
        yield path.stem, replace(frame, from_email="hello", lmx=lmx), path.parent.name != "transactional"
    yield "double opt-in", OPT_IN_CONTENT, False


def values_for(prepared: Prepared) -> Values:
    """A value for everything that is asked for."""
    given: dict[str, dict[str, object]] = {kind: {} for kind in KINDS}
    items: dict[str, object] = {}
    for variable in prepared.variables:
        if variable.field:
            items[variable.field] = "42"
            given[variable.kind][variable.asked.name] = [items, items]
    for variable in prepared.variables:
        given[variable.kind].setdefault(variable.asked.name, SYSTEM.get(variable, f"{SITE}/42"))
    return Values(**given, click=lambda place: f"{SITE}/c/{place}")


def as_sent(content: Content, *, is_marketing: bool) -> bytes:
    prepared = prepare(content, FOOTER if is_marketing else None, is_tracked=is_marketing)
    envelope = Envelope(
        mime_id="c123456@mail.acme.org",
        from_email=f"{content.from_email}@mail.acme.org",
        to_email="ada@elsewhere.org",
        unsubscribe_link=SYSTEM[UNSUBSCRIBE_LINK] if is_marketing else "",
    )
    return compose(fill(prepared, values_for(prepared)), envelope, (), now=datetime.now(UTC)).data


@pytest.mark.slow
def test_no_rule_counts_much_against_any_template(tmp_path: Path) -> None:
    """Those of Debian's package, without the network."""
    messages = {name: as_sent(one, is_marketing=marketing) for name, one, marketing in contents()}
    mailbox = b"".join(BEGINS + data.replace(b"\r\n", b"\n") + b"\n" for data in messages.values())
    command = ["spamassassin", "--local", "--mbox", "--prefspath", str(tmp_path / "preferences")]
    command += ["--cf", "add_header all Status _YESNO_, tests=_TESTSSCORES(,)_ autolearn=no"]
    run = subprocess.run(command, input=mailbox, capture_output=True, check=True)
    met = [tests.replace("\n", "").replace("\t", "") for tests in _TESTS.findall(run.stdout.decode())]
    assert len(met) == len(messages), run.stderr.decode()
    scores = {
        name: {rule: float(score) for rule, _, score in (one.partition("=") for one in tests.split(","))}
        for name, tests in zip(messages, met, strict=True)
    }
    assert all("HTML_MESSAGE" in found for found in scores.values())
    assert {name: found for name, found in scores.items() if max(found.values()) > MOST} == {}
