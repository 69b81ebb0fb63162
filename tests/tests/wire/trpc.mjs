// Calls over every link of the official tRPC client, and what they answer. Arguments: where the client is installed,
// and the server's address.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const [bindings, base] = process.argv.slice(2);
const require = createRequire(join(bindings, "package.json"));
const { createTRPCClient, createWSClient, httpBatchLink, httpBatchStreamLink, httpLink, TRPCClientError, wsLink } =
  require("@trpc/client");

const post = async (path, body) => {
  const headers = { "content-type": "application/json" };
  return (await fetch(base + path, { method: "POST", headers, body: JSON.stringify(body) })).json();
};
const session = (subject, role) => post("/dev/token", { organization: "acme", subject, role });
const url = `${base}/trpc`;
const links = {
  http: (headers) => httpLink({ url, headers }),
  batch: (headers) => httpBatchLink({ url, headers }),
  stream: (headers) => httpBatchStreamLink({ url, headers }),
  override: (headers) => httpLink({ url, headers, methodOverride: "POST" }),
};

const refused = async (call, code, type) => {
  const error = await call.then(() => assert.fail("not refused"), (error) => error);
  assert.ok(error instanceof TRPCClientError, String(error));
  assert.equal(error.data.code, code);
  assert.equal(error.data.reason?.type, type);
  return error;
};

/** The same story over whichever link. */
const story = async (client, userId) => {
  assert.equal((await client.session.me.query()).userId, userId);
  const courseId = (await client.course.list.query({ search: "onboarding" })).items[0].id;
  const both = await Promise.allSettled([
    client.enrollment.enroll.mutate({ courseId }),
    client.enrollment.enroll.mutate({ courseId }),
  ]);
  assert.deepEqual(both.map((one) => one.status).sort(), ["fulfilled", "rejected"]);
  const enrolled = both.find((one) => one.status === "fulfilled").value;
  const conflict = both.find((one) => one.status === "rejected").reason;
  assert.equal(conflict.data.reason.enrollmentId, enrolled.id);
  assert.equal((await client.enrollment.unenroll.mutate({ courseId })).status, "cancelled");
  const again = await client.enrollment.enroll.mutate({ courseId });
  assert.deepEqual([again.id, again.attempt], [enrolled.id, 2]);
  assert.equal((await refused(client.enrollment.find.query({ courseId: 5 }), "BAD_REQUEST", "invalidInput")).data.reason.field, "courseId");
  await refused(client.member.list.query(), "FORBIDDEN", "roleRequired");
  await refused(client.no.such.query(), "NOT_FOUND", undefined);
  return courseId;
};

for (const [name, link] of Object.entries(links)) {
  const { token, userId } = await session(`trpc-${name}`);
  await story(createTRPCClient({ links: [link({ authorization: `Bearer ${token}` })] }), userId);
  await refused(createTRPCClient({ links: [link({})] }).session.me.query(), "UNAUTHORIZED", undefined);
  await refused(createTRPCClient({ links: [link({ authorization: "Bearer x" })] }).session.me.query(), "UNAUTHORIZED", undefined);
}

// Everything over one WebSocket, its session in the connection's parameters.
const { token, userId } = await session("trpc-ws");
const socket = createWSClient({ url: url.replace("http", "ws"), connectionParams: async () => ({ token }) });
const client = createTRPCClient({ links: [wsLink({ client: socket })] });
const seen = [];
let told;
const started = new Promise((resolve) => (told = resolve));
const subscription = client.enrollment.onChange.subscribe({}, {
  onStarted: () => told(),
  onData: (event) => seen.push(event),
  onError: (error) => assert.fail(error),
});
await started;
const courseId = await story(client, userId);
const until = async (holds) => {
  for (let waited = 0; !holds(); waited += 20) {
    assert.ok(waited < 20_000, "waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
await until(() => seen.length === 3);
assert.deepEqual(seen.map((event) => event.data.kind), ["enrolled", "cancelled", "reactivated"]);
subscription.unsubscribe();
await socket.close();

// Server-sent events, resumed by the id that was seen last.
const headers = { authorization: `Bearer ${token}` };
const listen = async (more, enough) => {
  const abort = new AbortController();
  const response = await fetch(`${url}/enrollment.onChange?input=${encodeURIComponent(JSON.stringify({ courseId }))}`, {
    headers: { ...headers, ...more },
    signal: abort.signal,
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type"), /^text\/event-stream/);
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body) {
    text += decoder.decode(bytes, { stream: true });
    if (enough(text)) break;
  }
  abort.abort();
  return text;
};
const after = await listen({ "last-event-id": seen[0].id }, (text) => (text.match(/^id: /gm) ?? []).length === 2);
assert.match(after, /^event: connected\ndata: \{"reconnectAfterInactivityMs":\d+\}\n\n/);
assert.deepEqual(after.match(/^id: .*$/gm), [`id: ${seen[1].id}`, `id: ${seen[2].id}`]);

// What other clients than tRPC's look at: statuses and headers.
const answers = [
  ["GET", "/trpc/enrollment.enroll?input=%7B%7D", 405],
  ["GET", "/trpc/no.such", 404],
  ["GET", "/trpc/session.me,no.such?batch=1&input=%7B%7D", 207],
  ["GET", `/trpc/${Array(21).fill("session.me").join(",")}?batch=1`, 400],
  ["GET", "/trpc/session.me?input=%7B", 400],
  ["HEAD", "/trpc/session.me", 204],
];
for (const [method, path, status] of answers) {
  const response = await fetch(base + path, { method, headers });
  assert.equal(response.status, status, path);
  assert.match(response.headers.get("vary"), /trpc-accept/);
}
console.log("all well");
