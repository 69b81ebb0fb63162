import type { AppRouter } from "@rollbook/client";
import {
  createTRPCClient,
  httpBatchLink,
  httpSubscriptionLink,
  retryLink,
  splitLink,
  type TRPCClient,
} from "@trpc/client";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import { SERVER } from "./address";
import { isFinal, pause } from "./patience";

export const { TRPCProvider, useTRPC, useTRPCClient } = createTRPCContext<AppRouter>();

/** The official client on behalf of a session. */
export function connect(token: string): TRPCClient<AppRouter> {
  const url = `${SERVER}/trpc`;
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: [
          // A browser takes up an event stream that broke off, but not one that was answered with an error, as by a
          // proxy that finds no server. This link does, and either way the stream goes on after the last event seen.
          retryLink({ retry: ({ error }) => !isFinal(error), retryDelayMs: pause }),
          // A browser's event stream has no headers of ours, so the session travels as a parameter.
          httpSubscriptionLink({ url, connectionParams: { token } }),
        ],
        // Calls made at the same moment travel together, up to the server's limit.
        false: httpBatchLink({ url, maxItems: 20, headers: { authorization: `Bearer ${token}` } }),
      }),
    ],
  });
}
