"""Metrics over HTTP: what is counted is told, and what is none says why."""

import httpx2

from support.factories import add_email, add_fact, first_team
from support.live import LiveServer
from support.mail_office import NOW
from support.refusals import code_of, refused
from support.workflows import add_workflow, email_timer_email

ZEROS = {
    "sends": 0,
    "opens": 0,
    "clicks": 0,
    "unsubscribes": 0,
    "spamReports": 0,
    "hardBounces": 0,
    "softBounces": 0,
}


async def test_a_nodes_metrics_are_those_of_its_own_email(
    live_server: LiveServer, http: httpx2.AsyncClient, stranger: dict[str, str]
) -> None:
    """Zeros before the first send; another type of node, another team and an unknown id are told apart."""
    team_id = await first_team(live_server.pool)
    nodes = await email_timer_email(live_server.pool, team_id, 1)
    workflow = await add_workflow(live_server.pool, team_id, nodes)
    path = f"/workflows/{workflow.id}/nodes"
    assert (await http.get(f"{path}/first/metrics")).json() == ZEROS
    message_id = getattr(nodes["first"], "email_message_id")  # noqa: B009
    for email_id in ("cone", "ctwo"):
        await add_email(live_server.pool, message_id, email_id, now=NOW, kind="marketing", status="sent")
        await add_fact(live_server.pool, team_id, "email_sent", email_id=email_id, now=NOW)
    await add_fact(live_server.pool, team_id, "email_opened", email_id="cone", now=NOW)
    assert (await http.get(f"{path}/first/metrics")).json() == ZEROS | {"sends": 2, "opens": 1}
    assert (await http.get(f"{path}/second/metrics")).json() == ZEROS
    refused(await http.get(f"{path}/wait/metrics"), 400, "Node is not a SendEmailAction node.")
    unknown = await http.get(f"{path}/nobody/metrics")
    assert (unknown.status_code, code_of(unknown)) == (404, "workflow_node_not_found")
    foreign = await http.get(f"{path}/first/metrics", headers=stranger)
    assert (foreign.status_code, code_of(foreign)) == (404, "workflow_not_found")


async def test_a_transactional_email_is_counted_over_all_its_versions(
    live_server: LiveServer, http: httpx2.AsyncClient, welcome_id: str, stranger: dict[str, str]
) -> None:
    """What was sent by the API, whichever version it was; a delivery is that the relay has taken it."""
    team_id = await first_team(live_server.pool)
    message_id = await live_server.pool.fetchval(
        "SELECT published_message_id FROM transactional_email WHERE id = $1", welcome_id
    )
    for email_id in ("cone", "ctwo"):
        await add_email(live_server.pool, message_id, email_id, now=NOW, status="sent")
    await live_server.pool.execute("UPDATE email SET transactional_id = $1", welcome_id)
    await live_server.pool.execute("UPDATE email SET message_id = 'cformer' WHERE id = 'ctwo'")
    for email_id in ("cone", "ctwo"):
        await add_fact(live_server.pool, team_id, "email_sent", email_id=email_id, now=NOW)
    path = f"/transactional-emails/{welcome_id}/metrics"
    assert (await http.get(path)).json() == {
        "sends": 2,
        "deliveries": 2,
        "spamReports": 0,
        "hardBounces": 0,
        "softBounces": 0,
    }
    refused(await http.get(path, headers=stranger), 404, "Transactional email not found.")
