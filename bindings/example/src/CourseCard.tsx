import type { Course, Enrollment } from "@rollbook/client";
import { useMutation } from "@tanstack/react-query";
import { Problem } from "./Problem";
import { useReread } from "./reread";
import { Seats } from "./Seats";
import { Status } from "./Status";
import { useTRPC } from "./trpc";
import { canLeave } from "./words";

type Props = { course: Course; enrollment: Enrollment | undefined; waitlist: boolean };

/** A course as a learner sees it, and the button to enroll or leave. */
export function CourseCard({ course, enrollment, waitlist }: Props) {
  const trpc = useTRPC();
  const reread = useReread();
  // The lists are read before the mutation counts as settled: nothing old is shown in between.
  const enroll = useMutation(trpc.enrollment.enroll.mutationOptions({ onSettled: reread }));
  const leave = useMutation(trpc.enrollment.unenroll.mutationOptions({ onSettled: reread }));

  const full = course.capacity !== null && course.seatsTaken >= course.capacity;
  const status = enrollment?.status;
  const pending = enroll.isPending || leave.isPending;
  // What it will be if the server agrees, shown while it is asked.
  const expected = enroll.isPending ? (full ? "waitlisted" : "enrolled") : leave.isPending ? "cancelled" : status;

  // A key for each click: that this very wish may arrive twice and be carried out once.
  const idempotencyKey = () => crypto.randomUUID();
  const change = () => {
    if (pending) return;
    if (canLeave(status)) {
      enroll.reset();
      leave.mutate({ courseId: course.id, idempotencyKey: idempotencyKey() });
    } else {
      leave.reset();
      enroll.mutate({ courseId: course.id, waitlist, idempotencyKey: idempotencyKey() });
    }
  };
  const label = enroll.isPending ? "Enrolling…" : leave.isPending ? "Leaving…" : canLeave(status) ? "Leave" : "Enroll";

  return (
    <li className="card">
      <div className="heading">
        <h3>{course.title}</h3>
        <Status status={expected} expected={pending} />
      </div>
      {course.description !== null && <p>{course.description}</p>}
      <div className="heading">
        <Seats course={course} />
        {status !== "completed" && (
          // Not `disabled` while it works: that would take the keyboard's focus away.
          <button type="button" aria-disabled={pending} aria-label={`${label} ${course.title}`} onClick={change}>
            {label}
          </button>
        )}
      </div>
      {pending && (enroll.failureCount > 0 || leave.failureCount > 0) && (
        <p role="status">The server cannot be reached. Trying again…</p>
      )}
      <Problem error={enroll.error ?? leave.error} />
    </li>
  );
}
