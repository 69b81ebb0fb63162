// Clients as `createRollbookClient` makes them: what goes over the wire, on each transport.
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { builds } from "./builds.mjs";
import { enrolledAlready, refusal, stub, unauthorized, until } from "./stub.mjs";

// Reconnecting is spread over time; here it is as soon as can be.
mock.method(Math, "random", () => 0);

/** Answers each call of a batch with its path and input. */
const echo = ({ method, url, body }) => {
  const { pathname, searchParams } = new URL(url, "http://localhost");
  const inputs = method === "GET" ? JSON.parse(searchParams.get("input") ?? "{}") : body;
  const paths = pathname.slice(pathname.indexOf("/trpc/") + "/trpc/".length).split(",");
  if (!searchParams.has("batch")) return { json: { result: { data: [paths[0], inputs] } } };
  return { json: paths.map((path, place) => ({ result: { data: [path, inputs?.[place]] } })) };
};

/** The same as JSON lines. */
const lines = (asked) => {
  const { json } = echo(asked);
  const head = Object.fromEntries(json.map((_, place) => [place, [[0], [null, 0, place]]]));
  const chunks = json.map((answer, place) => [place, 0, [[answer]]]);
  return { text: [head, ...chunks].map((line) => `${JSON.stringify(line)}\n`).join("") };
};

const inputOf = ({ url }) => JSON.parse(new URL(url, "http://localhost").searchParams.get("input") ?? "null");
const paramsOf = ({ url }) => JSON.parse(new URL(url, "http://localhost").searchParams.get("connectionParams"));

