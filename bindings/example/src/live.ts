import type { CourseId, Event } from "@rollbook/client";
import { useSubscription } from "@trpc/tanstack-react-query";
import { useState } from "react";
import { useReread } from "./reread";
import { useTRPC } from "./trpc";

/** How many events are kept to be shown. */
const KEPT = 20;

export type Connection = "connecting" | "live" | "reconnecting" | "refused";

export type Live = {
  connection: Connection;
  /** Why there is no connection, if the server said so. */
  error: unknown;
  /** The latest events, newest first: each as it came, so that one that came twice would be seen twice. */
  events: Event[];
};

/**
 * Keeps what is shown up to date: of a course, or of all enrollments that the caller may see.
 *
 * Lists are read when the subscription has begun, not before: what happened until then is in them, what happens from
 * then on comes as an event, and nothing falls between the two. It begins anew after every interruption.
 *
 * An event says that something changed; the lists are read for what it is now. One enrollment's event moves others too,
 * such as those behind it on the waitlist.
 */
export function useLive(courseId?: CourseId): Live {
  const trpc = useTRPC();
  const reread = useReread();
  const [wasLive, setWasLive] = useState(false);
  const [events, setEvents] = useState<Event[]>([]);

  const { status, error } = useSubscription(
    trpc.enrollment.onChange.subscriptionOptions(
      { courseId: courseId ?? null },
      {
        onStarted: () => {
          setWasLive(true);
          void reread();
        },
        onData: ({ data: event }) => {
          setEvents((earlier) => [event, ...earlier].slice(0, KEPT));
          void reread();
        },
      },
    ),
  );

  if (status === "pending") return { connection: "live", error: null, events };
  if (status === "error") return { connection: "refused", error, events };
  return { connection: wasLive ? "reconnecting" : "connecting", error: null, events };
}
