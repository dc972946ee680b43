"""The addresses of the dashboard."""

import asyncio
from collections.abc import Mapping

from starlette.routing import BaseRoute, Mount, Route

from loopwright.server.clock import Clock
from loopwright.server.dashboard import answers
from loopwright.server.dashboard.assets import Assets
from loopwright.server.dashboard.buttons import Act, button
from loopwright.server.dashboard.campaign_buttons import (
    cancel_campaign,
    pause_campaign,
    resume_campaign,
    retry_campaign,
    schedule_campaign,
    send_campaign,
    send_to_joined,
    test_campaign,
)
from loopwright.server.dashboard.campaigns import (
    show_campaign,
    show_campaign_html,
    show_campaigns,
    show_recipients,
)
from loopwright.server.dashboard.contacts import show_contact, show_contacts
from loopwright.server.dashboard.designs import (
    show_component,
    show_component_html,
    show_components,
    show_theme,
    show_theme_html,
    show_themes,
)
from loopwright.server.dashboard.events import show_event, show_events
from loopwright.server.dashboard.inbox import download_message, show_inbox, show_message, show_message_html
from loopwright.server.dashboard.login_throttle import LoginThrottle
from loopwright.server.dashboard.overview import show_overview
from loopwright.server.dashboard.publishing import publish_transactional
from loopwright.server.dashboard.requests import Context, View, signed_in
from loopwright.server.dashboard.retrying import retry_email
from loopwright.server.dashboard.segments import show_segment, show_segments
from loopwright.server.dashboard.signin import sign_in, sign_out
from loopwright.server.dashboard.transactional import (
    show_transactional,
    show_transactional_html,
    show_transactionals,
)
from loopwright.server.dashboard.unsent import retry_unsent, show_unsent
from loopwright.server.dashboard.webhook_buttons import (
    disable_webhook,
    enable_webhook,
    replay_webhooks,
    rotate_webhook,
    test_webhook,
)
from loopwright.server.dashboard.webhooks import show_webhook, show_webhook_delivery, show_webhooks
from loopwright.server.dashboard.workflow_buttons import (
    pause_workflow,
    resume_workflow,
    start_workflow,
    stop_workflow,
)
from loopwright.server.dashboard.workflows import show_run, show_workflow, show_workflows
from loopwright.server.sealing import SealingKey
from loopwright.server.store.database import Pool

PAGES = {
    "/": show_overview,
    "/inbox": show_inbox,
    "/inbox/{message_id}": show_message,
    "/inbox/{message_id}/html": show_message_html,
    "/inbox/{message_id}/raw": download_message,
    "/events": show_events,
    "/events/{event_id}": show_event,
    "/contacts": show_contacts,
    "/contacts/{contact_id}": show_contact,
    "/unsent": show_unsent,
    "/campaigns": show_campaigns,
    "/campaigns/{campaign_id}": show_campaign,
    "/campaigns/{campaign_id}/html": show_campaign_html,
    "/campaigns/{campaign_id}/recipients": show_recipients,
    "/segments": show_segments,
    "/segments/{segment_id}": show_segment,
    "/workflows": show_workflows,
    "/workflows/{workflow_id}": show_workflow,
    "/runs/{run_id}": show_run,
    "/transactional": show_transactionals,
    "/transactional/{transactional_id}": show_transactional,
    "/transactional/{transactional_id}/html": show_transactional_html,
    "/themes": show_themes,
    "/themes/{theme_id}": show_theme,
    "/themes/{theme_id}/html": show_theme_html,
    "/components": show_components,
    "/components/{component_id}": show_component,
    "/components/{component_id}/html": show_component_html,
    "/webhooks": show_webhooks,
    "/webhooks/{webhook_id}": show_webhook,
    "/webhooks/{webhook_id}/{delivery_id}": show_webhook_delivery,
}
"""Every page behind the sign-in."""


BUTTONS: Mapping[str, tuple[Act, View]] = {
    "/emails/{email_id}/retry": (retry_email, show_overview),
    "/transactional/{transactional_id}/publish": (publish_transactional, show_transactional),
    "/campaigns/{campaign_id}/send": (send_campaign, show_campaign),
    "/campaigns/{campaign_id}/schedule": (schedule_campaign, show_campaign),
    "/campaigns/{campaign_id}/pause": (pause_campaign, show_campaign),
    "/campaigns/{campaign_id}/resume": (resume_campaign, show_campaign),
    "/campaigns/{campaign_id}/cancel": (cancel_campaign, show_campaign),
    "/campaigns/{campaign_id}/test": (test_campaign, show_campaign),
    "/unsent/retry": (retry_unsent, show_unsent),
    "/campaigns/{campaign_id}/joined": (send_to_joined, show_campaign),
    "/campaigns/{campaign_id}/retry": (retry_campaign, show_campaign),
    "/workflows/{workflow_id}/start": (start_workflow, show_workflow),
    "/workflows/{workflow_id}/resume": (resume_workflow, show_workflow),
    "/workflows/{workflow_id}/pause": (pause_workflow, show_workflow),
    "/workflows/{workflow_id}/stop": (stop_workflow, show_workflow),
    "/webhooks/{webhook_id}/enable": (enable_webhook, show_webhook),
    "/webhooks/{webhook_id}/disable": (disable_webhook, show_webhook),
    "/webhooks/{webhook_id}/test": (test_webhook, show_webhook),
    "/webhooks/{webhook_id}/replay": (replay_webhooks, show_webhook),
    "/webhooks/{webhook_id}/rotate": (rotate_webhook, show_webhook),
}
"""What each button does, and the page that it is on."""


def routes(
    pool: Pool,
    clock: Clock,
    *,
    public_url: str,
    origin: str | None,
    has_relay: bool,
    sealing: SealingKey | None,
) -> list[BaseRoute]:
    """Make the dashboard's routes. `public_url` is the server's own address, without a final slash.

    `has_relay` says whether email leaves the server, `sealing` is what seals secrets, where anything does.

    `origin` is where browsers have the pages from; None takes their word for it, from `Host`. `pool` has two
    connections at least, and should serve nobody else.
    """
    searches = asyncio.Semaphore(pool.get_max_size() - 1)
    context = Context(pool, clock, public_url, origin, LoginThrottle(), searches, has_relay, sealing)
    return [
        Mount("/static", Assets(directory=answers.STATIC)),
        Route("/sign-in", sign_in(context), methods=["GET", "POST"]),
        Route("/sign-out", sign_out(context), methods=["POST"]),
        *(Route(path, button(context, *one), methods=["GET", "POST"]) for path, one in BUTTONS.items()),
        *(Route(path, signed_in(context, view), methods=["GET"]) for path, view in PAGES.items()),
    ]
