// What an application writes. It is compiled, not run.
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import type {
  AppRouter,
  Certificate,
  Code,
  Cohort,
  Course,
  CourseListInput,
  CourseStatus,
  DriftEntry,
  Enrollment,
  EnrollmentCheck,
  EnrollmentStatus,
  EnrollInput,
  ErrorData,
  ErrorShape,
  Event,
  Idempotent,
  Member,
  Module,
  ModuleEnrollment,
  Organization,
  Page,
  Reason,
  RosterEntry,
  Rule,
  Scope,
  ServiceToken,
  Session,
  Verification,
  Webhook,
} from "@rollbook/client";
import { isRefusal, rollbook, same } from "./client.js";

const courseId = "019a0000-0000-7000-8000-000000000001";
const userId = "019a0000-0000-7000-8000-000000000002";

export async function queries() {
  const session = await rollbook.session.me.query();
  same<typeof session, Session>();
  if (session.kind === "service") session.scopes.includes("enrollments:read");

  const enrollment = await rollbook.enrollment.get.query({ enrollmentId: "…" });
  same<typeof enrollment, Enrollment>();
  const score: number | null = enrollment.completionScore;

  const found = await rollbook.enrollment.find.query({ courseId, userId: null });
  same<typeof found, Enrollment | null>();

  const access = await rollbook.enrollment.access.query({ courseId });
  if (!access.granted && access.reason === "expired") access.expiresAt?.slice(0, 10);

  const count = await rollbook.enrollment.count.query({ courseId });
  const left: number | null = count.capacity === null ? null : count.capacity - count.seatsTaken;

  const modules = await rollbook.module.listByEnrollment.query({ enrollmentId: enrollment.id });
  same<typeof modules, ModuleEnrollment[]>();

  const organization: Organization = await rollbook.organization.get.query();
  const member: Member = await rollbook.member.get.query({ userId });
  const course: Course = await rollbook.course.get.query({ courseId });
  return { score, left, organization, member, course };
}

export async function mutations() {
  const input: EnrollInput & Idempotent = { courseId, waitlist: false, idempotencyKey: crypto.randomUUID() };
  const enrollment: Enrollment = await rollbook.enrollment.enroll.mutate(input);
  await rollbook.enrollment.enroll.mutate({ courseId, userId, notes: null, idempotencyKey: null });
  await rollbook.enrollment.unenroll.mutate({ courseId, reason: "moved on" });

  const draft = await rollbook.course.create.mutate({ title: "Rust", capacity: 2, enrollmentMode: "managed" });
  const edited = await rollbook.course.update.mutate({ courseId: draft.id, version: draft.version, capacity: null });
  same<typeof edited, Course>();
  for (const move of ["publish", "unpublish", "archive"] as const) await rollbook.course[move].mutate({ courseId });

  const module: Module = await rollbook.course.addModule.mutate({ courseId, title: "Borrowing", kind: "lesson" });
  await rollbook.course.updateModule.mutate({ moduleId: module.id, position: 1 });
  await rollbook.course.retireModule.mutate({ moduleId: module.id });

  await rollbook.member.provision.mutate({ subject: "ada", email: "ada@example.com", role: "author" });
  await rollbook.member.setRole.mutate({ userId, role: "coordinator" });
  for (const change of ["suspend", "resume", "end"] as const) await rollbook.member[change].mutate({ userId });
  await rollbook.organization.create.mutate({ slug: "acme", name: "Acme" });
  const provider = { issuer: "https://idp.example", audience: "rollbook" };
  await rollbook.organization.setIdentityProvider.mutate({ ...provider, algorithm: "ES256", jwksUri: null });
  await rollbook.organization.removeIdentityProvider.mutate({ issuer: provider.issuer });
  return enrollment;
}

/** From enrolling many to a certificate that is voided. */
export async function wholeLife() {
  const enrollmentId = "…";
  const plan = await rollbook.enrollment.check.query({ action: "enroll", courseId, userId });
  same<typeof plan, EnrollmentCheck>();
  if (!plan.allowed) return plan.reasons.map(explain);

  const { results } = await rollbook.enrollment.enrollMany.mutate({
    items: [{ courseId, userId, notes: null, idempotencyKey: "row-1" }],
  });
  const ids = results.map((row) => ("ok" in row ? row.ok.id : row.error.data.requestId));

  const { module, enrollment } = await rollbook.module.complete.mutate({ enrollmentId, moduleId: "…" });
  same<typeof module, ModuleEnrollment>();
  await rollbook.module.start.mutate({ enrollmentId, moduleId: module.moduleId });
  for (const change of ["assign", "unassign"] as const) {
    await rollbook.module[change].mutate({ enrollmentId, moduleId: module.moduleId });
  }
  const drift: Page<DriftEntry> = await rollbook.module.drift.query({ courseId });
  const behind = drift.items.filter(({ progressNow, progressAfter }) => progressAfter < progressNow);

  const completed: Enrollment = await rollbook.enrollment.complete.mutate({ enrollmentId, score: 99.5 });
  await rollbook.enrollment.complete.mutate({ enrollmentId, waiveReason: "knew it all" });
  await rollbook.enrollment.setNotes.mutate({ enrollmentId, notes: null, version: enrollment.version });
  await rollbook.enrollment.promote.mutate({ enrollmentId });
  await rollbook.enrollment.expire.mutate({ enrollmentId });
  await rollbook.enrollment.revoke.mutate({ enrollmentId, reason: "copied" });

  const certificate: Certificate = await rollbook.certificate.get.query({ certificateId: completed.certificateId ?? "" });
  const verified: Verification = await rollbook.certificate.verify.query({ number: certificate.number });
  same<typeof verified.state, "valid" | "expired" | "voided" | "unknown">();

  const cohort: Cohort = await rollbook.cohort.create.mutate({ name: "Spring", userIds: [userId], courseIds: [courseId] });
  const { skipped } = await rollbook.cohort.sync.mutate({ cohortId: cohort.id });
  const nobody = await rollbook.user.anonymize.mutate({ userId });
  const { checks } = await rollbook.admin.verify.query();
  const wrong = checks.flatMap(({ name, violations }) => violations.map(({ problem }) => `${name}: ${problem}`));
  return [ids, behind, skipped.map(({ reason }) => explain(reason)), nobody, wrong];
}

