// node --test, against `loopwright serve --test`.
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { after, before, test } from "node:test"
import { createInterface } from "node:readline"

const DAY = 86400
const server = { child: null, address: "", headers: {} }

before(async () => {
  server.child = spawn("loopwright", ["serve", "--test", "--port", "0", "--with-parent"], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  for await (const line of createInterface({ input: server.child.stdout })) {
    server.address ||= /^Loopwright listens on (\S+)/.exec(line)?.[1] ?? ""
    const key = /LOOPS_API_KEY=(\S+)/.exec(line)?.[1]
    if (key) {
      server.headers = { authorization: `Bearer ${key}`, "content-type": "application/json" }
      break
    }
  }
  assert.ok(server.address, "the server did not start; what it said is above")
})

after(() => server.child.stdin.end())

async function control(method, path, body) {
  const answer = await fetch(`${server.address}/loopwright/test${path}`, {
    method, headers: server.headers, body: body && JSON.stringify(body),
  })
  const told = await answer.json()
  assert.ok(answer.ok, told.message)
  return told
}

test("an event is kept, and time passes", async () => {
  const team = await control("POST", "/teams")
  const sent = await fetch(`${server.address}/api/v1/events/send`, {
    method: "POST",
    headers: { authorization: `Bearer ${team.key}`, "content-type": "application/json" },
    body: JSON.stringify({ eventName: "signup", email: "ada@example.com" }),
  })
  assert.equal(sent.status, 200)
  const before = await control("GET", "/clock")
  const later = await control("POST", "/clock/advance", { seconds: 3 * DAY })
  assert.ok(new Date(later.now) - new Date(before.now) >= 3 * DAY * 1000)
  assert.deepEqual(await control("GET", `/teams/${team.id}/messages`), [])
  assert.match((await control("GET", `/teams/${team.id}/story`)).join("\n"), /event signup of ada@example.com/)
  await control("POST", `/teams/${team.id}/end`)
})

test("an outage", async () => {
  const team = await control("POST", "/teams")
  await control("POST", `/teams/${team.id}/faults`, { route: "POST /v1/events/send", status: 503 })
  const sent = await fetch(`${server.address}/api/v1/events/send`, {
    method: "POST", headers: { authorization: `Bearer ${team.key}` }, body: "{}",
  })
  assert.equal(sent.status, 503)
  const [fault] = await control("POST", `/teams/${team.id}/end`)
  assert.equal(fault.met, 1)
})
