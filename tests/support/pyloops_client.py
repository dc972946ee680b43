"""Drives a server with every method of pyloops, whose decoders insist on each declared key.

A program. It prints a line of JSON: the keys that no model declares, and the methods never called.
"""

import asyncio
import inspect
import json
import os
import sys
import urllib.request
from base64 import b64decode
from typing import Any

from pyloops import LoopsClient
from pyloops._generated import models

ENV = os.environ
# The contract lists the text "null" where the API answers null, and so do its enumerations: read as meant.
for platform in (
    models.EventPatternIncomingWebhookPlatform,
    models.EventPatternSummaryIncomingWebhookPlatform,
):
    platform._missing_ = classmethod(lambda cls, value: cls("null") if value is None else None)

called: set[str] = set()
undeclared: list[str] = []


class Watched:
    """The client, and what it answered: every model's keys are looked at."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        async def call(*given: Any, **named: Any) -> Any:
            answer = await method(*given, **named)
            called.add(name)
            look(answer, name)
            return answer

        return call


def look(value: Any, at: str) -> None:
    """Note what a model keeps beside the fields that it declares; one that declares none is a map."""
    if isinstance(value, list):
        for item in value:
            look(item, at)
    elif hasattr(value, "__attrs_attrs__"):
        fields = [one.name for one in value.__attrs_attrs__ if one.name != "additional_properties"]
        others = getattr(value, "additional_properties", {})
        if fields and others:
            undeclared.append(f"{at}: {type(value).__name__} {sorted(others)}")
        for field in fields:
            look(getattr(value, field), f"{at}.{field}")
        for key, one in others.items():
            look(one, f"{at}.{key}")


async def contacts(loops: Any) -> None:
    email = "ada+py@example.com"
    await loops.health()
    await loops.create_contact_property("plan", "string")
    await loops.create_contact(email, user_id="u1", first_name="Ada")
    await loops.upsert_contact(email, mailing_lists={ENV["LIST_ID"]: True}, subscribed=True)
    await loops.find_contact(email=email)
    await loops.list_contact_properties()
    await loops.list_mailing_lists()
    await loops.list_sending_ips()
    await loops.send_event("signup", email=email, event_properties={"seats": 3}, idempotency_key="py1")
    pattern = (await loops.list_event_patterns(per_page=10)).data[0]
    await loops.get_event_pattern(pattern.id)
    await loops.get_event_pattern_by_name("signup")
    await loops.get_contact_suppression(email=email)
    await loops.create_contact(ENV["SUPPRESSED"])
    await loops.remove_contact_suppression(email=ENV["SUPPRESSED"])
    await loops.delete_contact(user_id="u1")


async def groups(loops: Any) -> dict[str, str]:
    made = {}
    for kind in ("campaign", "transactional", "workflow"):
        group = await getattr(loops, f"create_{kind}_group")("Product", description="What is new")
        await getattr(loops, f"update_{kind}_group")(group.id, name="Products")
        await getattr(loops, f"get_{kind}_group")(group.id)
        await getattr(loops, f"list_{kind}_groups")()
        made[kind] = group.id
    return made


async def designs(loops: Any) -> str:
    image = b64decode(ENV["IMAGE"])
    upload = await loops.create_upload("image/png", len(image))
    headers = {"Content-Type": "image/png"}
    put = urllib.request.Request(upload.presigned_url, image, headers, method="PUT")
    await asyncio.to_thread(lambda: urllib.request.urlopen(put).close())
    done = await loops.complete_upload(upload.email_asset_id)
    theme = await loops.create_theme("Sea", styles={"bodyColor": "#ffffff"})
    await loops.update_theme(theme.id, styles={"borderWidth": 1, "heading1LetterSpacing": -0.5})
    await loops.get_theme(theme.id)
    await loops.list_themes()
    component = await loops.create_component("Head", f'<Image src="{done.final_url}" alt="Acme"/>')
    await loops.update_component(component.id, name="Top", lmx="<Divider/>")
    await loops.get_component(component.id)
    await loops.list_components()
    return f'<Style themeId="{theme.id}"/><Component componentId="{component.id}"/>'


async def transactional(loops: Any, head: str, group_id: str) -> None:
    made = await loops.create_transactional_template("Code", transactional_group_id=group_id)
    message = await loops.update_email_message(
        made.draft_email_message_id,
        expected_revision_id=made.draft_email_message_content_revision_id,
        subject="Your code", preview_text="Soon", from_name="Acme", from_email="hello",
        reply_to_email="help@example.com", cc_email="a@example.com", bcc_email="b@example.com",
        language_code="en", email_format="styled",
        lmx=f"{head}<Paragraph>{{data.code}}</Paragraph><Button>Go</Button>",
        data_variables_fallbacks={"code": "none", "unused": "x"},
    )  # fmt: skip
    await loops.get_email_message(message.id)
    await loops.get_email_message_guardian(message.id)
    await loops.preview_email_message(message.id, ["ada@example.com"], data_variables={"code": "1"})
    await loops.update_email_message(message.id, lmx="<Paragraph>{data.code}</Paragraph>")
    await loops.publish_transactional_template(made.id)
    await loops.draft_transactional_template(made.id)
    await loops.update_transactional_template(made.id, name="Other")
    await loops.get_transactional_template(made.id)
    await loops.get_transactional_variables(made.id)
    await loops.list_transactional_templates()
    await loops.list_transactional_emails(per_page=10)
    await loops.send_transactional_email(made.id, "ada@example.com", data_variables={"code": "1"})
    await loops.get_transactional_template_metrics(made.id)


async def audience(loops: Any) -> None:
    conditions = [
        {"type": "optIn", "status": None},
        {"type": "property", "key": "plan", "operator": "contains", "value": "pro"},
    ]
    segment = await loops.create_audience_segment("All", {"match": "any", "conditions": conditions})
    await loops.get_audience_segment(segment.id)
    await loops.list_audience_segments()
    campaign = await loops.create_campaign("News")
    await loops.update_campaign(campaign.id, "Newest")
    await loops.get_campaign(campaign.id)
    await loops.list_campaigns()
    await loops.get_campaign_metrics(ENV["SENT_CAMPAIGN"])


async def workflows(loops: Any, group_id: str) -> None:
    flow = await loops.create_workflow(
        "Welcome",
        description="For those who came",
        mailing_list_id=ENV["LIST_ID"],
        workflow_group_id=group_id,
    )
    revision, root = flow.workflow_revision_id, flow.root_node_id
    flow_id = flow.id

    def nodes(flow: Any) -> Any:
        return flow.to_dict()["nodes"] if hasattr(flow, "to_dict") else flow["nodes"]

    async def update(node_id: str, payload: dict[str, Any]) -> None:
        nonlocal revision
        answer = await loops.update_workflow_node(flow_id, node_id, revision, payload)
        revision = answer["workflowRevisionId"]
        await loops.get_workflow_node(flow_id, node_id)

    async def create(kind: str, from_node: str, to_node: str) -> Any:
        nonlocal revision, flow
        answer = await loops.create_workflow_node(flow_id, kind, revision, from_node, to_node)
        flow, revision = answer["workflow"], answer["node"]["workflowRevisionId"]
        await loops.get_workflow_node(flow_id, answer["node"]["id"])
        return answer["node"]

    await loops.list_workflows()
    flow = await loops.update_workflow(flow_id, revision, description="Everybody")
    revision = flow.workflow_revision_id
    (exit_,) = nodes(flow)[root]["nextNodeIds"]
    # It takes every payload without a type for an event trigger's, and drops what that does not have.
    await update(root, {"typeName": "SignupTrigger"})
    was = {"value": "", "operator": "any"}
    query = {"key": "plan", "is": {"value": "pro", "operator": "equal"}, "was": was}
    await update(
        root, {"typeName": "ContactPropertyTrigger", "contactPropertyQuery": query, "reEligible": True}
    )
    await update(root, {"typeName": "AddToListTrigger", "reEligible": False})
    await update(root, {"typeName": "EventTrigger", "eventName": "signup", "reEligible": True})
    email = await create("SendEmailAction", root, exit_)
    timer = await create("TimerAction", email["id"], exit_)
    gate = await create("AudienceFilter", timer["id"], exit_)
    branch = await create("BranchNode", gate["id"], exit_)
    added = await loops.add_workflow_branch(flow_id, branch["id"], revision)
    revision = added.workflow.workflow_revision_id
    way, *_, other = nodes(added.workflow)[branch["id"]]["nextNodeIds"]
    split = await create("ExperimentBranchNode", way, exit_)
    await loops.get_workflow(flow_id)
    rerouted = await loops.reroute_workflow_node_connection(flow_id, other, revision, split["id"])
    revision = rerouted["workflowRevisionId"]
    await loops.get_workflow_node_metrics(flow_id, email["id"])
    await loops.get_email_message(email["emailMessageId"])
    await loops.delete_workflow_node(flow_id, timer["id"], revision, dry_run=True)
    deleted = await loops.delete_workflow_node(flow_id, timer["id"], revision)
    revision = deleted.workflow_revision_id
    deleted = await loops.delete_workflow_node(flow_id, split["id"], revision, recursive=True)
    revision = deleted.workflow_revision_id
    await loops.change_workflow_mailing_list(flow_id, revision, None, dry_run=True)
    changed = await loops.change_workflow_mailing_list(flow_id, revision, None)
    await loops.delete_workflow(flow_id, changed.workflow_revision_id, confirm_delete=True)


async def main() -> None:
    client = LoopsClient(api_key=ENV["API_KEY"], base_url=ENV["BASE_URL"] + "/api")
    loops = Watched(client)
    await contacts(loops)
    made = await groups(loops)
    await transactional(loops, await designs(loops), made["transactional"])
    await audience(loops)
    await workflows(loops, made["workflow"])
    methods = {
        name
        for name, _ in inspect.getmembers(LoopsClient, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    print(json.dumps({"undeclared": undeclared, "never called": sorted(methods - called)}))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
