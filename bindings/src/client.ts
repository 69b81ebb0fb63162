import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  httpSubscriptionLink,
  splitLink,
  type TRPCClient,
  TRPCClientError,
  type TRPCLink,
  wsLink,
} from "@trpc/client";
import { observable } from "@trpc/server/observable";
import { jsonRpcLink, socketAddress, type WebSocketConstructor } from "./jsonRpcLink.js";
import { renewing } from "./renewing.js";
import type { AppRouter, OrganizationId } from "./router.js";

/** The most calls that the server takes in one batch. */
const MAX_BATCH = 20;

/** How much longer than the server's the address of a request may be; proxies bound it too. */
const MAX_QUERY_LENGTH = 2_000;

/** Inputs that are longer, as they would stand in an address, go by themselves in a body. */
const MAX_INPUT_LENGTH = 1_500;

/** How often subscriptions are begun anew that fail without an answer. */
const PATIENCE = 5;

/** How long a WebSocket stays open with no call on it, in ms. */
const IDLE = 5_000;

/** A session token: an identity provider's JWT, or a service token (`rbs_…`). Null for public procedures alone. */
export type RollbookToken = string | null | undefined;

/**
 * How calls get to the server.
 *
 * - `http`: in batches of those made in the same tick; subscriptions as server-sent events.
 * - `stream`: the same, but each call of a batch answers as soon as it can, not when the last one has.
 * - `websocket`: all over one connection, opened when it is needed and closed after some seconds without calls.
 * - `json-rpc`: by {@link jsonRpcLink}, for servers of which only `/rpc` can be reached.
 */
export type RollbookTransport = "http" | "stream" | "websocket" | "json-rpc";

/** What {@link createRollbookClient} and {@link rollbookLink} want to know. */
export type RollbookOptions = {
  /** The server's address, without `/trpc` or `/rpc`, such as `https://rollbook.example.com`. */
  url: string | URL;
  /**
   * The session, or a function that is asked for it: for every request, and whenever a connection is opened. Where it
   * is a function, subscriptions and WebSockets outlive the token they began with.
   */
  token?: RollbookToken | (() => RollbookToken | Promise<RollbookToken>);
  /** The organization to act in, for global admins. All others act in their token's. */
  organizationId?: OrganizationId | undefined;
  /** `http` unless told. */
  transport?: RollbookTransport | undefined;
  /** The `fetch` to use instead of the global one. */
  fetch?: typeof globalThis.fetch | undefined;
  /** The `WebSocket` class, where the runtime has none or, for `json-rpc`, none that takes headers; such as `ws`. */
  WebSocket?: WebSocketConstructor | undefined;
  /** The `EventSource` class for subscriptions of `http` and `stream`, where the runtime has none; Node.js has none. */
  EventSource?: (new (url: string, init?: any) => { close(): void }) | undefined;
};

/** The official tRPC client, typed by Rollbook's procedures. */
export type RollbookClient = TRPCClient<AppRouter>;

/**
 * Makes a client.
 *
 * ```ts
 * const rollbook = createRollbookClient({ url: "https://rollbook.example.com", token: () => auth.accessToken() });
 * const enrollment = await rollbook.enrollment.enroll.mutate({ courseId });
 * ```
 */
export function createRollbookClient(options: RollbookOptions): RollbookClient {
  return createTRPCClient<AppRouter>({ links: [rollbookLink(options)] });
}

/**
 * The link that {@link createRollbookClient} uses. It is a terminating one; put others before it.
 *
 * ```ts
 * createTRPCClient<AppRouter>({ links: [loggerLink(), rollbookLink({ url, token })] });
 * ```
 */
export function rollbookLink(options: RollbookOptions): TRPCLink<AppRouter> {
  switch (options.transport) {
    case undefined:
    case "http":
    case "stream":
      return overHttp(options);
    case "websocket":
      return overWebSocket(options);
    case "json-rpc":
      return overJsonRpc(options);
    default:
      throw new TypeError(`There is no transport ${JSON.stringify(options.transport satisfies never)}.`);
  }
}

