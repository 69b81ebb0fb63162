// The whole life of enrollments: waiting, progress, completion, certificates, cohorts, and many at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { base, course, links, over, person, refused } from "./harness.mjs";

/** A service of acme with these scopes. */
const service = async (...scopes) => {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ organization: "acme", scopes });
  const { token } = await (await fetch(`${base}/dev/service-token`, { method: "POST", headers, body })).json();
  return over(links.batch, token);
};

const staff = async () => (await person("life-admin", "admin")).client;
const learners = (name, count) =>
  Promise.all(Array.from({ length: count }, (_, number) => person(`life-${name}-${number}`)));

test("whoever waits gets the seat that is freed, as the dry run says", async () => {
  const courseId = await course({ capacity: 1 });
  const [first, second, third] = await learners("waits", 3);
  await first.client.enrollment.enroll.mutate({ courseId });
  assert.deepEqual(await second.client.enrollment.check.query({ action: "enroll", courseId }), {
    allowed: true,
    outcome: "waitlisted",
    reasons: [],
    consequences: {
      reactivates: false,
      waitlistPosition: 1,
      seatFreed: false,
      promotesUserId: null,
      certificateVoided: false,
    },
  });
  await second.client.enrollment.enroll.mutate({ courseId });
  const last = await third.client.enrollment.enroll.mutate({ courseId });
  assert.deepEqual([last.status, last.waitlistPosition], ["waitlisted", 2]);
  await refused(third.client.enrollment.enroll.mutate({ courseId }), "CONFLICT", "alreadyEnrolled");

  const leaving = await first.client.enrollment.check.query({ action: "unenroll", courseId });
  assert.deepEqual([leaving.outcome, leaving.consequences.promotesUserId], ["cancelled", second.userId]);
  await first.client.enrollment.unenroll.mutate({ courseId });
  const promoted = await second.client.enrollment.find.query({ courseId });
  assert.equal(promoted.status, "enrolled");
  const waiting = await third.client.enrollment.find.query({ courseId });
  assert.deepEqual([waiting.status, waiting.waitlistPosition], ["waitlisted", 1]);
  await refused((await staff()).enrollment.promote.mutate({ enrollmentId: last.id }), "PRECONDITION_FAILED", "courseFull");
});

test("from the first module to a certificate that anyone can verify, and that is voided", async () => {
  const courseId = await course({ passScore: 60 });
  const admin = await staff();
  const modules = [];
  for (const kind of ["lesson", "quiz"]) {
    modules.push((await admin.course.addModule.mutate({ courseId, title: kind, kind })).id);
  }
  const [learner] = await learners("completes", 1);
  const { id: enrollmentId } = await learner.client.enrollment.enroll.mutate({ courseId });
  const [lesson, quiz] = modules;
  await learner.client.module.start.mutate({ enrollmentId, moduleId: lesson });
  const { module, enrollment } = await learner.client.module.complete.mutate({ enrollmentId, moduleId: lesson });
  assert.deepEqual([module.completed, enrollment.progress], [true, 50]);
  await refused(learner.client.module.complete.mutate({ enrollmentId, moduleId: quiz }), "FORBIDDEN", "roleRequired");

  const grader = await service("progress:write");
  await refused(
    grader.enrollment.complete.mutate({ enrollmentId, score: 80 }),
    "PRECONDITION_FAILED",
    "modulesIncomplete",
  );
  await grader.module.complete.mutate({ enrollmentId, moduleId: quiz });
  await refused(
    grader.enrollment.complete.mutate({ enrollmentId, score: 59.99 }),
    "PRECONDITION_FAILED",
    "belowPassScore",
  );
  const completed = await grader.enrollment.complete.mutate({ enrollmentId, score: 80.5 });
  assert.deepEqual([completed.status, completed.completionScore, completed.progress], ["completed", 80.5, 100]);

  const certificate = await learner.client.certificate.get.query({ certificateId: completed.certificateId });
  const anyone = over(links.http);
  const verified = await anyone.certificate.verify.query({ number: certificate.number.toLowerCase() });
  assert.deepEqual(verified, { state: "valid", courseTitle: "Wire", issuedAt: certificate.issuedAt, expiresAt: null });
  assert.equal((await anyone.certificate.verify.query({ number: "no such number" })).state, "unknown");

  await admin.enrollment.revoke.mutate({ enrollmentId, reason: "copied" });
  assert.equal((await anyone.certificate.verify.query({ number: certificate.number })).state, "voided");
  const { items } = await learner.client.enrollment.history.query({ enrollmentId });
  assert.deepEqual(
    items.map(({ kind }) => kind),
    [
      "enrolled",
      "moduleStarted",
      "moduleCompleted",
      "moduleCompleted",
      "completed",
      "certificateIssued",
      "revoked",
      "certificateVoided",
    ],
  );
});

test("a cohort enrolls its members, and leaves alone who said no", async () => {
  const [courseId, later] = [await course(), await course()];
  const [eager, reluctant] = await learners("cohort", 2);
  const admin = await staff();
  const cohort = await admin.cohort.create.mutate({ name: "Spring", courseIds: [courseId] });
  const userIds = [eager.userId, reluctant.userId];
  assert.equal((await admin.cohort.addMembers.mutate({ cohortId: cohort.id, userIds })).memberCount, 2);
  assert.equal((await eager.client.enrollment.find.query({ courseId })).source, "cohort");
  await reluctant.client.enrollment.unenroll.mutate({ courseId });
  await admin.cohort.attachCourse.mutate({ cohortId: cohort.id, courseId: later });
  const report = await admin.cohort.sync.mutate({ cohortId: cohort.id });
  assert.deepEqual(report, {
    enrolled: 0,
    waitlisted: 0,
    skipped: [{ userId: reluctant.userId, courseId, reason: { type: "tombstone" } }],
  });
});

test("a thousand rows in one call, each with its result", async () => {
  const admin = await staff();
  const people = await learners("many", 40);
  const courses = await Promise.all(Array.from({ length: 25 }, () => course({ capacity: 39, waitlist: false })));
  const items = courses.flatMap((courseId) => people.map(({ userId }) => ({ courseId, userId })));
  assert.equal(items.length, 1000);
  const { results } = await admin.enrollment.enrollMany.mutate({ items });
  for (const [row, result] of results.entries()) {
    const { courseId, userId } = items[row];
    if (row % 40 === 39) {
      assert.equal(result.error.data.reason.type, "courseFull");
      assert.equal(result.error.code, -32012);
    } else {
      assert.deepEqual([result.ok.courseId, result.ok.userId, result.ok.status], [courseId, userId, "enrolled"]);
    }
  }
  await refused(
    admin.enrollment.enrollMany.mutate({ items: [...items, items[0]] }),
    "BAD_REQUEST",
    "invalidInput",
  );
  assert.equal((await admin.admin.verify.query()).ok, true);
});
