// Subscriptions over a line that is cut again and again: each event once, in order.
import assert from "node:assert/strict";
import { test } from "node:test";
import { course, events, follow, links, over, person, proxy, until } from "./harness.mjs";

const wires = {
  socket: (token, at) => over(links.socket, token, at),
  events,
  jsonRpc: (token, at) => over(links.jsonRpc, token, at),
};

const CHANGES = 60;

for (const [name, subscriber] of Object.entries(wires)) {
  test(`${name}: cut and resumed`, async () => {
    const { token } = await person(`watches-${name}`, "coordinator");
    const learner = await person(`changes-${name}`);
    const courseId = await course();
    const far = await proxy();
    const followed = await follow(subscriber(token, far.base), { courseId });
    let cuts = 0;
    for (let change = 0; change < CHANGES; change += 1) {
      const procedure = change % 2 === 0 ? "enroll" : "unenroll";
      await learner.client.enrollment[procedure].mutate({ courseId });
      // One that was cut before its first event would begin anew, from then on.
      if (change === 0) await until(() => followed.seen.length > 0, "the first event");
      if (change % 7 === 3 && far.open() > 0) {
        cuts += 1;
        far.cut();
      }
    }
    await until(() => followed.seen.length >= CHANGES);
    const expected = Array.from({ length: CHANGES }, (_, place) =>
      place === 0 ? "enrolled" : place % 2 === 0 ? "reactivated" : "cancelled",
    );
    assert.deepEqual(followed.seen.map(({ kind }) => kind), expected);
    assert.ok(cuts > 0, "it was cut");
    followed.unsubscribe();
    far.close();
  });
}