/** A walk over all pages of a list. */
export async function pages(): Promise<RosterEntry[]> {
  const roster: RosterEntry[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<RosterEntry> = await rollbook.enrollment.listByCourse.query({
      courseId,
      statuses: ["enrolled", "waitlisted"],
      cursor,
      limit: 200,
    });
    roster.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return roster.filter(({ user, status }) => user.displayName !== null && status !== "cancelled");
}

/** An input of which every field may be left out may be left out itself. */
export async function inputsLeftOut() {
  const mine: Page<Enrollment> = await rollbook.enrollment.listByUser.query();
  const courses: Page<Course> = await rollbook.course.list.query({});
  const members: Page<Member> = await rollbook.member.list.query(undefined, { signal: AbortSignal.timeout(1_000) });
  return [mine, courses, members];
}

export async function history() {
  const { items } = await rollbook.enrollment.history.query({ enrollmentId: "…", limit: 10 });
  same<typeof items, Event[]>();
  return items.map(({ kind, actor, data }) => [kind, actor.id ?? "the system", data.status ?? "as it was"]);
}

/** The secret is told once, and only there. */
export async function webhooks() {
  const { webhook, secret } = await rollbook.webhook.create.mutate({ url: "https://…", kinds: ["enrolled", "completed"] });
  const again: Webhook = await rollbook.webhook.redeliver.mutate({ webhookId: webhook.id, eventId: "…" });
  const page: Page<Webhook> = await rollbook.webhook.list.query();
  await rollbook.webhook.delete.mutate({ webhookId: webhook.id });
  same<typeof secret, string | null>();
  return [secret, again.kinds ?? "all", page.items.filter(({ disabledAt }) => disabledAt === null)];
}

/** So is that of a service token; a call repeated under its key tells null. */
export async function serviceTokens() {
  const scopes: Scope[] = ["enrollments:read", "events:read"];
  const { serviceToken, secret } = await rollbook.serviceToken.create.mutate({ name: "nightly sync", scopes, expiresAt: null });
  same<typeof secret, string | null>();
  const page: Page<ServiceToken> = await rollbook.serviceToken.list.query();
  const revoked: ServiceToken = await rollbook.serviceToken.revoke.mutate({ serviceTokenId: serviceToken.id });
  return [secret ?? "told before", revoked.revokedAt, page.items.map(({ lastUsedAt }) => lastUsedAt ?? "never used")];
}

export async function refusals() {
  try {
    await rollbook.enrollment.enroll.mutate({ courseId });
  } catch (error) {
    if (!isRefusal(error) || !error.data) throw error;
    const { code, httpStatus, path, requestId, rule, reason } = error.data;
    same<typeof code, Code>();
    same<typeof path, string | null>();
    same<typeof rule, Rule | undefined>();
    same<typeof reason, Reason | undefined>();
    const known: [number, string] = [httpStatus, requestId];
    if (code === "PRECONDITION_FAILED" && rule === undefined) return known;
    return reason && explain(reason);
  }
}

/** Narrowing by `type`, every one of them. */
function explain(reason: Reason): string {
  switch (reason.type) {
    case "alreadyEnrolled":
      same<typeof reason.status, EnrollmentStatus>();
      return `see ${reason.enrollmentId}`;
    case "invalidTransition":
      return `not from ${reason.from} to ${reason.to}`;
    case "courseFull":
      return `all of ${reason.capacity.toFixed()} seats`;
    case "notOpenYet":
      return reason.opensAt;
    case "closed":
      return reason.closedAt;
    case "invalidInput":
      return `${reason.field}: ${reason.problem}`;
    case "scopeRequired":
      return reason.scope;
    case "versionMismatch":
      return String(reason.current);
    case "modulesIncomplete":
      return `${reason.missing} to go`;
    case "belowPassScore":
      return `at least ${reason.passScore}`;
    case "rateLimited":
      return `again in ${reason.retryAfterSeconds.toFixed()} s`;
    case "unavailable":
      return reason.outcome === "notApplied" ? "again" : "look first";
    case "notAMember":
    case "roleRequired":
    case "managedCourse":
    case "keyInFlight":
    case "tombstone":
    case "slugTaken":
    case "issuerTaken":
    case "noIdentityProvider":
    case "courseNotPublished":
      return reason.type;
    default:
      return reason satisfies never;
  }
}

/** tRPC's own helpers understand the router. */
export type Inputs = inferRouterInputs<AppRouter>;
export type Outputs = inferRouterOutputs<AppRouter>;
same<Inputs["course"]["list"], CourseListInput | void>();
same<Inputs["session"]["me"], void>();
same<Outputs["course"]["get"], Course>();
same<ErrorShape["data"], ErrorData>();

export const status: CourseStatus = "published";
