// `enrollment.onChange` over every wire: in order, tracked, filtered, resumed, refused, stopped, ended with its session.
import assert from "node:assert/strict";
import { test } from "node:test";
import { course, events, follow, links, moveClock, over, person, refused, trpc, until, wsClient } from "./harness.mjs";

/** How to follow, on each wire that subscriptions go by. */
const wires = {
  socket: (token) => over(links.socket, token),
  events,
  jsonRpc: (token) => over(links.jsonRpc, token),
};

const kinds = ({ seen }) => seen.map(({ kind }) => kind);

for (const [name, subscriber] of Object.entries(wires)) {
  test(`${name}: what happens, as it happens, in order`, async () => {
    const coordinator = await person(`sees-${name}`, "coordinator");
    const learner = await person(`seen-${name}`);
    const [courseId, other] = [await course(), await course()];
    const ofCourse = await follow(subscriber(coordinator.token), { courseId });
    const ofMember = await follow(subscriber(coordinator.token), { userId: learner.userId });
    const own = await follow(subscriber(learner.token));
    await coordinator.client.enrollment.enroll.mutate({ courseId });
    await learner.client.enrollment.enroll.mutate({ courseId });
    await learner.client.enrollment.enroll.mutate({ courseId: other });
    await learner.client.enrollment.unenroll.mutate({ courseId, reason: "no\ntime" });
    await until(() => ofCourse.seen.length === 3 && ofMember.seen.length === 3 && own.seen.length === 3);
    assert.deepEqual(kinds(ofCourse), ["enrolled", "enrolled", "cancelled"]);
    assert.deepEqual(ofCourse.seen.map(({ userId }) => userId), [coordinator.userId, learner.userId, learner.userId]);
    assert.deepEqual(ofMember.seen, own.seen);
    assert.equal(own.seen[2].data.reason, "no\ntime");
    for (const { seen } of [ofCourse, ofMember]) {
      assert.deepEqual(seen.map(({ id }) => id), seen.map(({ id }) => id).toSorted());
    }

    // After an event that was seen, and stopped again: nothing more comes.
    const resumed = await follow(subscriber(coordinator.token), { courseId, lastEventId: ofCourse.seen[0].id });
    await until(() => resumed.seen.length === 2);
    assert.deepEqual(resumed.seen, ofCourse.seen.slice(1));
    for (const subscription of [resumed, ofCourse, ofMember]) subscription.unsubscribe();
    await learner.client.enrollment.enroll.mutate({ courseId });
    await until(() => own.seen.length === 4);
    assert.deepEqual([resumed.seen.length, ofCourse.seen.length], [2, 3]);
    own.unsubscribe();
  });

  test(`${name}: refused with what an application can act on`, async () => {
    const learner = await person(`refused-${name}`);
    const failed = (input, token = learner.token) =>
      follow(subscriber(token), input).then(
        ({ ended }) => ended.then((error) => Promise.reject(error)),
        (error) => Promise.reject(error),
      );
    const wrong = await refused(failed({ lastEventId: "yesterday" }), "BAD_REQUEST", "invalidInput");
    assert.equal(wrong.data.reason.field, "lastEventId");
    await refused(failed({ lastEventId: "9".repeat(16) }), "BAD_REQUEST", "invalidInput");
    await refused(failed({ userId: (await person("somebody-else")).userId }), "FORBIDDEN", "roleRequired");
    await refused(failed({ unknown: 1 }), "BAD_REQUEST", "invalidInput");
    if (name === "events") await refused(failed({}, "no.token"), "UNAUTHORIZED");
  });
}

test("a mutation is no query, a query no subscription, a subscription no call", async () => {
  const { token } = await person("kinds");
  const socket = over(links.socket, token);
  await refused(socket.enrollment.enroll.query({}), "NOT_FOUND");
  await refused(socket.session.me.mutate(), "NOT_FOUND");
  await refused(socket.enrollment.onChange.query({}), "NOT_FOUND");
  const { ended } = await follow(socket).then(({ unsubscribe }) => ({ ended: unsubscribe() }));
  assert.equal(ended, undefined);
  const subscribe = new Promise((_, reject) => socket.session.me.subscribe(undefined, { onError: reject }));
  await refused(subscribe, "NOT_FOUND");
  await refused(over(links.http, token).enrollment.enroll.query({}), "METHOD_NOT_SUPPORTED");
});

test("many subscriptions on one connection, and one too many", async () => {
  const { token, client } = await person("many");
  const courseId = await course();
  const connection = wsClient({ authorization: `Bearer ${token}` });
  const socket = trpc.createTRPCClient({ links: [trpc.wsLink({ client: connection })] });
  const all = await Promise.all(Array.from({ length: 16 }, () => follow(socket)));
  await refused(follow(socket), "TOO_MANY_REQUESTS");
  // Calls go on beside them.
  assert.equal((await socket.enrollment.enroll.mutate({ courseId })).status, "enrolled");
  await until(() => all.every(({ seen }) => seen.length === 1));
  all.pop().unsubscribe();
  all.push(await follow(socket));
  await client.enrollment.unenroll.mutate({ courseId });
  await until(() => all.every(({ seen }) => seen.at(-1)?.kind === "cancelled"));
  for (const { unsubscribe } of all) unsubscribe();
});

test("subscriptions end with their session", async () => {
  const learner = await person("expires");
  const followed = await follow(events(learner.token));
  const socket = await follow(over(links.jsonRpc, learner.token));
  // The token's hour, and the leeway of clocks.
  await moveClock(3_600 + 60);
  await refused(followed.ended.then((error) => Promise.reject(error)), "UNAUTHORIZED");
  await refused(socket.ended.then((error) => Promise.reject(error)), "UNAUTHORIZED");
  const renewed = await person("expires");
  const anew = await follow(events(renewed.token));
  await renewed.client.enrollment.enroll.mutate({ courseId: await course() });
  await until(() => anew.seen.length === 1);
  anew.unsubscribe();
});
