"""What a page says of the button that led to it. Pure."""

from collections.abc import Mapping
from typing import get_args

from loopwright.server.dashboard.filters import number
from loopwright.server.dashboard.pages.frame import Done, Notice
from loopwright.server.refusal import Refusal

SENTENCES: Mapping[Done, str] = {
    "published": "The draft is published: it is what is sent from now on.",
    "started": "The workflow is sending.",
    "resumed": "The workflow goes on.",
    "paused": "The workflow is paused.",
    "stopped": "The workflow is stopped.",
    "sending": "The campaign is being sent.",
    "scheduled": "The campaign is scheduled.",
    "campaign_paused": "The campaign is paused; what a sender had in hand still goes.",
    "campaign_resumed": "The campaign goes on.",
    "cancelled": "The campaign is cancelled.",
    "tested": "A test is on its way.",
    "enabled": "The endpoint is enabled. What it missed can be sent again.",
    "disabled": "The endpoint is disabled. What happens meanwhile is kept for 30 days.",
    "webhook_tested": "A test is on its way; it is the first line below.",
    "replayed": "Webhooks that are sent again: {count}.",
    "campaign_again": "They are being sent again.",
    "queued_again": "Emails that are sent again: {count}.",
}


def done(query: Mapping[str, str]) -> Notice | None:
    """What the query of an address says was done; None where it says nothing of it."""
    told, count = query.get("done"), query.get("count", "")
    for name in get_args(Done):
        if name == told:
            how_many = number(int(count)) if count.isascii() and count.isdigit() and len(count) < 13 else "0"
            return Notice(is_refusal=False, says=SENTENCES[name].format(count=how_many))
    return None


def refused(refusal: Refusal) -> Notice:
    """Why nothing was done."""
    if len(refusal.details) < 2:
        return Notice(is_refusal=True, says=refusal.message)
    return Notice(is_refusal=True, says=refusal.message.partition(":")[0] + ":", reasons=refusal.details)