function overHttp(options: RollbookOptions): TRPCLink<AppRouter> {
  const url = address(options, "/trpc");
  // tRPC's type of a fetch is one that the global's does not meet under `exactOptionalPropertyTypes`.
  const http = { url, headers: headers(options), fetch: options.fetch as never };
  const batch = { ...http, maxItems: MAX_BATCH, maxURLLength: url.length + MAX_QUERY_LENGTH };
  return splitLink<AppRouter>({
    condition: ({ type }) => type === "subscription",
    true: overServerSentEvents(options, url),
    false: splitLink<AppRouter>({
      condition: ({ input }) => encodeURIComponent(JSON.stringify(input) ?? "").length > MAX_INPUT_LENGTH,
      true: httpLink({ ...http, methodOverride: "POST" }),
      false: options.transport === "stream" ? httpBatchStreamLink(batch) : httpBatchLink(batch),
    }),
  });
}

function overServerSentEvents(options: RollbookOptions, url: string): TRPCLink<AppRouter> {
  const EventSource = options.EventSource ?? (globalThis as { EventSource?: object }).EventSource;
  if (!EventSource) {
    const error = new TypeError("This runtime has no EventSource: pass one, such as that of the package eventsource.");
    return () => () => observable((observer) => observer.error(TRPCClientError.from(error)));
  }
  // The session is in the address, because an EventSource sends no headers.
  const connectionParams = () => session(options);
  const link = httpSubscriptionLink<AppRouter, never>({ url, connectionParams, EventSource: EventSource as never });
  return renewing(link, isRenewable(options), PATIENCE);
}

function overWebSocket(options: RollbookOptions): TRPCLink<AppRouter> {
  const WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (!WebSocket) throw new TypeError("This runtime has no WebSocket: pass one, such as that of the package ws.");
  const client = createWSClient({
    url: socketAddress(address(options, "/trpc")),
    connectionParams: () => session(options),
    WebSocket: inBatches(WebSocket) as never,
    lazy: { enabled: true, closeMs: IDLE },
    keepAlive: { enabled: true, intervalMs: 30_000, pongTimeoutMs: 10_000 },
    // Never at once: older clients count no refusal of a session as a failure, and would flood the server.
    retryDelayMs: (attempt) => (0.5 + Math.random() / 2) * Math.min(1_000 * 2 ** attempt, 10_000),
  });
  return renewing(wsLink({ client }), isRenewable(options));
}

/** A WebSocket of which no message has more calls than the server takes; tRPC sends all of a tick's in one. */
function inBatches(WebSocket: WebSocketConstructor): WebSocketConstructor {
  return class extends WebSocket {
    override send(data: string) {
      const calls: unknown[] = data.startsWith("[") ? JSON.parse(data) : [];
      if (calls.length <= MAX_BATCH) return super.send(data);
      while (calls.length > 0) super.send(JSON.stringify(calls.splice(0, MAX_BATCH)));
    }
  };
}

function overJsonRpc(options: RollbookOptions): TRPCLink<AppRouter> {
  const { fetch, WebSocket } = options;
  const link = jsonRpcLink({ url: address(options, "/rpc"), headers: headers(options), fetch, WebSocket });
  return splitLink<AppRouter>({
    condition: ({ type }) => type === "subscription",
    true: renewing(link, isRenewable(options)),
    false: link,
  });
}

function address({ url }: RollbookOptions, path: string): string {
  return String(url).replace(/\/+$/, "") + path;
}

function isRenewable({ token }: RollbookOptions): boolean {
  return typeof token === "function";
}

/** The session as tRPC's connection parameters. */
async function session({ token, organizationId }: RollbookOptions): Promise<Record<string, string>> {
  const presented = typeof token === "function" ? await token() : token;
  return { ...(presented && { token: presented }), ...(organizationId && { organizationId }) };
}

/** The session as headers. */
function headers(options: RollbookOptions): () => Promise<Record<string, string>> {
  return async () => {
    const { token, organizationId } = await session(options);
    return {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(organizationId && { "x-rollbook-organization": organizationId }),
    };
  };
}
