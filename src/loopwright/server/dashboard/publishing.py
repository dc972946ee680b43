"""The button at a draft: it becomes what is sent."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from loopwright.server.content.publishing import publish
from loopwright.server.dashboard import answers
from loopwright.server.dashboard.requests import Context, Endpoint, operator_of
from loopwright.server.dashboard.signin import from_elsewhere, strange
from loopwright.server.refusal import Conflict, NotFound, Unprocessable


def publish_transactional(context: Context, *, has_relay: bool) -> Endpoint:
    """POST /transactional/{transactional_id}/publish. Leads back to the email, refused or not."""

    async def endpoint(request: Request) -> Response:
        if from_elsewhere(context, request):
            return PlainTextResponse(strange("wish", context), 403)
        email_id: str = request.path_params["transactional_id"].replace("\0", "")
        now = context.clock.now()
        refused = ""
        async with context.pool.acquire() as tx:
            operator = await operator_of(request, tx, now=now)
            if operator is None:
                return answers.redirect("/sign-in")
            try:
                async with tx.transaction():
                    await publish(tx, operator.team_id, email_id, has_relay=has_relay, now=now)
            except NotFound:
                return answers.redirect("/transactional")
            except Conflict:  # somebody else was faster
                pass
            except Unprocessable as problem:
                refused = problem.code
        query = {"version": "draft", "refused": refused} if refused else {"version": "published"}
        return answers.redirect(f"/transactional/{email_id}?{urlencode(query)}")

    return endpoint
