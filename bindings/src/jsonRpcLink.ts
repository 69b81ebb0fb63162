import { type HTTPHeaders, type Operation, TRPCClientError, type TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import { follow, type Server } from "./jsonRpcSubscription.js";
import type { AppRouter, ErrorShape } from "./router.js";

/** The most calls that the server takes in one request. */
const MAX_BATCH = 20;

/** The most characters in a batch. Each is three bytes at most, and the server takes 256 KiB. */
const MAX_BATCH_LENGTH = 64 * 1024;

/** As much of a `WebSocket` as is used here. */
export type WebSocketLike = {
  send(data: string): void;
  close(code?: number): void;
  addEventListener(type: string, listener: (event: any) => void): void;
};

/** The global `WebSocket`, or the class of a package that stands in for it, such as `ws`. */
export type WebSocketConstructor = new (url: string, options?: any) => WebSocketLike;

/** What {@link jsonRpcLink} wants to know. */
export type JsonRpcLinkOptions = {
  /** The endpoint itself, such as `https://rollbook.example.com/rpc`. */
  url: string | URL;
  /** Sent with every request, and to open a subscription: an object, or a function that is asked each time. */
  headers?: HTTPHeaders | ((about: { opList: Operation[] }) => HTTPHeaders | Promise<HTTPHeaders>) | undefined;
  /** The `fetch` to use instead of the global one. */
  fetch?: typeof globalThis.fetch | undefined;
  /**
   * The `WebSocket` for subscriptions, instead of the global one. It is called as `new WebSocket(url, { headers })`,
   * which the package `ws` and the globals of Node 22, Bun and Deno understand. A browser's does not: it can send no
   * headers, so a page cannot subscribe by JSON-RPC.
   */
  WebSocket?: WebSocketConstructor | undefined;
};

/** One answer of JSON-RPC 2.0 (section 5). Rollbook's error objects are of tRPC's error shape. */
type Answer = { id?: unknown; result?: unknown; error?: ErrorShape };

/** A call that waits to be sent or answered. */
type Call = {
  id: number;
  op: Operation;
  text: string;
  /** Aborted when nobody wants the answer any more. */
  unwanted: AbortSignal;
  resolve: (answered: Answered) => void;
  reject: (cause: unknown) => void;
};

/** An answer, and what tRPC's own links tell of the response it came in. */
type Answered = { answer: Answer | undefined; meta: Record<string, unknown> };

/**
 * A terminating link that speaks JSON-RPC 2.0, for servers of which only `/rpc` can be reached.
 *
 * ```ts
 * createTRPCClient<AppRouter>({
 *   links: [jsonRpcLink({ url: "https://rollbook.example.com/rpc", headers: { authorization: `Bearer ${token}` } })],
 * });
 * ```
 *
 * Calls of one tick go as one request, up to 20. Errors are `TRPCClientError`s with the same `data` and `shape` as over
 * tRPC's own links. A call that is aborted fails at once, and its request is aborted when all calls in it are. Each
 * subscription has a WebSocket of its own, which is opened again when it is lost and goes on after the last event seen.
 */
export function jsonRpcLink(options: JsonRpcLinkOptions): TRPCLink<AppRouter> {
  return () => {
    const call = batched(options);
    return ({ op }) =>
      observable((observer) => {
        if (op.type === "subscription") return follow(op, observer, serverOf(options, op));
        const unwanted = new AbortController();
        const abort = () => {
          observer.error(TRPCClientError.from((op.signal?.reason ?? {}) as object));
        };
        if (op.signal?.aborted) {
          abort();
          return;
        }
        op.signal?.addEventListener("abort", abort);
        call(op, unwanted.signal).then(
          ({ answer, meta }) => {
            if (answer?.error) {
              observer.error(TRPCClientError.from({ error: answer.error }, { meta }));
            } else if (answer?.result !== undefined) {
              observer.next({ context: meta, result: { type: "data", data: answer.result } });
              observer.complete();
            } else {
              observer.error(TRPCClientError.from(new Error("The server's answer is not JSON-RPC's."), { meta }));
            }
          },
          (cause) => observer.error(TRPCClientError.from(cause)),
        );
        return () => {
          op.signal?.removeEventListener("abort", abort);
          unwanted.abort();
        };
      });
  };
}

/** Collects the calls of one tick, and sends them together. */
function batched(options: JsonRpcLinkOptions): (op: Operation, unwanted: AbortSignal) => Promise<Answered> {
  let waiting: Call[] = [];
  let lastId = 0;

  const flush = () => {
    const calls = waiting.filter(({ unwanted }) => !unwanted.aborted);
    waiting = [];
    while (calls.length > 0) void send(options, calls.splice(0, fitting(calls)));
  };

  return (op, unwanted) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const text = JSON.stringify({ jsonrpc: "2.0", id, method: op.path, params: op.input });
      if (waiting.length === 0) setTimeout(flush);
      waiting.push({ id, op, text, unwanted, resolve, reject });
    });
}

