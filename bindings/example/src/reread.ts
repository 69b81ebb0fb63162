import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTRPC } from "./trpc";

/** Reads everything shown about courses and enrollments again; done when it is there. */
export function useReread(): () => Promise<void> {
  const trpc = useTRPC();
  const queries = useQueryClient();
  return useMemo(() => {
    const filters = [trpc.course.pathFilter(), trpc.enrollment.pathFilter()];
    return oneAtATime(() => Promise.all(filters.map((filter) => queries.invalidateQueries(filter))));
  }, [trpc, queries]);
}

/** However often it is asked for while it is at work, it follows only once more: that one sees everything. */
function oneAtATime(work: () => Promise<unknown>): () => Promise<void> {
  let wanted = false;
  let working: Promise<void> | undefined;
  const workWhileWanted = async () => {
    while (wanted) {
      wanted = false;
      await work();
    }
    working = undefined;
  };
  return () => {
    wanted = true;
    return (working ??= workWhileWanted());
  };
}
