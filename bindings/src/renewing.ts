import type { TRPCLink } from "@trpc/client";
import { observable, type Unsubscribable } from "@trpc/server/observable";
import type { AppRouter } from "./router.js";

/** A subscription that lasted this long was accepted, in ms. That it was begun does not say so: an error may follow. */
const ACCEPTED = 10_000;

/**
 * A link that outlives the token its session began with, where `renewable` says that there will be another: what is
 * refused as UNAUTHORIZED is tried once more, and so each time after it has been accepted. A subscription goes on after
 * the last event it had.
 *
 * A subscription whose connection fails without an answer is begun anew `patience` times in a row: an `EventSource`
 * gives up for good when a proxy answers for a server that is away, and tells no more of it than that.
 */
export function renewing(link: TRPCLink<AppRouter>, renewable: boolean, patience = 0): TRPCLink<AppRouter> {
  return (runtime) => {
    const operation = link(runtime);
    return (call) =>
      observable((observer) => {
        let failures = 0;
        let begun = 0;
        let op = call.op;
        let timer: ReturnType<typeof setTimeout> | undefined;
        let attempt: Unsubscribable | undefined;
        const begin = () => {
          begun = Date.now();
          attempt = operation({ ...call, op }).subscribe({
            next(envelope) {
              const { result } = envelope;
              if ("id" in result && result.id !== undefined) {
                failures = 0;
                op = { ...call.op, input: { ...(call.op.input as object | undefined), lastEventId: result.id } };
              }
              observer.next(envelope);
            },
            error(error) {
              const isSubscription = op.type === "subscription";
              if (isSubscription && Date.now() - begun > ACCEPTED) failures = 0;
              // What a call without an answer has done is not known, but a subscription changes nothing.
              const unanswered = !error.data && isSubscription ? patience : 0;
              const retries = error.data?.code === "UNAUTHORIZED" && renewable ? 1 : unanswered;
              if (failures >= retries || op.signal?.aborted) return observer.error(error);
              // Not at once: the server closes a WebSocket whose session is over right after saying so.
              timer = setTimeout(begin, 500 * 2 ** failures);
              failures += 1;
              if (isSubscription) observer.next({ result: { type: "state", state: "connecting", error } });
            },
            complete: () => observer.complete(),
          });
        };
        begin();
        return () => {
          clearTimeout(timer);
          attempt?.unsubscribe();
        };
      });
  };
}
