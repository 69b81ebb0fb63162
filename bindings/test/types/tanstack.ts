// With @trpc/tanstack-react-query: what each procedure's options take and give.
import type {
  AppRouter,
  Code,
  Course,
  CourseListInput,
  Enrollment,
  EnrollmentGetInput,
  EnrollInput,
  Event,
  Idempotent,
  Page,
  Reason,
  Tracked,
} from "@rollbook/client";
import { createRollbookClient, isRollbookError } from "@rollbook/client";
import { QueryClient, useMutation, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import type { inferInput, inferOutput } from "@trpc/tanstack-react-query";
import { createTRPCContext, createTRPCOptionsProxy, useSubscription } from "@trpc/tanstack-react-query";
import { same } from "./client.js";

const courseId = "019a0000-0000-7000-8000-000000000001";
const queryClient = new QueryClient();
const client = createRollbookClient({ url: "https://rollbook.example.com" });
export const trpc = createTRPCOptionsProxy<AppRouter>({ client, queryClient });
export const { TRPCProvider, useTRPC, useTRPCClient } = createTRPCContext<AppRouter>();

/** What an error's data says; there is none if it is the network's. */
type DataOf<E extends { data: unknown } | null> = NonNullable<NonNullable<E>["data"]>;

export function Queries() {
  const enrollment = useQuery(trpc.enrollment.get.queryOptions({ enrollmentId: "…" }));
  same<typeof enrollment.data, Enrollment | undefined>();
  same<DataOf<typeof enrollment.error>["reason"], Reason | undefined>();
  same<DataOf<typeof enrollment.error>["code"], Code>();
  if (isRollbookError(enrollment.error, "scopeRequired")) enrollment.error.data.reason.scope.slice();

  const found = useSuspenseQuery(trpc.enrollment.find.queryOptions({ courseId }));
  same<typeof found.data, Enrollment | null>();

  const courses = useQuery(useTRPC().course.list.queryOptions());
  same<typeof courses.data, Page<Course> | undefined>();
  const select = ({ items }: Page<Course>) => items.map(({ title }) => title);
  const titles = useQuery(trpc.course.list.queryOptions({ limit: 10 }, { select }));
  same<typeof titles.data, string[] | undefined>();

  same<inferInput<typeof trpc.enrollment.get>, EnrollmentGetInput>();
  same<inferInput<typeof trpc.course.list>, CourseListInput | void>();
  same<inferOutput<typeof trpc.course.list>, Page<Course>>();
  queryClient.invalidateQueries(trpc.enrollment.listByUser.queryFilter());
  queryClient.setQueryData(trpc.enrollment.find.queryKey({ courseId }), (old) => (old ? { ...old, notes: null } : old));
}

export function Mutations() {
  const enroll = useMutation(
    trpc.enrollment.enroll.mutationOptions({
      onSuccess: (data, variables) => {
        same<typeof data, Enrollment>();
        same<typeof variables, EnrollInput & Idempotent>();
      },
      onError: (error) => {
        same<DataOf<typeof error>["reason"], Reason | undefined>();
        same<DataOf<typeof error>["code"], Code>();
        if (isRollbookError(error, "courseFull")) same<typeof error.data.reason.capacity, number>();
      },
    }),
  );
  same<typeof enroll.data, Enrollment | undefined>();
  same<typeof enroll.variables, (EnrollInput & Idempotent) | undefined>();
  same<DataOf<typeof enroll.error>["reason"], Reason | undefined>();
  enroll.mutate({ courseId, idempotencyKey: "…" });
  // @ts-expect-error
  enroll.mutate({ course: courseId });
  // @ts-expect-error
  enroll.mutate();
}

export function Subscriptions() {
  const changes = useSubscription(
    trpc.enrollment.onChange.subscriptionOptions(
      { courseId },
      {
        onData: (item) => same<typeof item, Tracked<Event>>(),
        onError: (error) => same<DataOf<typeof error>["reason"], Reason | undefined>(),
      },
    ),
  );
  same<typeof changes.data, Tracked<Event> | undefined>();
  if (changes.status === "error") same<DataOf<typeof changes.error>["reason"], Reason | undefined>();
  // @ts-expect-error
  trpc.enrollment.onChange.subscriptionOptions({ course: courseId });
  // @ts-expect-error
  trpc.enrollment.onChange.queryOptions({ courseId });
}

export function refused() {
  // @ts-expect-error
  trpc.enrollment.get.queryOptions();
  // @ts-expect-error
  trpc.enrollment.get.queryOptions({ enrollmentId: 5 });
  // @ts-expect-error
  trpc.enrollment.get.mutationOptions();
  // @ts-expect-error
  trpc.enrollment.enroll.queryOptions({ courseId });
  // @ts-expect-error
  trpc.enrollments.get.queryOptions({ enrollmentId: "…" });
}
