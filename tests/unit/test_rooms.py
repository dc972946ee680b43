"""Who may import whom: the rooms of docs/architecture.md, held to the code's own imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "loopwright"
FACE = "face"  # what `from loopwright import ...` gives
SDK = {"errors", "version", "wire", "client", "outbox", "webhooks", FACE}

# What every room of the server may know.
COMMON = {
    "forks",
    "ids",
    "wire",
    "server.refusal",
    "server.clock",
    "server.keys",
    "server.runtime.hearing",
    "server.runtime.observing",
    "server.runtime.repeating",
    "server.sealing",
    "server.settings",
    "server.store",
    "server.visitors",
}

ALLOWED: dict[str, set[str]] = {
    "wire": set(),
    "client": {"errors", "forks", "version", "wire"},
    "outbox": SDK,
    "webhooks": {"errors", "wire"},
    "server.store": {"ids", "wire", "server.audience.predicate"},  # what a filter means, as a condition
    "server.audience": COMMON,
    "server.campaign": COMMON
    | {
        "server.content.previews",
        "server.content.publishing",
        "server.ingest.values",
        "server.mail.decide",
    },
    "server.http": COMMON
    | {
        "server.audience",
        "server.campaign.launch",
        "server.campaign.moments",
        "server.campaign.trial",
        "server.content",
        "server.feedback.doors",
        "server.ingest",
        "server.mail.decide",
        "server.mail.design",
        "server.mail.icon_names",
        "server.mail.links",
        "server.mail.parsed_email",
        "server.mail.style",
        "server.mail.tracked",
        "server.mail.variables",
        "server.mail.warming",
        "server.networks",
        "server.observe",
        "server.webhook.addresses",
        "server.webhook.control",
        "server.webhook.retry",
        "server.webhook.signing",
        "webhooks",
        "server.workflow.control",
        "server.workflow.edit",
        "server.workflow.graph",
        "server.workflow.node_update",
        "server.workflow.property_query",
    },
    "server.ingest": COMMON | {"server.workflow.entry", "server.mail.links", "server.observe"},
    "server.workflow": COMMON
    | {
        "server.audience.predicate",
        "server.audience.strict",
        "server.content.notices",
        "server.content.publishing",
        "server.mail.decide",
    },
    "server.mail": COMMON,
    "server.content": COMMON
    | {
        "server.ingest.consent",
        "server.mail.addresses",
        "server.mail.decide",
        "server.mail.design",
        "server.mail.direction",
        "server.mail.layout",
        "server.mail.lmx",
        "server.mail.markup",
        "server.mail.normal",
        "server.mail.render",
        "server.mail.size",
        "server.mail.style",
        "server.mail.tags",
        "server.mail.template",
        "server.mail.urls",
        "server.mail.variables",
    },
    "server.tracking": COMMON
    | {
        "server.mail.links",
        "server.mail.recipient",
        "server.mail.template",
        "server.mail.tracked",
        "server.mail.variables",
        "server.networks",
    },
    "server.definitions": COMMON
    | {
        "server.audience",
        "server.workflow.property_query",
        "server.bootstrap",
        "server.content",
        "server.mail.design",
        "server.mail.icon_names",
        "server.mail.lint",
        "server.mail.normal",
        "server.mail.render",
        "server.mail.variables",
        "server.team_settings",
        "server.workflow.control",
        "server.workflow.graph",
    },
    "server.dashboard": COMMON
    | {
        "server.audience.check",
        "server.audience.predicate",
        "server.campaign.launch",
        "server.campaign.moments",
        "server.campaign.trial",
        "server.content",
        "server.mail.decide",
        "server.mail.design",
        "server.mail.layout",
        "server.mail.links",
        "server.mail.parsed_email",
        "server.mail.render",
        "server.mail.size",
        "server.mail.template",
        "server.mail.tracked",
        "server.mail.variables",
        "server.mail.warming",
        "server.webhook.control",
        "server.webhook.retry",
        "server.workflow.control",
        "server.workflow.graph",
    },
    "server.feedback": COMMON
    | {
        "server.campaign.launch",
        "server.ingest",
        "server.mail.links",
        "server.mail.parsed_email",
        "server.mail.reply",
        "server.webhook.addresses",
        "server.workflow.control",
    },
    "server.observe": COMMON | {"server.ingest"},
    "server.webhook": COMMON | {"server.networks", "version", "webhooks"},
    "server.runtime": COMMON
    | {
        "server.bootstrap",
        "server.public_url",
        "server.observe",
        "server.app",
        "server.mail.warming",
        "server.workflow.control",
    },
    "server.testing": COMMON
    | {
        "server.bootstrap",
        "server.dashboard.timeline",
        "server.dashboard.verdicts",
        "server.definitions",
        "server.http.dispatch",
        "server.http.failures",
        "server.http.paths",
        "server.http.request_ids",
    },
    "testing": SDK | {"server.store.postmaster"},
    "cli": SDK | {"ids", "server"},
}


def imports(path: Path) -> Iterator[str]:
    """The modules of ours that a file imports, without the package's name."""
    package = path.relative_to(SOURCE.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level]) if node.level else []
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            parts = {one.stem for one in SOURCE.iterdir()}
            names = [
                f"loopwright.{FACE}"
                if module == "loopwright" and alias.name not in parts
                else f"{module}.{alias.name}"
                for alias in node.names
            ]
        else:
            continue
        yield from (name.removeprefix("loopwright.") for name in names if name.startswith("loopwright."))


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_keeps_to_its_neighbours(room: str) -> None:
    """Only `app.py` and its like know every room."""
    place = SOURCE.joinpath(*room.split("."))
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    assert files
    strangers = {
        f"{path.relative_to(SOURCE)} imports {name}"
        for path in files
        for name in imports(path)
        if not any(name == one or name.startswith(f"{one}.") for one in ALLOWED[room] | {room})
    }
    assert strangers == set()


