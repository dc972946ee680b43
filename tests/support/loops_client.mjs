// Drives a server with the JavaScript client and prints what each call came to, one JSON object for all.
import { createRequire } from "node:module";

const { LoopsClient } = createRequire(process.env.CLIENT_FOLDER + "/")("loops");
const client = new LoopsClient(process.env.API_KEY);
client.apiRoot = process.env.BASE_URL + "/api/";

const results = {};
async function call(name, work) {
  try {
    results[name] = await work();
  } catch (error) {
    results[name] = { error: error.name, message: error.message };
  }
}

const email = "ada+js@example.com";
await call("key", () => client.testApiKey());
await call("property", () => client.createContactProperty("plan", "string"));
await call("property again", () => client.createContactProperty("plan", "string"));
await call("create", () => client.createContact({ email, properties: { firstName: "Ada", plan: "pro" } }));
await call("create again", () => client.createContact({ email }));
await call("update", () => client.updateContact({ email, userId: "u1", properties: { plan: null } }));
await call("find", () => client.findContact({ email }));
await call("properties", () => client.listContactProperties("custom"));
await call("lists", () => client.listMailingLists());
const event = { email, eventName: "signup", eventProperties: { seats: 3 } };
await call("event", () => client.sendEvent({ ...event, headers: { "Idempotency-Key": "k1" } }));
await call("event again", () => client.sendEvent({ ...event, headers: { "Idempotency-Key": "k1" } }));
await call("event without a key", () => client.sendEvent({ ...event, headers: { "Idempotency-Key": "" } }));
const transactionalId = process.env.TRANSACTIONAL_ID;
await call("transactional", () =>
  client.sendTransactionalEmail({ transactionalId, email, dataVariables: { optInUrl: "https://x.test/" } }));
await call("transactional without variables", () => client.sendTransactionalEmail({ transactionalId, email }));
await call("unknown transactional", () => client.sendTransactionalEmail({ transactionalId: "cnone", email }));
await call("suppression", () => client.checkContactSuppression({ email }));
await call("remove suppression", () => client.removeContactSuppression({ email }));
await call("delete", () => client.deleteContact({ userId: "u1" }));
await call("createTransactionalEmail", () => client.createTransactionalEmail({ name: "Code" }));
const made = results.createTransactionalEmail;
const expectedRevisionId = made.draftEmailMessageContentRevisionId;
const content = {
  expectedRevisionId, subject: "Your code", previewText: "Soon", fromName: "Acme", fromEmail: "hello",
  replyToEmail: "help@example.com", languageCode: "en", emailFormat: "styled",
  lmx: "<Paragraph>{data.code}</Paragraph>", dataVariablesFallbacks: { code: "none", other: "unused" },
};
await call("updateEmailMessage", () => client.updateEmailMessage(made.draftEmailMessageId, content));
await call("stale update", () => client.updateEmailMessage(made.draftEmailMessageId, content));
await call("getEmailMessage", () => client.getEmailMessage(made.draftEmailMessageId));
await call("getEmailMessageGuardian", () => client.runEmailMessageGuardian(made.draftEmailMessageId));
await call("publishTransactionalEmail", () => client.publishTransactionalEmail(made.id));
await call("publish again", () => client.publishTransactionalEmail(made.id));
await call("ensureTransactionalDraft", () => client.ensureTransactionalEmailDraft(made.id));
await call("updateTransactionalEmail", () => client.updateTransactionalEmail(made.id, { name: "Other" }));
await call("getTransactionalEmail", () => client.getTransactionalEmail(made.id));
await call("listTransactionalEmails", () => client.listTransactionalEmails({ perPage: 10 }));
const optIn = { type: "optIn", status: null };
const range = { from: "2024-01-01T00:00:00.000Z", to: "2030-01-01T00:00:00.000Z" };
const made2024 = { type: "property", key: "createdAt", operator: "between", value: range };
const filter = { match: "any", conditions: [optIn, made2024] };
await call("createAudienceSegment", () => client.createAudienceSegment({ name: "All", filter }));
const segment = results.createAudienceSegment;
await call("segment again", () => client.createAudienceSegment({ name: "All", filter }));
await call("getAudienceSegment", () => client.getAudienceSegment(segment.id));
await call("listAudienceSegments", () => client.listAudienceSegments({ perPage: 10 }));
await call("createCampaign", () => client.createCampaign({ name: "News", audienceFilter: filter }));
const campaign = results.createCampaign;
const scheduling = { method: "schedule", timestamp: "2999-01-01T08:00:00.000Z" };
await call("updateCampaign", () =>
  client.updateCampaign(campaign.id, { audienceSegmentId: segment.id, scheduling }));
await call("getCampaign", () => client.getCampaign(campaign.id));
await call("listCampaigns", () => client.listCampaigns({ perPage: 10 }));
client.apiKey = "wrong";
await call("wrong key", () => client.testApiKey());
console.log(JSON.stringify(results));
