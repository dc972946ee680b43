"""Where the server differs from the published contract, as data; a test holds it to the list, both ways.

`difference` is a pattern of what the comparison of both documents finds, `operation: where: what`, `*` for
anything; `why` is the reason, in the words of `docs/api.md`.
"""

from msgspec import Struct


class Deviation(Struct, frozen=True):
    """One way in which the documents differ."""

    difference: str
    why: str


DEVIATIONS = (
    Deviation("*: answers: 401 too", "Any operation may meet a key that opens nothing."),
    Deviation("*: answers: 405 too", "Another method gets the usual error body and `Allow`."),
    Deviation("*: answers: 429 too", "Any operation may come too fast, once a limit is set."),
    Deviation(
        "*: answers: 503 too", "The database may be away; nothing was changed, and `Retry-After` is set."
    ),
    Deviation("*: answers: 413 too", "A body of 4 MB or more is not read to its end."),
    Deviation("*: answers: 415 too", "A compressed body is not read; the message says so."),
    Deviation(
        "list*: answers: 400 too",
        "`perPage`, `cursor` and `list` are checked on every list, the deprecated one included.",
    ),
    Deviation(
        "*: request *: null too",
        "Null clears a property, and counts as not given for identifiers, maps, lists, and values that a "
        "comparison does not need.",
    ),
    Deviation(
        "*: request *: number too",
        "A number where text is expected becomes text, as programs send ids and groups as numbers.",
    ),
    Deviation("*: request *: integer too", "A `userId` that is a number is the same as its digits."),
    Deviation(
        "findContact: answer: * required",
        "A contact always has all of its keys.",
    ),
    Deviation("list*: answer*: * required", "A page always has both halves, and all numbers of the first."),
    Deviation(
        "*Transactional*: answer: transactionalGroupId required",
        "It is always there: what has no other group is in `Unsorted`.",
    ),
    Deviation("*Workflow*: answer*: * required", "A workflow always has a name and a description."),
    Deviation("getEmailMessage*: answers: no 409", "No message here is MJML."),
    Deviation(
        "*Contact: parameters: *Loopwright-Workflows*",
        "An addition: `off` keeps a contact that is added from starting workflows.",
    ),
    Deviation(
        "sendEvent: request: * known to one only",
        "An event may carry contact properties beside its own keys; the description names the default ones.",
    ),
)

BEHAVIOUR = (
    "Every error body has `success: false` and `message`, and beyond them only what the contract declares "
    "for that answer. The header `x-loopwright-code` has a code for programs, and `x-request-id`, on every "
    "answer, the name of the request in the log.",
    "400 of sendTransactionalEmail is the current form; `path` beside it names the key where that is known.",
    "`incomingWebhookPlatform` is JSON null for custom events, not the text `null`.",
    "What is nowhere gets 404 in that form, too, naming the API's root; outside it browsers get a page.",
    "Rate limits are off unless `--rate-limit` sets them; 429 then has `Retry-After`. Every answer below the "
    "API's roots tells its window, 404 and 405 included; without a valid key there is no team to tell of.",
    "A cursor is good for the list and team it came from, also when its item is gone; any other gets 400.",
    "`eventName`, `eventProperties` and `idempotencyKey` cannot be names of contact properties.",
    "A key that an object of a body has twice gets 400; lines of a bulk request, whose last one counts, are "
    "not looked at for that.",
    "HEAD is answered wherever GET is, slashes that are doubled or at a path's end are ignored unless "
    "percent-encoded, and `/v1` works like `/api/v1`.",
)
"""What the two documents cannot show."""
