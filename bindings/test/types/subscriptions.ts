// What happens as it happens: `enrollment.onChange`, with callbacks.
import type { AppRouter, Code, EnrollmentOnChangeInput, Event, EventKind, Reason, Tracked } from "@rollbook/client";
import type { inferRouterInputs } from "@trpc/server";
import { rollbook, same } from "./client.js";

const courseId = "019a0000-0000-7000-8000-000000000001";

export function follow(lastEventId: string | null) {
  const subscription = rollbook.enrollment.onChange.subscribe(
    { courseId, userId: null, lastEventId },
    {
      onStarted: () => {},
      onData: (item) => {
        same<typeof item, Tracked<Event>>();
        const { id, kind, data }: Event = item.data;
        same<typeof kind, EventKind>();
        return kind === "reactivated" ? data.attempt?.toFixed() : id;
      },
      onError: (error) => {
        same<NonNullable<typeof error.data>["code"], Code>();
        same<NonNullable<typeof error.data>["reason"], Reason | undefined>();
      },
      onConnectionStateChange: ({ state, error }) => (state === "connecting" ? error?.message : state),
      onComplete: () => {},
    },
  );
  subscription.unsubscribe();
}

/** All of the input may be left out. */
export const all = () => rollbook.enrollment.onChange.subscribe(undefined, { onData: ({ data }) => data.enrollmentId });
same<inferRouterInputs<AppRouter>["enrollment"]["onChange"], EnrollmentOnChangeInput | void>();

export function refused(item: Tracked<Event>) {
  // An input of another shape.
  // @ts-expect-error
  rollbook.enrollment.onChange.subscribe({ course: courseId }, { onData: () => {} });
  // @ts-expect-error
  rollbook.enrollment.onChange.subscribe({ lastEventId: 7 }, { onData: () => {} });
  // A subscription is neither a query nor a mutation.
  // @ts-expect-error
  rollbook.enrollment.onChange.query({ courseId });
  // @ts-expect-error
  rollbook.enrollment.onChange.mutate({ courseId });
  // The event is in `data`, beside the id to go on from.
  // @ts-expect-error
  item.kind;
  // @ts-expect-error
  if (item.data.kind === "unenrolled") return;
}
