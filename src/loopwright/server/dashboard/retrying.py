"""The button at an email that did not leave: it is sent again."""

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from loopwright.server.dashboard import answers
from loopwright.server.dashboard.requests import Context, Endpoint, operator_of
from loopwright.server.dashboard.signin import from_elsewhere, local_path, strange
from loopwright.server.store.retries import Choice, queue_again


def retry_email(context: Context) -> Endpoint:
    """POST /emails/{email_id}/retry. Leads back to the page of the button."""

    async def endpoint(request: Request) -> Response:
        if from_elsewhere(context, request):
            return PlainTextResponse(strange("wish", context), 403)
        async with context.pool.acquire() as tx:
            operator = await operator_of(request, tx, now=context.clock.now())
            if operator is None:
                return answers.redirect("/sign-in")
            email_id = request.path_params["email_id"].replace("\0", "")
            chosen = Choice(team_id=operator.team_id, statuses=("failed", "skipped"), email_id=email_id)
            await queue_again(tx, chosen, now=context.clock.now())
        page = urlsplit(request.headers.get("referer", ""))
        return answers.redirect(local_path(page.path or "/") + f"#at-{quote(email_id)}")

    return endpoint
