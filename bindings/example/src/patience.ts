// When to ask again. A server that restarts is waited for; a refusal is an answer.
import { QueryClient } from "@tanstack/react-query";
import { refusal } from "./refusal";

/** Whether asking again would be answered the same. */
export function isFinal(error: unknown): boolean {
  const refused = refusal(error);
  // No answer at all, or none of Rollbook's.
  if (refused === undefined) return false;
  // The database is out of reach, or the first try of this very call is still running.
  if (refused.reason?.type === "unavailable" || refused.reason?.type === "keyInFlight") return false;
  return refused.code !== "TOO_MANY_REQUESTS";
}

/** Milliseconds to wait before the next try. */
export function pause(failures: number): number {
  return Math.min(250 * 2 ** failures, 3_000);
}

const ask = {
  retry: (_failures: number, error: unknown) => !isFinal(error),
  retryDelay: pause,
  // The server may be on this machine: a browser that thinks itself offline reaches it all the same.
  networkMode: "always",
} as const;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    // A mutation may be sent again because it carries an idempotency key: however many copies arrive, one is carried out.
    defaultOptions: { queries: ask, mutations: ask },
  });
}
