// Calls by JSON-RPC: what goes over the wire, and what comes of the answers.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { builds } from "./builds.mjs";
import { enrolledAlready, refusal, stub, unauthorized, until } from "./stub.mjs";

const result = ({ id }, value) => ({ jsonrpc: "2.0", id, result: value });
const failure = ({ id }, error) => ({ jsonrpc: "2.0", id, error });

/** Answers each call with its own method and params. */
const echo = ({ body }) => ({
  json: Array.isArray(body)
    ? body.map((call) => result(call, [call.method, call.params]))
    : result(body, [body.method, body.params]),
});

for (const { name, rollbook, trpc } of builds) {
  const clientOf = (options) => trpc.createTRPCClient({ links: [rollbook.jsonRpcLink(options)] });
  const client = ({ url }, options) => clientOf({ url: `${url}/rpc`, ...options });

  describe(`jsonRpcLink, ${name}`, () => {
    test("a call is one request", async (t) => {
      const server = await stub(t, { answer: ({ body }) => ({ json: result(body, { userId: "u" }) }) });
      const me = await client(server, { headers: { authorization: "Bearer x" } }).session.me.query();
      assert.deepEqual(me, { userId: "u" });
      const [{ method, url, headers, body }] = server.requests;
      assert.deepEqual([method, url], ["POST", "/rpc"]);
      assert.equal(headers["content-type"], "application/json");
      assert.equal(headers.authorization, "Bearer x");
      assert.deepEqual(body, { jsonrpc: "2.0", id: 1, method: "session.me" });
    });

    test("an input is the params, for queries and mutations alike", async (t) => {
      const server = await stub(t, { answer: echo });
      const { enrollment } = client(server);
      assert.deepEqual(await enrollment.find.query({ courseId: "c" }), ["enrollment.find", { courseId: "c" }]);
      assert.deepEqual(await enrollment.enroll.mutate({ courseId: "c" }), ["enrollment.enroll", { courseId: "c" }]);
      assert.deepEqual(
        server.requests.map(({ body }) => body),
        [
          { jsonrpc: "2.0", id: 1, method: "enrollment.find", params: { courseId: "c" } },
          { jsonrpc: "2.0", id: 2, method: "enrollment.enroll", params: { courseId: "c" } },
        ],
      );
    });

    test("null is an answer", async (t) => {
      const server = await stub(t, { answer: ({ body }) => ({ json: result(body, null) }) });
      assert.equal(await client(server).enrollment.find.query({ courseId: "c" }), null);
    });

    test("calls of one tick are one request, whose answers come in any order", async (t) => {
      const server = await stub(t, { answer: (asked) => ({ json: echo(asked).json.reverse() }) });
      const { course } = client(server);
      const answers = await Promise.all([1, 2, 3].map((limit) => course.list.query({ limit })));
      assert.deepEqual(answers, [1, 2, 3].map((limit) => ["course.list", { limit }]));
      assert.equal(server.requests.length, 1);
      assert.deepEqual(server.requests[0].body.map(({ id, params }) => [id, params.limit]), [[1, 1], [2, 2], [3, 3]]);
    });

    test("a request has 20 calls at the most", async (t) => {
      const server = await stub(t, { answer: echo });
      const { course } = client(server);
      const numbers = Array.from({ length: 41 }, (_, place) => place);
      const answers = await Promise.all(numbers.map((limit) => course.list.query({ limit })));
      assert.deepEqual(answers.map(([, { limit }]) => limit), numbers);
      assert.deepEqual(server.requests.map(({ body }) => body.length).sort(), [20, 20, undefined]);
    });

    test("a request of several calls is never too long for the server", async (t) => {
      const server = await stub(t, { answer: echo });
      const { enrollment } = client(server);
      const lengths = [200_000, 10, 40_000, 40_000, 20];
      const calls = lengths.map((length) => enrollment.unenroll.mutate({ courseId: "c", reason: "ü".repeat(length) }));
      assert.deepEqual((await Promise.all(calls)).map(([, { reason }]) => reason.length), lengths);
      const places = server.requests.map(({ body }) => [body].flat().map(({ id }) => id));
      assert.deepEqual(places.sort(), [[1], [2, 3], [4, 5]]);
    });

    test("an error is tRPC's, with Rollbook's data", async (t) => {
      const server = await stub(t, { answer: ({ body }) => ({ json: failure(body, enrolledAlready) }) });
      const error = await refusal(client(server).enrollment.enroll.mutate({ courseId: "c" }));
      assert.ok(error instanceof trpc.TRPCClientError);
      assert.equal(error.message, enrolledAlready.message);
      assert.deepEqual(error.shape, enrolledAlready);
      assert.deepEqual(error.data, enrolledAlready.data);
      assert.equal(error.meta.response.status, 200);
      assert.ok(rollbook.isRollbookError(error, "alreadyEnrolled"));
    });

    test("in a batch each call has its own answer", async (t) => {
      const server = await stub(t, {
        answer: ({ body: [first, second] }) => ({ json: [failure(first, enrolledAlready), result(second, "well")] }),
      });
      const { enrollment } = client(server);
      const both = await Promise.allSettled([1, 2].map((n) => enrollment.enroll.mutate({ courseId: `${n}` })));
      assert.deepEqual(both[0].reason.data, enrolledAlready.data);
      assert.equal(both[1].value, "well");
    });

    test("the refusal of a whole request is every call's", async (t) => {
      const server = await stub(t, { answer: () => ({ status: 401, json: failure({ id: null }, unauthorized) }) });
      const { session } = client(server);
      for (const count of [1, 3]) {
        const calls = await Promise.allSettled(Array.from({ length: count }, () => session.me.query()));
        for (const { reason } of calls) {
          assert.deepEqual(reason.data, unauthorized.data);
          assert.equal(reason.meta.response.status, 401);
        }
      }
    });

    test("an answer that is no answer is an error", async (t) => {
      const server = await stub(t, {
        answer: ({ body }, count) =>
          [
            { status: 502, text: "<h1>Bad Gateway</h1>" },
            { json: {} },
            { json: null },
            { json: [result(body[0] ?? body, 1)] },
          ][count - 1],
      });
      const { session } = client(server);
      const gateway = await refusal(session.me.query());
      assert.ok(gateway instanceof trpc.TRPCClientError);
      assert.ok(gateway.cause instanceof SyntaxError);
      assert.equal(gateway.meta.response.status, 502);
      assert.equal(gateway.data, undefined);
      for (const _ of ["{}", "null"]) {
        const error = await refusal(session.me.query());
        assert.ok(error instanceof trpc.TRPCClientError);
        assert.equal(error.message, "The server's answer is not JSON-RPC's.");
      }
      const [first, missing] = await Promise.allSettled([session.me.query(), session.me.query()]);
      assert.equal(first.value, 1);
      assert.equal(missing.reason.message, "The server's answer is not JSON-RPC's.");
    });

    test("a server that cannot be reached is an error", async () => {
      const error = await refusal(clientOf({ url: "http://127.0.0.1:1/rpc" }).session.me.query());
      assert.ok(error instanceof trpc.TRPCClientError);
      assert.ok(error.cause instanceof TypeError);
    });

    test("headers may be an object, Headers, or asked for anew for each request", async (t) => {
      const server = await stub(t, { answer: echo });
      await client(server, { headers: { "x-a": "1", "x-b": undefined, "x-c": ["2", "3"] } }).session.me.query();
      await client(server, { headers: new Headers({ "x-a": "4" }) }).session.me.query();
      let asked = 0;
      const headers = async ({ opList }) => ({ "x-a": `${(asked += 1)} ${opList.map(({ path }) => path)}` });
      const { session, course } = client(server, { headers });
      await Promise.all([session.me.query(), course.list.query()]);
      await session.me.query();
      const sent = server.requests.map(({ headers }) => headers);
      assert.deepEqual(sent.map((one) => one["x-a"]), ["1", "4", "1 session.me,course.list", "2 session.me"]);
      assert.deepEqual([sent[0]["x-b"], sent[0]["x-c"]], [undefined, "2,3"]);
      const signedOut = client(server, { headers: () => Promise.reject(new Error("signed out")) });
      const error = await refusal(signedOut.session.me.query());
      assert.ok(error instanceof trpc.TRPCClientError);
      assert.equal(error.message, "signed out");
    });

    test("another fetch, and an address as a URL", async (t) => {
      const server = await stub(t, { answer: echo });
      const seen = [];
      const fetch = (url, init) => (seen.push(url, init.method), globalThis.fetch(url, init));
      await clientOf({ url: new URL("/rpc", server.url), fetch }).session.me.query();
      assert.deepEqual(seen, [`${server.url}/rpc`, "POST"]);
    });

    describe("abort", () => {
      const aborted = (error) => {
        assert.ok(error instanceof trpc.TRPCClientError);
        assert.equal(error.cause.name, "AbortError");
      };

      test("a call that is aborted before it is sent is not sent", async (t) => {
        const server = await stub(t, { answer: echo });
        const { session } = client(server);
        const before = session.me.query(undefined, { signal: AbortSignal.abort() });
        const controller = new AbortController();
        const waiting = session.me.query(undefined, { signal: controller.signal });
        const other = session.me.query();
        controller.abort();
        aborted(await refusal(before));
        aborted(await refusal(waiting));
        await other;
        assert.equal(server.requests.length, 1);
        assert.equal(server.requests[0].body.method, "session.me");
      });

      test("a request is aborted with its only call", async (t) => {
        const server = await stub(t);
        const controller = new AbortController();
        const call = client(server).session.me.query(undefined, { signal: controller.signal });
        await until(() => server.requests.length === 1);
        controller.abort();
        aborted(await refusal(call));
        await until(() => server.requests[0].aborted);
      });

      test("a request goes on for the calls that still want it", async (t) => {
        let respond;
        const server = await stub(t, {
          answer: (asked) => new Promise((resolve) => (respond = () => resolve(echo(asked)))),
        });
        const { session } = client(server);
        const controller = new AbortController();
        const given = session.me.query(undefined, { signal: controller.signal });
        const wanted = session.me.query();
        await until(() => respond);
        controller.abort();
        aborted(await refusal(given));
        respond();
        assert.deepEqual(await wanted, ["session.me", null]);
        assert.equal(server.requests[0].aborted, false);
      });

      test("a request is aborted with the last of its calls", async (t) => {
        const server = await stub(t);
        const { session } = client(server);
        const controllers = [new AbortController(), new AbortController()];
        const calls = controllers.map(({ signal }) => refusal(session.me.query(undefined, { signal })));
        await until(() => server.requests.length === 1);
        for (const controller of controllers) controller.abort();
        for (const call of calls) aborted(await call);
        await until(() => server.requests[0].aborted);
      });

      test("a signal keeps nothing of calls that are over", async (t) => {
        const server = await stub(t, { answer: echo });
        const { signal } = new AbortController();
        const listeners = { added: 0, removed: 0 };
        const { addEventListener, removeEventListener } = signal;
        signal.addEventListener = (...args) => ((listeners.added += 1), addEventListener.apply(signal, args));
        signal.removeEventListener = (...args) => ((listeners.removed += 1), removeEventListener.apply(signal, args));
        await client(server).session.me.query(undefined, { signal });
        assert.deepEqual(listeners, { added: 1, removed: 1 });
      });
    });
  });
}
