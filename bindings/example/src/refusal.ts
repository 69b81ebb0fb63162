import type { AppRouter, ErrorData } from "@rollbook/client";
import { TRPCClientError } from "@trpc/client";

/** What the server said; undefined if it said nothing (it was not reached, or something between answered). */
export function refusal(error: unknown): ErrorData | undefined {
  return error instanceof TRPCClientError ? ((error as TRPCClientError<AppRouter>).data ?? undefined) : undefined;
}
