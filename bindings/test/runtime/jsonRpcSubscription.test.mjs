// Subscriptions by JSON-RPC: a WebSocket each, opened again when it is lost.
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { builds } from "./builds.mjs";
import { moment, shape, stub, unauthorized, until } from "./stub.mjs";

const fault = shape("INTERNAL_SERVER_ERROR", -32603);
const invalid = shape("NOT_FOUND", -32004);
const event = (id) => ({ id, kind: "enrolled" });
const notification = (params) => {
  return { jsonrpc: "2.0", method: "enrollment.onChange", params: { subscription: 7, ...params } };
};

// Reconnecting is spread over time; here it is as soon as can be.
mock.method(Math, "random", () => 0);

for (const { name, rollbook, trpc, WebSocket } of builds) {
  /** A server that accepts every WebSocket, and the connections it has. */
  const accepting = async (t, options) => {
    const connections = [];
    const upgrade = async (request, { accept }) => {
      const connection = await accept();
      connections.push(Object.assign(connection, { request }));
    };
    return { connections, ...(await stub(t, { upgrade, ...options })) };
  };

  /** Subscribes, and collects all that comes of it. */
  const follow = (t, { url }, input = { courseId: "c" }, options = {}) => {
    const { headers = { authorization: "Bearer x" }, signal, ...link } = options;
    const client = trpc.createTRPCClient({
      links: [rollbook.jsonRpcLink({ url: `${url}/rpc`, headers, WebSocket, ...link })],
    });
    const seen = { items: [], states: [], errors: [], started: 0, stopped: 0, completed: 0 };
    const subscription = client.enrollment.onChange.subscribe(input, {
      signal,
      onStarted: () => (seen.started += 1),
      onStopped: () => (seen.stopped += 1),
      onComplete: () => (seen.completed += 1),
      onData: (item) => seen.items.push(item),
      onError: (error) => seen.errors.push(error),
      onConnectionStateChange: ({ state, error }) => seen.states.push(error ? `${state}: ${error.message}` : state),
    });
    t.after(() => subscription.unsubscribe());
    return { ...subscription, seen };
  };

  /** The same, until the server knows of it. */
  const begin = async (t, server, ...rest) => {
    const subscription = follow(t, server, ...rest);
    await until(() => server.connections[0]?.heard.length === 1);
    const [connection] = server.connections;
    connection.say({ jsonrpc: "2.0", id: 1, result: 7 });
    await until(() => subscription.seen.started === 1);
    return { ...subscription, connection };
  };

  describe(`jsonRpcLink's subscriptions, ${name}`, () => {

    test("one is a call over a WebSocket, with the session in its headers", async (t) => {
      const server = await accepting(t);
      const { seen, connection } = await begin(t, server);
      assert.equal(connection.request.url, "/rpc");
      assert.equal(connection.request.headers.authorization, "Bearer x");
      const call = { jsonrpc: "2.0", id: 1, method: "enrollment.onChange", params: { courseId: "c" } };
      assert.deepEqual(connection.heard, [call]);
      connection.say(notification({ result: event("1") }));
      connection.say(notification({ result: event("2") }));
      await until(() => seen.items.length === 2);
      assert.deepEqual(seen.items, [{ id: "1", data: event("1") }, { id: "2", data: event("2") }]);
      assert.deepEqual(seen.states, ["connecting", "pending"]);
      assert.deepEqual([server.requests, seen.errors], [[], []]);
    });

    test("no input is an empty one", async (t) => {
      const server = await accepting(t);
      const { connection } = await begin(t, server, undefined);
      assert.deepEqual(connection.heard[0].params, { courseId: "c" });
      const other = follow(t, server, null);
      await until(() => server.connections[1]?.heard.length === 1);
      assert.deepEqual(server.connections[1].heard[0].params, {});
      other.unsubscribe();
    });

    test("to unsubscribe closes the connection", async (t) => {
      const server = await accepting(t);
      const { seen, connection, unsubscribe } = await begin(t, server);
      let closed = false;
      connection.on("close", () => (closed = true));
      unsubscribe();
      await until(() => closed);
      connection.say(notification({ result: event("1") }));
      for (let moments = 0; moments < 20; moments += 1) await moment();
      assert.deepEqual([seen.items, seen.errors, server.connections.length], [[], [], 1]);
    });

    test("so does its signal, which completes it", async (t) => {
      const server = await accepting(t);
      const controller = new AbortController();
      const { seen, connection } = await begin(t, server, {}, { signal: controller.signal });
      controller.abort();
      await until(() => connection.readyState === WebSocket.CLOSED);
      assert.deepEqual([seen.stopped, seen.completed, seen.errors.length], [1, 1, 0]);
      const never = follow(t, server, {}, { signal: controller.signal });
      assert.deepEqual([never.seen.stopped, never.seen.completed, server.connections.length], [1, 1, 1]);
    });

    test("a connection that is lost is opened again, and goes on after the last event", async (t) => {
      const server = await accepting(t);
      let asked = 0;
      const headers = () => ({ authorization: `Bearer ${(asked += 1)}` });
      const { seen, connection } = await begin(t, server, { courseId: "c", lastEventId: "0" }, { headers });
      assert.deepEqual(connection.heard[0].params, { courseId: "c", lastEventId: "0" });
      connection.say(notification({ result: event("1") }));
      await until(() => seen.items.length === 1);
      connection.close(1001);
      await until(() => server.connections[1]?.heard.length === 1);
      const [, second] = server.connections;
      assert.equal(second.request.headers.authorization, "Bearer 2");
      assert.deepEqual(second.heard[0].params, { courseId: "c", lastEventId: "1" });
      second.say({ jsonrpc: "2.0", id: 1, result: 8 });
      second.say(notification({ result: event("2") }));
      await until(() => seen.items.length === 2);
      assert.deepEqual(seen.states, ["connecting", "pending", "connecting: The connection was lost.", "pending"]);
      assert.equal(seen.started, 2);
    });

    test("a refusal ends it", async (t) => {
      const server = await accepting(t);
      const { seen } = follow(t, server);
      await until(() => server.connections[0]?.heard.length === 1);
      server.connections[0].say({ jsonrpc: "2.0", id: 1, error: invalid });
      await until(() => seen.errors.length === 1);
      assert.ok(seen.errors[0] instanceof trpc.TRPCClientError);
      assert.deepEqual(seen.errors[0].shape, invalid);
      await until(() => server.connections[0].readyState === WebSocket.CLOSED);
      assert.equal(server.connections.length, 1);
    });

    test("so does the end of its session", async (t) => {
      const server = await accepting(t);
      const { seen, connection } = await begin(t, server);
      connection.say(notification({ error: unauthorized }));
      await until(() => seen.errors.length === 1);
      assert.ok(rollbook.isRollbookError(seen.errors[0], "UNAUTHORIZED"));
    });

    test("a fault of the server's does not", async (t) => {
      const server = await accepting(t);
      const { seen, connection } = await begin(t, server);
      connection.say(notification({ result: event("1") }));
      connection.say(notification({ error: fault }));
      await until(() => server.connections[1]?.heard.length === 1);
      assert.deepEqual(server.connections[1].heard[0].params, { courseId: "c", lastEventId: "1" });
      assert.deepEqual(seen.states.at(-1), `connecting: ${fault.message}`);
      assert.deepEqual(seen.errors, []);
      await until(() => connection.readyState === WebSocket.CLOSED);
    });

    test("a session that is refused at the upgrade ends it, for the reason that HTTP tells", async (t) => {
      const server = await accepting(t, {
        upgrade: (_, { refuse }) => refuse(401),
        answer: () => ({ status: 401, json: { jsonrpc: "2.0", id: 0, error: unauthorized } }),
      });
      const { seen } = follow(t, server);
      await until(() => seen.errors.length === 1);
      assert.deepEqual(seen.errors[0].data, unauthorized.data);
      const [{ method, url, headers, body }] = server.requests;
      assert.deepEqual([method, url, headers.authorization], ["POST", "/rpc", "Bearer x"]);
      assert.deepEqual(body, { jsonrpc: "2.0", id: 0, method: "enrollment.onChange" });
    });

    test("what is not JSON ends it", async (t) => {
      const server = await accepting(t);
      const { seen, connection } = await begin(t, server);
      connection.send("<h1>Bad Gateway</h1>");
      await until(() => seen.errors.length === 1);
      assert.ok(seen.errors[0].cause instanceof SyntaxError);
      await until(() => connection.readyState === WebSocket.CLOSED);
    });

    test("a server that is away is asked again", async (t) => {
      let refusals = 0;
      const server = await accepting(t, {
        upgrade: async (_, { accept, refuse }) => {
          if ((refusals += 1) < 3) return refuse(503);
          server.connections.push(await accept());
        },
        answer: () => ({ status: 502, text: "<h1>Bad Gateway</h1>" }),
      });
      const { seen } = follow(t, server);
      await until(() => server.connections[0]?.heard.length === 1);
      assert.deepEqual(seen.states, ["connecting", ...Array(2).fill("connecting: The connection was lost.")]);
      assert.deepEqual(seen.errors, []);
    });

    test("a session that cannot be had now is asked for again", async (t) => {
      const server = await accepting(t);
      let asked = 0;
      const headers = async () => {
        if ((asked += 1) === 1) throw new Error("offline");
        return {};
      };
      const { seen } = follow(t, server, {}, { headers });
      await until(() => server.connections[0]?.heard.length === 1);
      assert.deepEqual(seen.states, ["connecting", "connecting: offline"]);
    });

    test("without a WebSocket that can do it there is none, and the error says so", async (t) => {
      class Browsers {
        constructor() {
          throw new DOMException("The subprotocol '[object Object]' is invalid.", "SyntaxError");
        }
      }
      const ofTheRuntime = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
      delete globalThis.WebSocket;
      if (ofTheRuntime) t.after(() => Object.defineProperty(globalThis, "WebSocket", ofTheRuntime));
      const messages = [[undefined, /^This runtime has no WebSocket/], [Browsers, /takes no headers/]];
      for (const [WebSocket, message] of messages) {
        const { seen } = follow(t, { url: "http://127.0.0.1:1" }, {}, { WebSocket });
        await until(() => seen.errors.length === 1);
        assert.match(seen.errors[0].message, message);
      }
    });
  });

  test(`a connection that no longer lives is noticed, ${name}`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const server = await accepting(t);
    const { seen, connection } = await begin(t, server);
    t.mock.timers.tick(45_000);
    await until(() => connection.heard.length === 2);
    assert.deepEqual(connection.heard[1], { jsonrpc: "2.0", id: 2, method: "session.me" });
    // Whatever is answered, it lives.
    connection.say({ jsonrpc: "2.0", id: 2, error: fault });
    connection.say(notification({ result: event("1") }));
    await until(() => seen.items.length === 1);
    t.mock.timers.tick(45_000);
    await until(() => connection.heard.length === 3);
    t.mock.timers.tick(9_999);
    assert.deepEqual(seen.states, ["connecting", "pending"]);
    t.mock.timers.tick(1);
    await moment();
    assert.deepEqual(seen.states, ["connecting", "pending", "connecting: The connection was lost."]);
  });
}
