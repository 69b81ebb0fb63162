// With the classic @trpc/react-query: its hooks.
import type {
  AppRouter,
  Course,
  Enrollment,
  EnrollInput,
  Event,
  Idempotent,
  Page,
  Reason,
  Tracked,
} from "@rollbook/client";
import { isRollbookError, rollbookLink } from "@rollbook/client";
import { createTRPCReact } from "@trpc/react-query";
import { same } from "./client.js";

const courseId = "019a0000-0000-7000-8000-000000000001";
export const trpc = createTRPCReact<AppRouter>();
export const client = trpc.createClient({ links: [rollbookLink({ url: "https://rollbook.example.com" })] });

export function Hooks() {
  const enrollment = trpc.enrollment.get.useQuery({ enrollmentId: "…" });
  same<typeof enrollment.data, Enrollment | undefined>();
  same<NonNullable<NonNullable<typeof enrollment.error>["data"]>["reason"], Reason | undefined>();
  const courses = trpc.course.list.useQuery();
  same<typeof courses.data, Page<Course> | undefined>();

  const enroll = trpc.enrollment.enroll.useMutation();
  same<typeof enroll.data, Enrollment | undefined>();
  same<typeof enroll.variables, (EnrollInput & Idempotent) | undefined>();
  if (isRollbookError(enroll.error, "courseFull")) enroll.error.data.reason.capacity.toFixed();

  const changes = trpc.enrollment.onChange.useSubscription(
    { courseId },
    {
      onData: (item) => same<typeof item, Tracked<Event>>(),
      onError: (error) => same<NonNullable<typeof error.data>["reason"], Reason | undefined>(),
    },
  );
  same<typeof changes.data, Tracked<Event> | undefined>();
  // @ts-expect-error
  trpc.enrollment.onChange.useSubscription({ course: courseId });
  // @ts-expect-error
  trpc.enrollment.onChange.useQuery({ courseId });
}
