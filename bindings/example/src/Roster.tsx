import type { Course } from "@rollbook/client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useLive } from "./live";
import { LiveEvents } from "./LiveEvents";
import { LiveState } from "./LiveState";
import { Problem } from "./Problem";
import { RosterTable } from "./RosterTable";
import { useTRPC, useTRPCClient } from "./trpc";

const PAGE = 50;

/** Who is in a course, live. */
export function Roster({ course }: { course: Course }) {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const live = useLive(course.id);
  const input = { courseId: course.id, limit: PAGE };
  const pages = useInfiniteQuery({
    // Not `infiniteQueryOptions`, which adds a `direction` to the input: the server takes no fields it does not know.
    queryKey: trpc.enrollment.listByCourse.infiniteQueryKey(input),
    queryFn: ({ pageParam: cursor }) => client.enrollment.listByCourse.query({ ...input, cursor }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const entries = pages.data?.pages.flatMap(({ items }) => items);
  const names = new Map(entries?.map(({ user }) => [user.id, user.displayName]));

  return (
    <section aria-labelledby="roster" className="card">
      <div className="heading">
        <h2 id="roster">Roster of {course.title}</h2>
        <LiveState live={live} />
      </div>
      <Problem error={pages.error} />
      {entries !== undefined && <RosterTable entries={entries} events={live.events} />}
      {pages.hasNextPage && (
        <button type="button" aria-disabled={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Show more
        </button>
      )}
      <LiveEvents events={live.events} about={({ userId }) => names.get(userId)} />
    </section>
  );
}
