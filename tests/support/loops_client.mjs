// Drives a server with the JavaScript client and prints what each call came to, one JSON object for all.
import { createRequire } from "node:module";
import { faults } from "./declared_types.mjs";

const folder = process.env.CLIENT_FOLDER;
const { LoopsClient } = createRequire(folder + "/")("loops");
const client = new LoopsClient(process.env.API_KEY);
client.apiRoot = process.env.BASE_URL + "/api/";

const methods = Object.getOwnPropertyNames(LoopsClient.prototype).filter((name) => !/^_|^constructor$/.test(name));
const answers = [];
for (const name of methods) {
  const method = client[name].bind(client);
  client[name] = async (...given) => {
    const answer = await method(...given);
    answers.push([name, answer]);
    return answer;
  };
}

// Where the contract, which other clients are as strict about, says otherwise than this client's types: workflows
// have a group, and what a change answers of a node does not repeat the workflow's id. And nobody can declare `plan`.
function asDeclared([method, answer]) {
  const value = JSON.parse(JSON.stringify(answer), (key, one) => {
    if (key === "workflowGroupId" || key === "plan") return undefined;
    return method !== "getWorkflowNode" && one?.nextNodeIds && one.id ? { workflowId: "", ...one } : one;
  });
  return [method, value];
}

const results = {};
async function call(name, work) {
  try {
    results[name] = await work();
  } catch (error) {
    results[name] = { error: error.name, message: error.message };
  }
  return results[name];
}

async function contacts() {
  const email = "ada+js@example.com";
  await call("key", () => client.testApiKey());
  await call("property", () => client.createContactProperty("plan", "string"));
  await call("property again", () => client.createContactProperty("plan", "string"));
  await call("create", () => client.createContact({ email, properties: { firstName: "Ada", plan: "pro" } }));
  await call("create again", () => client.createContact({ email }));
  const mailingLists = { [process.env.LIST_ID]: true };
  await call("update", () => client.updateContact({ email, userId: "u1", properties: { plan: null }, mailingLists }));
  await call("find", () => client.findContact({ email }));
  await call("find nobody", () => client.findContact({ userId: "nobody" }));
  await call("properties", () => client.listContactProperties("custom"));
  await call("all properties", () => client.listContactProperties());
  await call("lists", () => client.listMailingLists());
  await call("addresses", () => client.listDedicatedSendingIps());
  const event = { email, eventName: "signup", eventProperties: { seats: 3 } };
  await call("event", () => client.sendEvent({ ...event, headers: { "Idempotency-Key": "k1" } }));
  await call("event again", () => client.sendEvent({ ...event, headers: { "Idempotency-Key": "k1" } }));
  await call("event without a key", () => client.sendEvent({ ...event, headers: { "Idempotency-Key": "" } }));
  const patterns = await call("patterns", () => client.listEventPatterns({ perPage: 10 }));
  await call("pattern", () => client.getEventPattern(patterns.data[0].id));
  await call("pattern by name", () => client.getEventPatternByName("signup"));
  const transactionalId = process.env.TRANSACTIONAL_ID;
  const dataVariables = { optInUrl: "https://x.test/" };
  await call("transactional", () => client.sendTransactionalEmail({ transactionalId, email, dataVariables }));
  await call("transactional without variables", () => client.sendTransactionalEmail({ transactionalId, email }));
  await call("unknown transactional", () => client.sendTransactionalEmail({ transactionalId: "cnone", email }));
  await call("suppression", () => client.checkContactSuppression({ email }));
  await call("remove suppression", () => client.removeContactSuppression({ email }));
  const suppressed = { email: process.env.SUPPRESSED };
  await client.createContact(suppressed);
  await call("remove a suppression", () => client.removeContactSuppression(suppressed));
  await call("delete", () => client.deleteContact({ userId: "u1" }));
}

async function groups() {
  for (const kind of ["Campaign", "Transactional"]) {
    const made = await client[`create${kind}Group`]({ name: "Product" });
    await client[`update${kind}Group`](made.id, { description: "What is new" });
    await client[`get${kind}Group`](made.id);
    await client[`list${kind}Groups`]();
    results[`${kind} group`] = made;
  }
}