/** How many of the calls go into one request: one at least. */
function fitting(calls: Call[]): number {
  let length = 0;
  const excess = calls.findIndex(({ text }, place) => {
    length += text.length;
    return place === MAX_BATCH || (place > 0 && length > MAX_BATCH_LENGTH);
  });
  return excess === -1 ? calls.length : excess;
}

/** Makes one request of the calls, and gives each its answer. */
async function send(options: JsonRpcLinkOptions, calls: Call[]): Promise<void> {
  const request = new AbortController();
  let wanted = calls.length;
  for (const { unwanted } of calls) {
    unwanted.addEventListener("abort", () => {
      wanted -= 1;
      if (wanted === 0) request.abort();
    });
  }
  const texts = calls.map(({ text }) => text);
  const body = texts.length === 1 ? texts.join() : `[${texts.join()}]`;
  try {
    const ops = calls.map(({ op }) => op);
    const { json, meta } = await post(options, ops, body, request.signal);
    for (const call of calls) {
      // One answer to a batch is the refusal of all of it.
      const answer = Array.isArray(json) ? json.find((one: Answer | null) => one?.id === call.id) : json;
      call.resolve({ answer: answer ?? undefined, meta });
    }
  } catch (cause) {
    for (const call of calls) call.reject(cause);
  }
}

/** Posts a message, and reads the answer, whatever its status: the errors in it say more. */
async function post(options: JsonRpcLinkOptions, ops: Operation[], body: string, signal: AbortSignal) {
  const headers = { "content-type": "application/json", ...(await headersOf(options, ops)) };
  const fetch = options.fetch ?? globalThis.fetch;
  const response = await fetch(String(options.url), { method: "POST", headers, body, signal });
  try {
    const json: unknown = await response.json();
    return { json: json as Answer | Answer[] | null, meta: { response, responseJSON: json } };
  } catch (cause) {
    throw TRPCClientError.from(cause as Error, { meta: { response } });
  }
}

async function headersOf(options: JsonRpcLinkOptions, opList: Operation[]): Promise<Record<string, string>> {
  const { headers = {} } = options;
  const given = typeof headers === "function" ? await headers({ opList }) : headers;
  const entries = Symbol.iterator in given ? [...given] : Object.entries(given);
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
}

/** How subscriptions reach the server. */
function serverOf(options: JsonRpcLinkOptions, op: Operation): Server {
  return {
    headers: () => headersOf(options, [op]),
    open: (headers) => {
      const WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
      if (!WebSocket) throw new TypeError("This runtime has no WebSocket: pass one, such as the package ws.");
      try {
        return new WebSocket(socketAddress(String(options.url)), { headers });
      } catch (cause) {
        // A browser's takes them for the name of a protocol.
        throw new TypeError("This WebSocket takes no headers, so there is no subscribing by JSON-RPC.", { cause });
      }
    },
    // A WebSocket does not say why it was not opened. Over HTTP the same call is refused for the same reason; if it is
    // refused for another, the session is fine.
    refusal: async () => {
      const text = JSON.stringify({ jsonrpc: "2.0", id: 0, method: op.path });
      const { json } = await post(options, [op], text, AbortSignal.timeout(10_000));
      const { error } = json as Answer;
      return error?.data.code === "UNAUTHORIZED" || error?.data.code === "FORBIDDEN" ? error : undefined;
    },
  };
}

/** The address of a WebSocket, which other than a request's cannot be relative to the page. */
export function socketAddress(url: string): string {
  return new URL(url, (globalThis as { location?: { href: string } }).location?.href).href.replace(/^http/, "ws");
}
