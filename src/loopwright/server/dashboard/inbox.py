"""The inbox: the emails that stayed here, and each of them as its reader would see it."""

import asyncio

from starlette.responses import HTMLResponse, Response

from loopwright.server.dashboard import answers
from loopwright.server.dashboard.lists import answer_list, list_fields
from loopwright.server.dashboard.pages.inbox import VIEWS, InboxPage, InboxPart, MessagePage, Sheet, View
from loopwright.server.dashboard.requests import LINES, NothingHere, Visit, cut
from loopwright.server.mail.parsed_email import ParsedEmail, framed, parse_email, source
from loopwright.server.mail.size import size_warning
from loopwright.server.store.inbox import InboxRow, list_received, load_received
from loopwright.server.store.pages.inbox import load_cause

SHOWN_CHARACTERS = 500_000
"""Of a text or of a source; the download has all of it."""


async def show_inbox(visit: Visit) -> Response:
    """GET /inbox."""
    found = await list_received(
        visit.tx, visit.team_id, search=visit.search, before=visit.cursor, limit=LINES + 1
    )
    lines, older = cut(found, lambda line: line.id)
    part = InboxPart(
        lines=lines,
        **list_fields(visit, found, older),
    )
    return answer_list(visit, visit.frame("Inbox", "inbox"), InboxPage, part)


async def show_message(visit: Visit) -> Response:
    """GET /inbox/{message_id}; `?view=` names the tab."""
    message = await _load(visit)
    parsed = await asyncio.to_thread(parse_email, message.raw)
    html_size = len((parsed.html or "").encode(errors="replace"))
    view = _view(visit.request.query_params.get("view"), parsed)
    cause = await load_cause(visit.tx, visit.team_id, message.email_id) if message.email_id else None
    return answers.page(
        MessagePage(
            frame=visit.frame(message.subject or "(no subject)", "inbox"),
            message=message,
            parsed=parsed,
            cause=cause,
            view=view,
            sheet=_sheet(view, message, parsed),
            html_size=html_size,
            size_warning=size_warning(html_size),
        )
    )


async def show_message_html(visit: Visit) -> Response:
    """GET /inbox/{message_id}/html: the email's own HTML, for the sandboxed frame."""
    html = (await asyncio.to_thread(parse_email, (await _load(visit)).raw)).html
    if html is None:
        raise NothingHere
    return HTMLResponse(framed(html), headers=answers.EMAIL_HEADERS)


async def download_message(visit: Visit) -> Response:
    """GET /inbox/{message_id}/raw: the bytes as they came over SMTP, as a file."""
    message = await _load(visit)
    headers = {
        **answers.PAGE_HEADERS,
        "Content-Disposition": f'attachment; filename="{message.id}.eml"',
    }
    return Response(message.raw, headers=headers, media_type="message/rfc822")


def _view(wanted: str | None, parsed: ParsedEmail) -> View:
    """The tab to open: the one wanted, else the first that has something to show."""
    shown = VIEWS if parsed.html is not None else VIEWS[1:]
    by_name: dict[str | None, View] = {view: view for view in shown}
    return by_name.get(wanted, shown[0])


def _sheet(view: View, message: InboxRow, parsed: ParsedEmail) -> Sheet | None:
    """What the tabs of plain text show; None where there is none."""
    if view == "source":
        shown = source(message.raw[:SHOWN_CHARACTERS])
        return Sheet(shown, is_cut=len(message.raw) > SHOWN_CHARACTERS)
    if view == "text" and parsed.text is not None:
        return Sheet(parsed.text[:SHOWN_CHARACTERS], is_cut=len(parsed.text) > SHOWN_CHARACTERS)
    return None


async def _load(visit: Visit) -> InboxRow:
    message = await load_received(visit.tx, visit.team_id, visit.path_id("message_id"))
    if message is None:
        raise NothingHere
    return message