async function designs() {
  const size = Buffer.from(process.env.IMAGE, "base64").length;
  const upload = await client.createUpload({ contentType: "image/png", contentLength: size });
  const headers = { "Content-Type": "image/png" };
  const body = Buffer.from(process.env.IMAGE, "base64");
  await fetch(upload.presignedUrl, { method: "PUT", headers, body });
  const image = await client.completeUpload(upload.emailAssetId);
  const theme = await client.createTheme({ name: "Sea", styles: { bodyColor: "#ffffff", borderWidth: 1 } });
  const lmx = `<Image src="${image.finalUrl}" alt="Acme"/>`;
  const component = await client.createComponent({ name: "Head", lmx });
  await client.updateTheme(theme.id, { name: "Lake", styles: { heading1LetterSpacing: -0.5 } });
  await client.getTheme(theme.id);
  await client.listThemes({ perPage: 10 });
  await client.updateComponent(component.id, { lmx: `${lmx}<Divider/>` });
  await client.getComponent(component.id);
  await client.listComponents();
  return `<Style themeId="${theme.id}"/><Component componentId="${component.id}"/>`;
}

async function transactional(head) {
  const transactionalGroupId = results["Transactional group"].id;
  const made = await client.createTransactionalEmail({ name: "Code", transactionalGroupId });
  const id = made.draftEmailMessageId;
  const content = {
    expectedRevisionId: made.draftEmailMessageContentRevisionId, subject: "Your code", previewText: "Soon",
    fromName: "Acme", fromEmail: "hello", replyToEmail: "help@example.com", ccEmail: "a@example.com",
    bccEmail: "b@example.com", languageCode: "en", emailFormat: "styled",
    lmx: `${head}<Paragraph>{data.code}</Paragraph><Button>Go</Button>`,
    dataVariablesFallbacks: { code: "none", other: "unused" },
  };
  await call("updated message", () => client.updateEmailMessage(id, content));
  await call("stale update", () => client.updateEmailMessage(id, content));
  await call("wrong LMX", () => client.updateEmailMessage(id, { lmx: "<Paragraph>" }));
  await client.getEmailMessage(id);
  await call("guardian", () => client.runEmailMessageGuardian(id));
  await call("publish too early", () => client.publishTransactionalEmail(made.id));
  const lmx = content.lmx.replace("<Button>", '<Button href="https://example.com/">');
  await client.updateEmailMessage(id, { lmx });
  const emails = ["ada@example.com"];
  await call("preview", () => client.sendEmailMessagePreview(id, { emails, dataVariables: { code: "1" } }));
  await call("publish", () => client.publishTransactionalEmail(made.id));
  await call("publish again", () => client.publishTransactionalEmail(made.id));
  await client.ensureTransactionalEmailDraft(made.id);
  await client.updateTransactionalEmail(made.id, { name: "Other" });
  await call("get transactional", () => client.getTransactionalEmail(made.id));
  await call("list transactional", () => client.listTransactionalEmails({ perPage: 10 }));
}

async function audience() {
  const optIn = { type: "optIn", status: null };
  const range = { from: "2024-01-01T00:00:00.000Z", to: "2030-01-01T00:00:00.000Z" };
  const made2024 = { type: "property", key: "createdAt", operator: "between", value: range };
  const filter = { match: "any", conditions: [optIn, made2024] };
  const segment = await client.createAudienceSegment({ name: "All", description: "Everybody", filter });
  await call("segment again", () => client.createAudienceSegment({ name: "All", filter }));
  await client.getAudienceSegment(segment.id);
  await client.listAudienceSegments({ perPage: 10 });
  const campaignGroupId = results["Campaign group"].id;
  const campaign = await client.createCampaign({ name: "News", campaignGroupId, audienceFilter: filter });
  await client.getEmailMessage(campaign.emailMessageId);
  const scheduling = { method: "schedule", timestamp: "2999-01-01T08:00:00.000Z" };
  const change = { audienceSegmentId: segment.id, mailingListId: process.env.LIST_ID, scheduling };
  await call("update campaign", () => client.updateCampaign(campaign.id, change));
  await call("get campaign", () => client.getCampaign(campaign.id));
  await client.listCampaigns({ perPage: 10 });
  return { segment, filter };
}

