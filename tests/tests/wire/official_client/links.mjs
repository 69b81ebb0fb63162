// Calls over every link.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  base,
  course,
  links,
  over,
  person,
  proxy,
  refused,
  rollbook,
  trpc,
  trpcVersion,
  until,
  WebSocket,
} from "./harness.mjs";

/** Before 11.14 the streaming link cannot read the refusal of a whole request, its own server's neither. */
const [, minor] = trpcVersion.split(".").map(Number);
const readsRefusedStreams = minor >= 14;

for (const [name, link] of Object.entries(links)) {
  test(`${name}: calls, refusals, and calls side by side`, async () => {
    const { token, userId } = await person(`links-${name}`);
    const client = over(link, token);
    const courseId = await course();
    assert.equal((await client.session.me.query()).userId, userId);

    const both = await Promise.allSettled([
      client.enrollment.enroll.mutate({ courseId }),
      client.enrollment.enroll.mutate({ courseId }),
    ]);
    assert.deepEqual(both.map((one) => one.status).sort(), ["fulfilled", "rejected"]);
    const enrolled = both.find((one) => one.status === "fulfilled").value;
    const { reason: error } = both.find((one) => one.status === "rejected");
    await refused(Promise.reject(error), "CONFLICT", "alreadyEnrolled");
    assert.deepEqual(error.data.reason, { type: "alreadyEnrolled", enrollmentId: enrolled.id, status: "enrolled" });
    assert.equal(error.data.path, "enrollment.enroll");
    assert.equal(error.data.httpStatus, 409);
    assert.equal(error.shape.code, -32009);

    assert.equal((await client.enrollment.unenroll.mutate({ courseId, reason: "no time: ü, 😀" })).status, "cancelled");
    const again = await client.enrollment.enroll.mutate({ courseId });
    assert.deepEqual([again.id, again.attempt], [enrolled.id, 2]);

    // Queries of which one is refused, and one has no input.
    const [found, wrong, list] = await Promise.allSettled([
      client.enrollment.find.query({ courseId }),
      client.enrollment.find.query({ courseId: 5 }),
      client.enrollment.listByUser.query(),
    ]);
    assert.deepEqual(found.value, again);
    await refused(Promise.reject(wrong.reason), "BAD_REQUEST", "invalidInput");
    assert.equal(wrong.reason.data.reason.field, "courseId");
    assert.deepEqual(list.value.items, [again]);
    assert.equal(await client.enrollment.find.query({ courseId: await course() }), null);

    await refused(client.member.list.query(), "FORBIDDEN", "roleRequired");
    await refused(client.no.such.query(), "NOT_FOUND");
    // JSON-RPC takes an array for the positional form of its parameters.
    if (name !== "jsonRpc") await refused(client.enrollment.find.query([{ courseId }]), "BAD_REQUEST", "invalidInput");
  });

  test(`${name}: without a session, or with a wrong one`, async () => {
    await refused(over(link).session.me.query(), "UNAUTHORIZED");
    const wrong = over(link, "no.token").session.me.query();
    if (name === "stream" && !readsRefusedStreams) {
      const error = await wrong.catch((error) => error);
      assert.ok(error instanceof trpc.TRPCClientError);
    } else {
      await refused(wrong, "UNAUTHORIZED");
    }
  });

  test(`${name}: a call that is given up`, async () => {
    const { token, client: direct } = await person(`abort-${name}`);
    const courseId = await course();
    const far = await proxy();
    const client = over(link, token, far.base);
    await client.session.me.query();
    far.hold();
    const controller = new AbortController();
    const call = client.enrollment.enroll.mutate({ courseId }, { signal: controller.signal });
    const outcome = call.then(
      () => assert.fail("it was given up"),
      (error) => error,
    );
    let found = null;
    while (found === null) found = await direct.enrollment.find.query({ courseId });
    controller.abort();
    // The WebSocket link of old cannot give up before its connection does.
    if (name === "socket" && minor < 14) far.cut();
    assert.ok((await outcome) instanceof trpc.TRPCClientError);
    const { status } = await direct.enrollment.find.query({ courseId });
    assert.equal(status, "enrolled", "what was begun was done");
    far.close();
  });
}

