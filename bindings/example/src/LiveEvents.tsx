import type { Event } from "@rollbook/client";
import { happened, time } from "./words";

type Props = { events: Event[]; about: (event: Event) => string | null | undefined };

/** What happened since this window is open. */
export function LiveEvents({ events, about }: Props) {
  return (
    <div className="events">
      <h3 id="events">As it happens</h3>
      {events.length === 0 && <p>Nothing yet since this window was opened.</p>}
      <ol reversed aria-labelledby="events" aria-live="polite">
        {events.map((event) => (
          <li key={event.id}>
            <time dateTime={event.at}>{time(event.at)}</time> {about(event) ?? "Somebody"}: {happened(event)}
          </li>
        ))}
      </ol>
    </div>
  );
}
