// What is an error of Rollbook's, and which.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { builds } from "./builds.mjs";
import { enrolledAlready, unauthorized } from "./stub.mjs";

for (const { name, rollbook, trpc } of builds) {
  const { isRollbookError } = rollbook;
  describe(`isRollbookError, ${name}`, () => {
    const thrown = trpc.TRPCClientError.from({ error: enrolledAlready });

    test("a refusal is one, by its reason and by its code", () => {
      assert.equal(isRollbookError(thrown), true);
      assert.equal(isRollbookError(thrown, "alreadyEnrolled"), true);
      assert.equal(isRollbookError(thrown, "CONFLICT"), true);
      assert.equal(isRollbookError(thrown, "courseFull"), false);
      assert.equal(isRollbookError(thrown, "NOT_FOUND"), false);
    });

    test("one without a reason has none", () => {
      const error = trpc.TRPCClientError.from({ error: unauthorized });
      assert.equal(isRollbookError(error, "UNAUTHORIZED"), true);
      assert.equal(isRollbookError(error, "alreadyEnrolled"), false);
    });

    test("its class does not matter: another copy's, an item's of a bulk call, one that went through JSON", () => {
      for (const other of builds) {
        const error = other.trpc.TRPCClientError.from({ error: enrolledAlready });
        assert.equal(isRollbookError(error, "alreadyEnrolled"), true);
      }
      assert.equal(isRollbookError(enrolledAlready, "alreadyEnrolled"), true);
      assert.equal(isRollbookError(JSON.parse(JSON.stringify(enrolledAlready)), "alreadyEnrolled"), true);
    });

    test("all else is none", () => {
      const network = trpc.TRPCClientError.from(new TypeError("fetch failed"));
      const otherServer = trpc.TRPCClientError.from({
        error: { message: "No", code: -32004, data: { code: "NOT_FOUND", httpStatus: 404, path: "a.b" } },
      });
      const words = { data: "NOT_FOUND" };
      const half = { data: { code: "NOT_FOUND" } };
      const numbers = { data: { code: 404, requestId: 1 } };
      for (const none of [network, otherServer, words, half, numbers, new Error("x"), { data: null }, {}]) {
        assert.equal(isRollbookError(none), false);
        assert.equal(isRollbookError(none, "NOT_FOUND"), false);
      }
      for (const none of [null, undefined, 0, "", "x", Symbol("x"), () => {}]) {
        assert.equal(isRollbookError(none), false);
      }
    });
  });
}