def test_pure_modules_reach_for_nothing() -> None:
    """No clock, database, network or logger where only values are decided."""
    pure = [
        "server/ingest/fold.py", "server/ingest/state.py", "server/ingest/contact.py",
        "server/ingest/event.py",
        "server/ingest/transactional.py", "server/ingest/consent.py", "server/ingest/reading.py",
        "server/ingest/values.py",
        "server/ingest/command.py",
        "server/workflow/step.py", "server/workflow/graph.py", "server/workflow/entry.py",
        "server/workflow/edit.py", "server/workflow/node_update.py",
        "server/workflow/property_query.py",
        "server/audience/predicate.py", "server/audience/check.py",
        "server/content/message.py", "server/content/guardian.py",
        "server/mail/lmx.py", "server/mail/render.py",
        "server/mail/compose.py", "server/mail/decide.py", "server/mail/retry.py",
        "server/mail/dkim.py",
        "server/feedback/report.py", "server/feedback/message.py", "server/feedback/classify.py",
        "server/feedback/reference.py", "server/feedback/delivery_status.py",
        "server/feedback/brake.py", "server/feedback/auto_reply.py", "server/feedback/plain_bounce.py",
        "server/http/rate_limits.py", "server/tracking/verdict.py", "server/testing/faults.py",
        "server/ingest/facts.py", "server/ingest/consequences.py",
        "server/webhook/retry.py", "server/workflow/change.py",
        "client/retry.py", "client/pacing.py", "client/call.py", "client/body.py",
        "client/answer.py", "webhooks/__init__.py", "webhooks/_signatures.py",
    ]  # fmt: skip
    outside = {"asyncio", "asyncpg", "logging", "socket", "threading", "aiosmtplib", "httpx2", "pyreqwest"}
    for name in pure:
        tree = ast.parse((SOURCE / name).read_text())
        found = {
            (alias.name if isinstance(node, ast.Import) else node.module or "").split(".")[0]
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert found & outside == set(), name
