import { type Operation, type OperationResultObserver, TRPCClientError } from "@trpc/client";
import type { WebSocketLike } from "./jsonRpcLink.js";
import type { AppRouter, ErrorShape, Event } from "./router.js";

/** How long a connection may be silent until it is asked whether it lives, in ms. */
const SILENCE = 45_000;

/** How long it may take to open, and to answer that, in ms. */
const PATIENCE = 10_000;

/** tRPC's number of all errors that are the server's own, which pass: INTERNAL_SERVER_ERROR, SERVICE_UNAVAILABLE. */
const FAULT = -32603;

/** The ids of the two calls that a connection is used for. */
const SUBSCRIBE = 1;
const LIVES = 2;

/** Where a subscription's items, state and end go. */
export type Follower = OperationResultObserver<AppRouter, unknown>;

/** How the server is reached. */
export type Server = {
  /** The session's headers, as they are now. */
  headers: () => Promise<Record<string, string>>;
  /** Opens a connection; throws if there can be none. */
  open: (headers: Record<string, string>) => WebSocketLike;
  /** The session's refusal, if that is why a connection was not opened. */
  refusal: () => Promise<ErrorShape | undefined>;
};

/** What comes over the connection: answers, which have an id, and the subscription's notifications. */
type Message = { id?: unknown; error?: ErrorShape; params?: { result?: Event; error?: ErrorShape } };

/**
 * Makes one subscription, over a WebSocket of its own: to close it is to stop the subscription. A connection that is
 * lost is opened again, and goes on after the last event that came. Answers with what ends it.
 */
export function follow(op: Operation, observer: Follower, server: Server): () => void {
  let over = false;
  let socket: WebSocketLike | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let lastEventId: string | undefined;

  const end = () => {
    over = true;
    clearTimeout(timer);
    socket?.close();
    op.signal?.removeEventListener("abort", abort);
  };
  const abort = () => {
    end();
    observer.next({ result: { type: "stopped" } });
    observer.complete();
  };
  const fail = (cause: object) => {
    end();
    observer.error(TRPCClientError.from(cause));
  };
  const again = (cause: object) => {
    clearTimeout(timer);
    socket?.close();
    socket = undefined;
    // Not all clients at once, after the server was away.
    timer = setTimeout(connect, Math.random() * Math.min(1_000 * 2 ** failures++, 10_000));
    observer.next({ result: { type: "state", state: "connecting", error: TRPCClientError.from(cause) } });
  };

  const hear = (message: Message) => {
    if (message.id === LIVES) return;
    const error = message.error ?? message.params?.error;
    if (error) return error.code === FAULT ? again({ error }) : fail({ error });
    const event = message.params?.result;
    if (event) {
      lastEventId = event.id;
      observer.next({ result: { type: "data", id: event.id, data: { id: event.id, data: event } } });
    } else if (message.id === SUBSCRIBE) {
      failures = 0;
      observer.next({ result: { type: "started" } });
      observer.next({ result: { type: "state", state: "pending", error: null } });
    }
  };

  const connect = async () => {
    let headers: Record<string, string>;
    try {
      headers = await server.headers();
    } catch (cause) {
      if (!over) again(cause as object);
      return;
    }
    if (over) return;
    let mine: WebSocketLike;
    try {
      mine = socket = server.open(headers);
    } catch (cause) {
      return fail(cause as object);
    }
    let opened = false;
    const say = (id: number, method: string, params?: object) => {
      mine.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    };
    const lost = async () => {
      if (socket !== mine || over) return;
      clearTimeout(timer);
      socket = undefined;
      mine.close();
      const refusal = opened ? undefined : await server.refusal().catch(() => undefined);
      if (over) return;
      if (refusal) fail({ error: refusal });
      else again(new Error("The connection was lost."));
    };
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        say(LIVES, "session.me");
        timer = setTimeout(lost, PATIENCE);
      }, SILENCE);
    };
    timer = setTimeout(lost, PATIENCE);
    mine.addEventListener("open", () => {
      if (socket !== mine) return;
      opened = true;
      listen();
      say(SUBSCRIBE, op.path, { ...(op.input as object | undefined), ...(lastEventId && { lastEventId }) });
    });
    mine.addEventListener("message", ({ data }) => {
      if (socket !== mine || over) return;
      listen();
      let message: Message;
      try {
        message = JSON.parse(data);
      } catch (cause) {
        return fail(cause as object);
      }
      hear(message);
    });
    mine.addEventListener("error", lost);
    mine.addEventListener("close", lost);
  };

  observer.next({ result: { type: "state", state: "connecting", error: null } });
  if (op.signal?.aborted) {
    abort();
  } else {
    op.signal?.addEventListener("abort", abort);
    void connect();
  }
  return end;
}
