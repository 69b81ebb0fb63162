// What the scripts beside this one share. Each is run with the directory of an application that has the packages
// installed, and the server's address.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after } from "node:test";

const [consumer, base] = process.argv.slice(2);
const require = createRequire(join(consumer, "package.json"));

export { base };
export const trpc = require("@trpc/client");
export const { version: trpcVersion } = require("@trpc/client/package.json");
export const rollbook = require("@rollbook/client");
export const { EventSource } = require("eventsource");
export const { WebSocket } = require("ws");

/** `POST /dev/…`. */
const dev = async (path, body) => {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${base}/dev/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
};

/** A person of acme, known to no other run, with a client that is not what is tested. */
export const person = async (name, role = "learner") => {
  const subject = `${name}-${process.pid}`;
  const { token, userId } = await dev("token", { organization: "acme", subject, role });
  return { token, userId, client: over(links.http, token) };
};

export const moveClock = (advanceSeconds) => dev("clock", { advanceSeconds });

/** A published course of acme; its id. */
export const course = async (fields = {}) => {
  const { client } = await person("wire-admin", "admin");
  const { id } = await client.course.create.mutate({ title: "Wire", ...fields });
  await client.course.publish.mutate({ courseId: id });
  return id;
};

export const socketAddress = (address) => address.replace(/^http/, "ws");

const url = (address) => `${address}/trpc`;

/** Every link for calls, to be given a session's headers and the server's address; some of them hold a connection. */
export const links = {
  http: (headers, at = base) => trpc.httpLink({ url: url(at), headers }),
  override: (headers, at = base) => trpc.httpLink({ url: url(at), headers, methodOverride: "POST" }),
  batch: (headers, at = base) => trpc.httpBatchLink({ url: url(at), headers, maxItems: 20 }),
  batchOverride: (headers, at = base) => trpc.httpBatchLink({ url: url(at), headers, methodOverride: "POST" }),
  stream: (headers, at = base) => trpc.httpBatchStreamLink({ url: url(at), headers }),
  jsonRpc: (headers, at = base) => rollbook.jsonRpcLink({ url: `${at}/rpc`, headers, WebSocket }),
  socket: (headers, at = base) => trpc.wsLink({ client: wsClient(headers, at) }),
};

/** A WebSocket's client; the session goes with its connection. */
export const wsClient = ({ authorization }, at = base) => {
  const token = authorization?.replace("Bearer ", "");
  const client = trpc.createWSClient({
    url: socketAddress(url(at)),
    connectionParams: async () => (token ? { token } : null),
    WebSocket,
    lazy: { enabled: true, closeMs: 200 },
    retryDelayMs: () => 50,
  });
  // One whose server is gone would go on trying.
  after(() => client.close());
  return client;
};

/** A client over one link. */
export const over = (link, token, at = base) =>
  trpc.createTRPCClient({ links: [link(token ? { authorization: `Bearer ${token}` } : {}, at)] });

/** Subscriptions by server-sent events. */
export const events = (token, at = base) =>
  trpc.createTRPCClient({
    links: [trpc.httpSubscriptionLink({ url: url(at), connectionParams: () => ({ token }), EventSource })],
  });

/** The error of a call that is to be refused. */
export const refused = async (call, code, type) => {
  const error = await call.then(
    (answer) => assert.fail(`not refused: ${JSON.stringify(answer)}`),
    (error) => error,
  );
  assert.ok(error instanceof trpc.TRPCClientError, String(error));
  assert.equal(error.data?.code, code, error.message);
  assert.equal(error.data.reason?.type, type);
  assert.ok(rollbook.isRollbookError(error, type ?? code));
  assert.ok(!rollbook.isRollbookError(error, "slugTaken"));
  return error;
};

/** Follows `enrollment.onChange`; what it has seen so far, once it has started. */
export const follow = async (client, input = {}) => {
  const seen = [];
  const ended = Promise.withResolvers?.() ?? withResolvers();
  const started = withResolvers();
  const { unsubscribe } = client.enrollment.onChange.subscribe(input, {
    onStarted: () => started.resolve(),
    onData: (item) => {
      assert.equal(item.id, item.data.id, "tracked by the event's id");
      seen.push(item.data);
    },
    onError: (error) => {
      started.reject(error);
      ended.resolve(error);
    },
    onComplete: () => ended.resolve(undefined),
  });
  await started.promise;
  return { seen, unsubscribe, ended: ended.promise };
};

const withResolvers = () => {
  const pending = {};
  pending.promise = new Promise((resolve, reject) => Object.assign(pending, { resolve, reject }));
  // Whoever awaits it hears of it.
  pending.promise.catch(() => {});
  return pending;
};

/** Waits until something holds. */
export const until = async (holds, what = String(holds)) => {
  for (let waited = 0; !holds(); waited += 20) {
    assert.ok(waited < 30_000, `waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** A TCP proxy to the server, whose connections can be cut, and whose answers can be held back. */
export const proxy = async () => {
  const { hostname, port } = new URL(base);
  const open = new Set();
  let held = false;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    open.add(near);
    far.on("data", (bytes) => held || near.write(bytes));
    near.on("data", (bytes) => far.write(bytes));
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on("error", () => other.destroy());
      one.on("close", () => {
        other.destroy();
        open.delete(near);
      });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    cut: () => open.forEach((socket) => socket.destroy()),
    open: () => open.size,
    /** From now on, no answer comes through. */
    hold: () => (held = true),
    close: () => {
      open.forEach((socket) => socket.destroy());
      server.close();
    },
  };
};