test("mixed batches are answered one by one", async () => {
  const { token } = await person("mixed", "coordinator");
  const client = over(links.batch, token);
  const courseIds = await Promise.all([course(), course(), course({ capacity: 0 })]);
  // More than one batch may have: the link parts them.
  const counts = await Promise.all(
    Array.from({ length: 45 }, (_, place) => client.enrollment.count.query({ courseId: courseIds[place % 3] })),
  );
  assert.deepEqual(counts.map(({ capacity }) => capacity), Array.from({ length: 45 }, (_, place) => (place % 3 === 2 ? 0 : null)));
  const answers = await Promise.allSettled([
    client.enrollment.enroll.mutate({ courseId: courseIds[0] }),
    client.enrollment.enroll.mutate({ courseId: courseIds[2], waitlist: false }),
    client.enrollment.enroll.mutate({ courseId: courseIds[1] }),
    client.course.publish.mutate({ courseId: courseIds[0] }),
  ]);
  assert.deepEqual(
    answers.map(({ value, reason }) => value?.courseId ?? reason.data.reason.type),
    [courseIds[0], "courseFull", courseIds[1], "roleRequired"],
  );
});

test("a WebSocket takes as many calls at once as there are", async () => {
  const { token, userId } = await person("many-calls");
  const client = over(links.socket, token);
  const all = await Promise.all(Array.from({ length: 70 }, () => client.session.me.query()));
  assert.ok(all.every((me) => me.userId === userId));
});

test("one key over three wires is one enrollment", async () => {
  const { token, client } = await person("one-key");
  const courseId = await course();
  const input = { courseId, idempotencyKey: "the-same" };
  const wires = [links.jsonRpc, links.http, links.batch, links.stream, links.socket];
  // Those that come while the first is under way are told so.
  const attempt = async (link) => {
    for (;;) {
      try {
        return await over(link, token).enrollment.enroll.mutate(input);
      } catch (error) {
        if (!rollbook.isRollbookError(error, "keyInFlight")) throw error;
      }
    }
  };
  const answers = await Promise.all(wires.map(attempt));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  const { items } = await client.enrollment.listByUser.query();
  assert.deepEqual(items, [answers[0]]);
  const { items: history } = await client.enrollment.history.query({ enrollmentId: answers[0].id });
  assert.deepEqual(history.map(({ kind }) => kind), ["enrolled"]);
  for (const link of wires) {
    await refused(over(link, token).enrollment.enroll.mutate({ ...input, waitlist: false }), "UNPROCESSABLE_CONTENT");
  }
});

test("inputs that are too long for an address, and too long at all", async () => {
  const { token } = await person("long-inputs", "coordinator");
  const courseId = await course();
  const { userId } = await person("long-learner");
  for (const link of [links.http, links.batch, links.stream, links.socket, links.jsonRpc]) {
    const client = over(link, token);
    const long = "ß".repeat(9_000);
    await refused(client.enrollment.enroll.mutate({ courseId, userId, notes: long.repeat(2) }), "BAD_REQUEST", "invalidInput");
    const enrolled = await client.enrollment.enroll.mutate({ courseId, userId, notes: long });
    assert.equal(enrolled.notes, long);
    await client.enrollment.unenroll.mutate({ courseId, userId });
  }
  for (const link of [links.http, links.batch, ...(readsRefusedStreams ? [links.stream] : []), links.jsonRpc]) {
    const call = over(link, token).enrollment.enroll.mutate({ courseId, notes: "n".repeat(300_000) });
    await refused(call, "PAYLOAD_TOO_LARGE");
  }
});

for (const transport of ["http", "stream", "websocket", "json-rpc"]) {
  test(`createRollbookClient: ${transport}`, async () => {
    const { token, userId } = await person(`ready-${transport}`);
    let asked = 0;
    const client = rollbook.createRollbookClient({
      url: base,
      token: async () => {
        asked += 1;
        return token;
      },
      transport,
      WebSocket,
    });
    const courseId = await course();
    const [me, enrolled] = await Promise.all([
      client.session.me.query(),
      client.enrollment.enroll.mutate({ courseId, idempotencyKey: "k" }),
    ]);
    assert.deepEqual([me.userId, enrolled.userId], [userId, userId]);
    await refused(client.enrollment.enroll.mutate({ courseId }), "CONFLICT", "alreadyEnrolled");
    // Longer than an address may be.
    const cursor = "c".repeat(4_000);
    await refused(client.enrollment.listByUser.query({ cursor }), "BAD_REQUEST", "invalidInput");
    assert.ok(asked > 0);
  });
}

test("a connection that was cut is opened again for the next call", async () => {
  const { token, userId } = await person("cut-links");
  const far = await proxy();
  const client = over(links.socket, token, far.base);
  for (let round = 0; round < 5; round += 1) {
    assert.equal((await client.session.me.query()).userId, userId);
    far.cut();
    await until(() => far.open() === 0);
  }
  far.close();
});
