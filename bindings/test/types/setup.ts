// Making a client, in every way there is.
import type { AppRouter, RollbookClient, RollbookOptions, RollbookToken, RollbookTransport } from "@rollbook/client";
import { createRollbookClient, jsonRpcLink, rollbookLink } from "@rollbook/client";
import { createTRPCClient, loggerLink, type TRPCClient, type TRPCLink } from "@trpc/client";
import { rollbook, same } from "./client.js";

const url = "https://rollbook.example.com";

const client = createRollbookClient({ url });
same<typeof client, RollbookClient>();
same<typeof client, TRPCClient<AppRouter>>();
same<typeof client, typeof rollbook>();
same<RollbookTransport, "http" | "stream" | "websocket" | "json-rpc">();

export const sessions: RollbookToken[] = ["rbs_…", null, undefined];
export const options: RollbookOptions[] = [
  { url: new URL(url), token: "rbs_…" },
  { url, token: () => null, transport: "stream", fetch },
  { url, token: async () => "…", transport: "websocket", organizationId: "…", WebSocket },
  { url, token: undefined, organizationId: undefined, transport: undefined, EventSource },
  { url, transport: "json-rpc", fetch: async (_input, init) => new Response(String(init?.method)) },
];

/** Links are tRPC's own, and stand beside others. */
export const linked = createTRPCClient<AppRouter>({ links: [loggerLink(), rollbookLink({ url })] });
export const link: TRPCLink<AppRouter> = jsonRpcLink({ url: `${url}/rpc` });
export const more = [
  jsonRpcLink({ url: new URL("/rpc", url), headers: { authorization: "Bearer …", "x-none": undefined } }),
  jsonRpcLink({ url, headers: new Headers(), fetch, WebSocket }),
  jsonRpcLink({ url, headers: async ({ opList }) => ({ "x-calls": opList.map(({ path }) => path) }) }),
];

export function refused() {
  // @ts-expect-error
  createRollbookClient();
  // @ts-expect-error
  createRollbookClient({ token: "rbs_…" });
  // @ts-expect-error
  createRollbookClient({ url, transport: "sse" });
  // @ts-expect-error
  createRollbookClient({ url, token: 7 });
  // @ts-expect-error
  createRollbookClient({ url, headers: {} });
  // @ts-expect-error
  createRollbookClient({ url, organizationId: 7 });
  // @ts-expect-error
  jsonRpcLink({ headers: {} });
  // A link is not a client.
  // @ts-expect-error
  rollbookLink({ url }).enrollment;
}
