"""Transactional emails: which there are, and what each says as a draft and as it is sent."""

import asyncio
from collections.abc import Sequence
from difflib import unified_diff

from msgspec.structs import replace
from starlette.responses import HTMLResponse, Response

from loopwright.server.content.designs import load_design
from loopwright.server.content.guardian import inspect
from loopwright.server.content.publishing import NEEDED
from loopwright.server.content.sample import Sample, sample
from loopwright.server.content.scope import load_scope
from loopwright.server.dashboard import answers
from loopwright.server.dashboard.lists import answer_list, list_fields
from loopwright.server.dashboard.pages.content import (
    TransactionalPage,
    TransactionalsPage,
    TransactionalsPart,
    Version,
    VersionView,
)
from loopwright.server.dashboard.requests import LINES, NothingHere, Visit, cut
from loopwright.server.mail.design import Design, expand
from loopwright.server.mail.links import icons_root
from loopwright.server.mail.parsed_email import framed
from loopwright.server.store.messages import Content, MessageOwner, RevisionRow, load_current_revision
from loopwright.server.store.pages.transactional import (
    TransactionalLine,
    list_transactionals,
    load_transactional,
)
from loopwright.server.store.teams import load_team

FIELDS = {
    "subject": "subject",
    "preview_text": "previewText",
    "from_name": "fromName",
    "from_email": "fromEmail",
    "reply_to_email": "replyToEmail",
    "cc_email": "ccEmail",
    "bcc_email": "bccEmail",
    "language_code": "languageCode",
    "email_format": "emailFormat",
}
"""What a version's changes are told of, beside its body: fields of `Content`, and their names in the API."""


async def show_transactionals(visit: Visit) -> Response:
    """GET /transactional."""
    found = await list_transactionals(
        visit.tx, visit.team_id, search=visit.search, before=visit.before, limit=LINES + 1
    )
    lines, older = cut(found, lambda line: line.id)
    part = TransactionalsPart(
        lines=lines,
        **list_fields(visit, found, older),
    )
    return answer_list(visit, visit.frame("Transactional emails", "content"), TransactionalsPage, part)


async def show_transactional(visit: Visit) -> Response:
    """GET /transactional/{transactional_id}; `?version=` and `?view=` name what is open."""
    email = await _load(visit)
    version = _version(visit, email)
    revision = await _revision(visit, email, version)
    design = await load_design(visit.tx, visit.team_id, [revision.content.lmx])
    owner = MessageOwner(
        kind="transactional", id=email.id, state="Draft" if version == "draft" else "Published"
    )
    whole = replace(revision.content, lmx=expand(revision.content.lmx, design))
    published = await _published(visit, email) if version == "draft" else None
    view = _view(visit, can_compare=published is not None)
    return answers.page(
        TransactionalPage(
            frame=visit.frame(email.name, "content"),
            email=email,
            version=version,
            view=view,
            revision=revision,
            sample=await _sample(visit, revision, design),
            domain=(await load_team(visit.tx, visit.team_id)).sending_domain,
            missing=_missing(revision.content),
            guardian=inspect(whole, await load_scope(visit.tx, visit.team_id, owner)),
            changes=changes(published.content, revision.content) if published else None,
        )
    )


async def show_transactional_html(visit: Visit) -> Response:
    """GET /transactional/{transactional_id}/html: a version's HTML, for the sandboxed frame."""
    email = await _load(visit)
    revision = await _revision(visit, email, _version(visit, email))
    design = await load_design(visit.tx, visit.team_id, [revision.content.lmx])
    rendered = (await _sample(visit, revision, design)).rendered
    if rendered is None:
        raise NothingHere
    return HTMLResponse(framed(rendered.html), headers=answers.EMAIL_HEADERS)


def changes(before: Content, after: Content) -> Sequence[str]:
    """What is written otherwise in `after`, as lines that begin with `-`, `+`, a blank, or `@@`."""
    told = unified_diff(_lines(before), _lines(after), lineterm="", n=2)
    return list(told)[2:]


def _lines(content: Content) -> list[str]:
    """The content as lines: a field or a fallback each, then the body, a tag each."""
    fields = {name: getattr(content, field) for field, name in FIELDS.items()}
    given = [f"{name}: {value}" for name, value in fields.items() if value]
    fallbacks = [f"fallback of {name}: {text}" for name, text in sorted(content.data_fallbacks.items())]
    return [*given, *fallbacks, "", *content.lmx.replace("><", ">\n<").splitlines()]


def _missing(content: Content) -> Sequence[str]:
    """The fields that have to be filled before this can be published."""
    return [name for field, name in NEEDED.items() if not getattr(content, field).strip()]


async def _sample(visit: Visit, revision: RevisionRow, design: Design) -> Sample:
    icons = icons_root(visit.public_url)
    return await asyncio.to_thread(sample, revision.content, design, "transactional", icons)


async def _load(visit: Visit) -> TransactionalLine:
    email = await load_transactional(visit.tx, visit.team_id, visit.path_id("transactional_id"))
    if email is None:
        raise NothingHere
    return email


def _version(visit: Visit, email: TransactionalLine) -> Version:
    """The version to open: the one wanted, if there is one; else what is sent."""
    wanted = visit.request.query_params.get("version")
    if email.draft_message_id is None:
        return "published"
    return "draft" if wanted == "draft" or email.published_message_id is None else "published"


def _view(visit: Visit, *, can_compare: bool) -> VersionView:
    match visit.request.query_params.get("view"):
        case "text":
            return "text"
        case "lmx":
            return "lmx"
        case "changes" if can_compare:
            return "changes"
        case _:
            return "html"


async def _revision(visit: Visit, email: TransactionalLine, version: Version) -> RevisionRow:
    message_id = email.draft_message_id if version == "draft" else email.published_message_id
    found = await load_current_revision(visit.tx, visit.team_id, message_id) if message_id else None
    if found is None:
        raise NothingHere
    return found


async def _published(visit: Visit, email: TransactionalLine) -> RevisionRow | None:
    """The published version; None when there is none."""
    message_id = email.published_message_id
    return await load_current_revision(visit.tx, visit.team_id, message_id) if message_id else None
