// What the types keep an application from writing: each line is an error, and would be one if it were none.
import type { CourseCreateInput, CourseStatus, Enrollment, Reason } from "@rollbook/client";
import { isRefusal, rollbook } from "./client.js";

const courseId = "019a0000-0000-7000-8000-000000000001";
const enrollmentId = "019a0000-0000-7000-8000-000000000002";

export async function refused(enrollment: Enrollment, reason: Reason, error: unknown) {
  // A field of another name.
  // @ts-expect-error
  rollbook.enrollment.enroll.mutate({ course: courseId });
  // @ts-expect-error
  rollbook.enrollment.enroll.mutate({ courseId, note: "late" });
  // @ts-expect-error
  rollbook.course.list.query({ q: "rust" });
  // @ts-expect-error
  rollbook.enrollment.enroll.mutate({ course_id: courseId });

  // A value of another type, or a word that is none of the enum's.
  // @ts-expect-error
  rollbook.enrollment.get.query({ enrollmentId: 5 });
  // @ts-expect-error
  rollbook.course.list.query({ status: "open" });
  // @ts-expect-error
  rollbook.enrollment.listByCourse.query({ courseId, statuses: ["active"] });
  // @ts-expect-error
  rollbook.enrollment.listByUser.query({ statuses: "enrolled" });
  // @ts-expect-error
  rollbook.member.setRole.mutate({ userId: "…", role: "owner" });
  // @ts-expect-error
  rollbook.course.list.query({ limit: "50" });
  // @ts-expect-error
  rollbook.enrollment.enroll.mutate({ courseId, idempotencyKey: 1 });

  // A required field missing, or the whole input.
  // @ts-expect-error
  rollbook.enrollment.enroll.mutate({});
  // @ts-expect-error
  rollbook.enrollment.get.query();
  // @ts-expect-error
  rollbook.course.update.mutate({ courseId, title: "Rust" });
  // @ts-expect-error
  rollbook.course.addModule.mutate({ courseId, title: "Borrowing" });
  // @ts-expect-error
  rollbook.organization.create.mutate({ slug: "acme" });

  // Null where nothing can be cleared.
  // @ts-expect-error
  rollbook.enrollment.get.query({ enrollmentId: null });
  // @ts-expect-error
  rollbook.course.create.mutate({ title: null });
  // @ts-expect-error
  rollbook.course.update.mutate({ courseId, version: 1, title: null });
  // @ts-expect-error
  rollbook.enrollment.listByUser.query(null);

  // An input where there is none, and a key on a query.
  // @ts-expect-error
  rollbook.session.me.query({});
  // @ts-expect-error
  rollbook.enrollment.get.query({ enrollmentId, idempotencyKey: "k" });

  // A mutation as a query, a query as a mutation, neither as a subscription.
  // @ts-expect-error
  rollbook.enrollment.enroll.query({ courseId });
  // @ts-expect-error
  rollbook.enrollment.get.mutate({ enrollmentId });
  // @ts-expect-error
  rollbook.session.me.subscribe(undefined, {});

  // A procedure, or a group, that is not there.
  // @ts-expect-error
  rollbook.enrollment.remove.mutate({ enrollmentId });
  // @ts-expect-error
  rollbook.enrollments.get.query({ enrollmentId });
  // @ts-expect-error
  rollbook.get.query({ enrollmentId });

  // A field of an answer that is not there, or that may be null.
  // @ts-expect-error
  (await rollbook.enrollment.get.query({ enrollmentId })).score;
  // @ts-expect-error
  (await rollbook.enrollment.find.query({ courseId })).id;
  // @ts-expect-error
  (await rollbook.course.list.query()).items[0]?.name;
  // @ts-expect-error
  (await rollbook.course.list.query()).cursor;
  // @ts-expect-error
  enrollment.completedAt.slice(0, 10);
  // @ts-expect-error
  enrollment.enrolledAt.getTime();
  // @ts-expect-error
  if (enrollment.status === "active") return;

  // A reason's fields before its type is known, one that it does not have, and a type that is none.
  // @ts-expect-error
  reason.capacity;
  // @ts-expect-error
  if (reason.type === "courseFull") reason.missing;
  // @ts-expect-error
  if (reason.type === "full") return;
  if (!isRefusal(error)) return;
  // @ts-expect-error
  error.data.code;
  // @ts-expect-error
  error.data?.detail;
  // @ts-expect-error
  if (error.data?.code === "GONE") return;
}

// @ts-expect-error
export const status: CourseStatus = "deleted";
// @ts-expect-error
export const untitled: CourseCreateInput = { capacity: 2 };
