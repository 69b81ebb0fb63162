import type { Connection, Live } from "./live";
import { Problem } from "./Problem";

const WORDS: Record<Connection, string> = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Connection lost, reconnecting…",
  refused: "Not live",
};

/** Whether what is shown is kept up to date at this moment. */
export function LiveState({ live: { connection, error } }: { live: Live }) {
  return (
    <>
      <p role="status" className="connection" data-connection={connection}>
        {WORDS[connection]}
      </p>
      <Problem error={error} />
    </>
  );
}
