import { createTRPCClient, httpBatchLink, TRPCClientError } from "@trpc/client";
import type { AppRouter } from "@rollbook/client";

/** The official client, as an application sets it up. */
export const rollbook = createTRPCClient<AppRouter>({
  links: [httpBatchLink({ url: "http://127.0.0.1:4400/trpc", headers: { authorization: "Bearer …" } })],
});

export function isRefusal(error: unknown): error is TRPCClientError<AppRouter> {
  return error instanceof TRPCClientError;
}

/** Compiles only if both types are one and the same. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
export function same<A, B>(..._: Same<A, B> extends true ? [] : [never]): void {}