for (const { name, rollbook, trpc, EventSource, WebSocket } of builds) {
  const client = ({ url }, options) => rollbook.createRollbookClient({ url, EventSource, WebSocket, ...options });

  describe(`createRollbookClient, ${name}`, () => {
    for (const transport of [undefined, "http", "stream"]) {
      const answer = transport === "stream" ? lines : echo;

      describe(`transport ${transport}`, () => {
        test("queries of one tick are one GET, mutations one POST", async (t) => {
          const server = await stub(t, { answer });
          const { course, enrollment } = client(server, { token: "x", transport });
          await Promise.all([course.list.query(), course.get.query({ courseId: "c" })]);
          await Promise.all([1, 2].map((n) => enrollment.enroll.mutate({ courseId: `${n}` })));
          const [get, post] = server.requests;
          assert.deepEqual([get.method, post.method], ["GET", "POST"]);
          const input = encodeURIComponent(JSON.stringify({ 1: { courseId: "c" } }));
          assert.equal(get.url, `/trpc/course.list,course.get?batch=1&input=${input}`);
          assert.equal(post.url, "/trpc/enrollment.enroll,enrollment.enroll?batch=1");
          assert.equal(post.headers["content-type"], "application/json");
          assert.deepEqual(post.body, { 0: { courseId: "1" }, 1: { courseId: "2" } });
          for (const { headers } of server.requests) {
            assert.equal(headers.authorization, "Bearer x");
            assert.equal(headers["x-rollbook-organization"], undefined);
            assert.equal(headers["trpc-accept"], transport === "stream" ? "application/jsonl" : undefined);
          }
        });

        test("a batch has 20 calls at the most", async (t) => {
          const server = await stub(t, { answer });
          const { course } = client(server, { transport });
          const numbers = Array.from({ length: 45 }, (_, place) => place);
          const answers = await Promise.all(numbers.map((limit) => course.list.query({ limit })));
          assert.deepEqual(answers.map(([, { limit }]) => limit), numbers);
          assert.deepEqual(server.requests.map((asked) => Object.keys(inputOf(asked)).length), [20, 20, 5]);
        });

        test("an address is never long; inputs that are go by themselves in a body", async (t) => {
          const wanted = (asked) => (asked.headers["trpc-accept"] ? lines(asked) : echo(asked));
          const server = await stub(t, { answer: wanted });
          const { course, enrollment } = client(server, { transport });
          const searches = ["a", "b".repeat(1_400), "c".repeat(1_400), "ü".repeat(1_400)];
          const reason = "d".repeat(5_000);
          const answers = await Promise.all([
            ...searches.map((search) => course.list.query({ search })),
            enrollment.unenroll.mutate({ courseId: "c", reason }),
          ]);
          const paths = [...searches.map((search) => ["course.list", { search }])];
          assert.deepEqual(answers, [...paths, ["enrollment.unenroll", { courseId: "c", reason }]]);
          for (const { url } of server.requests) assert.ok(url.length < 2_100, url);
          const alone = server.requests.filter(({ method }) => method === "POST");
          assert.deepEqual(alone.map(({ url }) => url).sort(), ["/trpc/course.list", "/trpc/enrollment.unenroll"]);
          assert.equal(server.requests.length, 4);
        });
      });
    }

    test("an error has its data, and is told apart", async (t) => {
      const server = await stub(t, { answer: () => ({ status: 409, json: [{ error: enrolledAlready }] }) });
      const error = await refusal(client(server).enrollment.enroll.mutate({ courseId: "c" }));
      assert.ok(error instanceof trpc.TRPCClientError);
      assert.deepEqual(error.data, enrolledAlready.data);
      assert.ok(rollbook.isRollbookError(error, "alreadyEnrolled"));
    });

    test("a token is asked for on every request, and may be none", async (t) => {
      const server = await stub(t, { answer: echo });
      let asked = 0;
      const tokens = ["one", null, undefined, ""];
      const { session } = client(server, { token: async () => tokens[asked++] });
      for (const _ of tokens) await session.me.query();
      const sent = server.requests.map(({ headers }) => headers.authorization);
      assert.deepEqual(sent, ["Bearer one", undefined, undefined, undefined]);
      const signedOut = client(server, { token: () => Promise.reject(new Error("signed out")) });
      const error = await refusal(signedOut.session.me.query());
      assert.equal(error.message, "signed out");
    });

    test("a global admin's organization is a header", async (t) => {
      const server = await stub(t, { answer: echo });
      await client(server, { token: "x", organizationId: "o" }).session.me.query();
      assert.equal(server.requests[0].headers["x-rollbook-organization"], "o");
    });

    test("a server may stand below a path", async (t) => {
      const server = await stub(t, { answer: echo });
      for (const url of [`${server.url}/api/`, new URL("/api", server.url)]) {
        await rollbook.createRollbookClient({ url }).session.me.query();
      }
      assert.deepEqual(server.requests.map(({ url }) => url.split("?")[0]), Array(2).fill("/api/trpc/session.me"));
    });

    test("another fetch", async (t) => {
      const server = await stub(t, { answer: echo });
      const seen = [];
      const fetch = (url, init) => (seen.push(init.method), globalThis.fetch(url, init));
      await client(server, { fetch }).session.me.query();
      await client(server, { fetch }).course.list.query({ search: "x".repeat(2_000) });
      assert.deepEqual(seen, ["GET", "POST"]);
    });

    test("json-rpc is jsonRpcLink with the session", async (t) => {
      const answer = ({ body: { id, method } }) => ({ json: { jsonrpc: "2.0", id, result: method } });
      const server = await stub(t, { answer });
      const options = { transport: "json-rpc", token: async () => "x", organizationId: "o" };
      assert.equal(await client(server, options).session.me.query(), "session.me");
      const [{ method, url, headers }] = server.requests;
      assert.deepEqual([method, url], ["POST", "/rpc"]);
      assert.deepEqual([headers.authorization, headers["x-rollbook-organization"]], ["Bearer x", "o"]);
    });

    test("the link stands beside others", async (t) => {
      const server = await stub(t, { answer: echo });
      const passed = [];
      const watching = () => ({ op, next }) => (passed.push(op.path), next(op));
      const links = [watching, rollbook.rollbookLink({ url: server.url })];
      await trpc.createTRPCClient({ links }).session.me.query();
      assert.deepEqual([passed, server.requests.length], [["session.me"], 1]);
    });

    test("there are no other transports", () => {
      assert.throws(() => rollbook.rollbookLink({ url: "http://127.0.0.1:1", transport: "sse" }), TypeError);
    });

    describe("server-sent events", () => {
      /** A server of which each stream says what the test has for it, and stays open unless that is an error. */
      const streaming = (t, ...streams) =>
        stub(t, {
          answer: (_, count, response) => {
            const said = streams[count - 1];
            if (said?.status) return said;
            response.writeHead(200, { "content-type": "text/event-stream" });
            response.write("event: connected\ndata: {}\n\n");
            for (const frame of said ?? []) response.write(frame);
          },
        });
      const item = (id) => `id: ${id}\ndata: ${JSON.stringify({ id })}\n\n`;
      const over = `event: serialized-error\ndata: ${JSON.stringify(unauthorized)}\n\n`;
      const follow = (t, server, options, input = { courseId: "c" }) => {
        const seen = { items: [], errors: [], states: [] };
        const subscription = client(server, options).enrollment.onChange.subscribe(input, {
          onData: (data) => seen.items.push(data),
          onError: (error) => seen.errors.push(error),
          onConnectionStateChange: ({ state }) => seen.states.push(state),
        });
        t.after(() => subscription.unsubscribe());
        return seen;
      };

      test("the session is in the address", async (t) => {
        const server = await streaming(t, [item("1"), item("2")]);
        const seen = follow(t, server, { token: () => "x", organizationId: "o" });
        await until(() => seen.items.length === 2);
        const [{ method, url, headers }] = server.requests;
        assert.deepEqual([method, url.split("?")[0]], ["GET", "/trpc/enrollment.onChange"]);
        assert.equal(headers.authorization, undefined);
        assert.deepEqual(paramsOf({ url }), { token: "x", organizationId: "o" });
        assert.deepEqual(inputOf({ url }), { courseId: "c" });
        assert.deepEqual(seen.items, ["1", "2"].map((id) => ({ id, data: { id } })));
      });

      test("a session that is over is renewed, and the events go on", async (t) => {
        const server = await streaming(t, [item("1"), over], [item("2"), over], [item("3")]);
        let asked = 0;
        const seen = follow(t, server, { token: () => `${(asked += 1)}` });
        await until(() => seen.items.length === 3);
        assert.deepEqual(server.requests.map((one) => paramsOf(one).token), ["1", "2", "3"]);
        assert.deepEqual(server.requests.map((one) => inputOf(one).lastEventId), [undefined, "1", "2"]);
        assert.deepEqual(seen.items.map(({ id }) => id), ["1", "2", "3"]);
        assert.deepEqual(seen.errors, []);
      });

      test("once, unless it was accepted in between", async (t) => {
        const server = await streaming(t, [over], [item("1"), over], [over], [item("2")]);
        const seen = follow(t, server, { token: () => "x" });
        await until(() => seen.errors.length === 1);
        assert.ok(rollbook.isRollbookError(seen.errors[0], "UNAUTHORIZED"));
        assert.deepEqual([seen.items.length, server.requests.length], [1, 3]);
      });

      test("a session that lasted was accepted", async (t) => {
        const server = await streaming(t, [over], [over], [item("1")]);
        const now = Date.now;
        t.mock.method(Date, "now", () => now() + server.requests.length * 10_001);
        const seen = follow(t, server, { token: () => "x" });
        await until(() => seen.items.length === 1);
        assert.deepEqual([seen.errors, server.requests.length], [[], 3]);
      });

      test("but not if there is only the one token", async (t) => {
        const server = await streaming(t, [over]);
        const seen = follow(t, server, { token: "x" });
        await until(() => seen.errors.length === 1);
        assert.ok(rollbook.isRollbookError(seen.errors[0], "UNAUTHORIZED"));
        assert.equal(server.requests.length, 1);
      });

      test("a proxy's answer is not the end", async (t) => {
        const server = await streaming(t, { status: 502, text: "Bad Gateway" }, [item("1")]);
        const seen = follow(t, server, { token: "x" });
        await until(() => seen.items.length === 1);
        assert.deepEqual([seen.errors, server.requests.length], [[], 2]);
      });

      test("without an EventSource there is none, and the error says so", async (t) => {
        const seen = follow(t, { url: "http://127.0.0.1:1" }, { EventSource: undefined, token: "x" });
        await until(() => seen.errors.length === 1);
        assert.match(seen.errors[0].message, /^This runtime has no EventSource/);
      });
    });

    describe("websocket", () => {
      /** A server that hears every message on its connections, and answers those that `answer` has something for. */
      const talking = async (t, answer, sizes = []) => {
        const heard = [];
        const urls = [];
        const server = await stub(t, {
          upgrade: async (request, { accept }) => {
            urls.push(request.url);
            const connection = await accept();
            connection.on("message", (message) => {
              const text = String(message);
              if (text === "PING") return connection.send("PONG");
              const messages = [JSON.parse(text)].flat();
              sizes.push(messages.length);
              for (const one of messages) {
                heard.push(one);
                if (one.params) connection.say({ id: one.id, ...answer(one, heard, connection) });
              }
            });
          },
        });
        return { ...server, heard, urls };
      };

      test("the session is the first message, and calls follow", async (t) => {
        const server = await talking(t, ({ params }) => ({ result: { type: "data", data: params.path } }));
        const options = { transport: "websocket", token: () => "x", organizationId: "o" };
        const { session, enrollment } = client(server, options);
        assert.equal(await session.me.query(), "session.me");
        assert.equal(await enrollment.enroll.mutate({ courseId: "c" }), "enrollment.enroll");
        assert.deepEqual(server.urls, ["/trpc?connectionParams=1"]);
        const [first, second, third] = server.heard;
        assert.deepEqual(first, { method: "connectionParams", data: { token: "x", organizationId: "o" } });
        assert.deepEqual([second.method, second.params.path], ["query", "session.me"]);
        assert.deepEqual([third.method, third.params.input], ["mutation", { courseId: "c" }]);
        assert.deepEqual(server.requests, []);
      });

      test("a session that is over is renewed, for a call and for a subscription", async (t) => {
        let refused = 0;
        const server = await talking(t, ({ id, method, params }, heard, connection) => {
          const { token } = heard.findLast(({ method }) => method === "connectionParams").data;
          if (token === "1") {
            refused += 1;
            setTimeout(() => connection.close(1008), 20);
            return { error: unauthorized };
          }
          if (method === "subscription") {
            connection.say({ id, result: { type: "started" } });
            return { result: { type: "data", id: "7", data: { id: "7", data: params.input } } };
          }
          return { result: { type: "data", data: params.path } };
        });
        for (const act of [
          (rollbook) => rollbook.session.me.query(),
          (rollbook) =>
            new Promise((onData, onError) => {
              const subscription = rollbook.enrollment.onChange.subscribe({ courseId: "c" }, { onData, onError });
              t.after(() => subscription.unsubscribe());
            }),
        ]) {
          let asked = 0;
          refused = 0;
          const answer = await act(client(server, { transport: "websocket", token: () => `${(asked += 1)}` }));
          assert.deepEqual([asked, refused], [2, 1]);
          assert.deepEqual(answer, answer === "session.me" ? answer : { id: "7", data: { courseId: "c" } });
        }
        const error = await refusal(client(server, { transport: "websocket", token: "1" }).session.me.query());
        assert.ok(rollbook.isRollbookError(error, "UNAUTHORIZED"));
      });

      test("a message has 20 calls at the most", async (t) => {
        const sizes = [];
        const answer = ({ params }) => ({ result: { type: "data", data: params.input.limit } });
        const server = await talking(t, answer, sizes);
        const { course } = client(server, { transport: "websocket" });
        const numbers = Array.from({ length: 45 }, (_, place) => place);
        assert.deepEqual(await Promise.all(numbers.map((limit) => course.list.query({ limit }))), numbers);
        assert.deepEqual(sizes, [1, 20, 20, 5]);
      });

      test("without a WebSocket there is none, and the error says so", (t) => {
        const ofTheRuntime = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
        delete globalThis.WebSocket;
        if (ofTheRuntime) t.after(() => Object.defineProperty(globalThis, "WebSocket", ofTheRuntime));
        const make = () => rollbook.createRollbookClient({ url: "http://127.0.0.1:1", transport: "websocket" });
        assert.throws(make, /^TypeError: This runtime has no WebSocket/);
      });
    });
  });
}