async function workflows({ segment, filter }) {
  let flow = await client.createWorkflow({ name: "Welcome", mailingListId: process.env.LIST_ID });
  const id = flow.id;
  const revised = (change) => ({ expectedRevisionId: flow.workflowRevisionId, ...change });
  const keep = (answer) => { flow = answer.workflow ?? answer; return answer; };
  const firstOf = (nodeId) => flow.nodes[nodeId].nextNodeIds[0];
  const create = async (change) => {
    const { node } = keep(await client.createWorkflowNode(id, revised(change)));
    await client.getWorkflowNode(id, node.id);
    for (const child of node.createdChildNodes ?? []) await client.getWorkflowNode(id, child.id);
    return node;
  };
  const update = async (nodeId, payload) => {
    keep(await client.updateWorkflowNode(id, nodeId, revised({ payload })));
    await client.getWorkflowNode(id, nodeId);
  };
  await client.getWorkflow(id);
  await client.listWorkflows({ perPage: 10 });
  keep(await client.updateWorkflow(id, revised({ description: "For those who came" })));
  const root = flow.rootNodeId;
  const exit = firstOf(root);
  await client.getWorkflowNode(id, exit);
  const seats = { value: "pro", operator: "equal" };
  for (const payload of [
    { typeName: "SignupTrigger" },
    { typeName: "AddToListTrigger", reEligible: true },
    { typeName: "ContactPropertyTrigger", contactPropertyQuery: { key: "plan", is: seats, was: { ...seats, operator: "any" } } },
    { typeName: "EventTrigger", eventName: "signup", reEligible: true },
    { eventPatternId: (await client.getEventPatternByName("signup")).id },
  ]) await update(root, payload);
  const between = { insertMode: "between", fromNodeId: root, toNodeId: exit };
  const timer = await create({ ...between, nodeTypeName: "TimerAction" });
  await update(timer.id, { amount: 2, unit: "h" });
  const email = await create({ insertMode: "after", fromNodeId: timer.id, nodeTypeName: "SendEmailAction" });
  await client.getEmailMessage(email.emailMessageId);
  const gate = await create({ insertMode: "before", toNodeId: email.id, nodeTypeName: "AudienceFilter" });
  await update(gate.id, { audienceSegmentId: segment.id, audienceFilter: filter, appliesDownstream: false });
  await update(gate.id, { audienceSegmentId: null });
  const branch = await create({ insertMode: "before", beforeNodeId: exit, nodeTypeName: "BranchNode" });
  keep(await client.addWorkflowBranch(id, branch.id, revised({})));
  const split = await create({ insertMode: "after", fromNodeId: firstOf(branch.id), nodeTypeName: "ExperimentBranchNode" });
  await update(split.id, { samplingRate: 40 });
  keep(await client.addWorkflowBranch(id, split.id, revised({})));
  await update(firstOf(split.id), { isControl: true });
  const variant = firstOf(split.id);
  const target = firstOf(variant);
  const pause = await create({ insertMode: "between", fromNodeId: variant, toNodeId: target, nodeTypeName: "TimerAction" });
  const other = flow.nodes[branch.id].nextNodeIds.at(-1);
  keep(await client.rerouteWorkflowNode(id, other, revised({ newTargetNodeId: split.id })));
  const discard = { queuedContactPolicy: "discard" };
  await client.deleteWorkflowNode(id, pause.id, revised({ dryRun: true }));
  keep(await client.deleteWorkflowNode(id, pause.id, revised(discard)));
  await client.deleteWorkflowNodesRecursive(id, split.id, revised({ dryRun: true }));
  keep(await client.deleteWorkflowNodesRecursive(id, split.id, revised(discard)));
  const noList = { mailingListId: null };
  await client.changeWorkflowMailingList(id, revised({ ...noList, dryRun: true }));
  keep(await client.changeWorkflowMailingList(id, revised(noList)));
  await call("stale workflow", () => client.updateWorkflow(id, { expectedRevisionId: "old", name: "x" }));
  await client.getWorkflow(id);
  await call("delete workflow", () => client.deleteWorkflow(id, revised({ confirmDelete: true })));
  await call("deleted workflow", () => client.getWorkflow(id));
}

await contacts();
await groups();
await transactional(await designs());
await workflows(await audience());
client.apiKey = "wrong";
await call("wrong key", () => client.testApiKey());
const called = new Set(answers.map(([name]) => name));
results["never called"] = methods.filter((name) => !called.has(name));
// The last two are wrong, so that the judge is seen to judge.
answers.push(["testApiKey", { success: true }], ["testApiKey", { success: true, teamName: "Acme", more: 1 }]);
results["misfits"] = faults(folder, answers.filter(([, answer]) => answer !== undefined).map(asDeclared));
console.log(JSON.stringify(results));
