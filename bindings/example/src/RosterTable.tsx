import type { Event, RosterEntry } from "@rollbook/client";
import { Progress } from "./Progress";
import { since } from "./since";
import { Status } from "./Status";
import { date } from "./words";

type Props = {
  entries: RosterEntry[];
  /** Of which rows a change is pointed out. */
  events: Event[];
};

export function RosterTable({ entries, events }: Props) {
  if (entries.length === 0) return <p>Nobody yet.</p>;
  const changed = new Set(events.map(({ enrollmentId }) => enrollmentId));
  return (
    <table aria-labelledby="roster">
      <thead>
        <tr>
          <th scope="col">Learner</th>
          <th scope="col">Status</th>
          <th scope="col">Since</th>
          <th scope="col">Progress</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          // A changed row is a new element, so that its animation begins again.
          <tr key={`${entry.id} ${entry.version}`} className={changed.has(entry.id) ? "changed" : undefined}>
            <th scope="row">{entry.user.displayName ?? "(no name)"}</th>
            <td>
              <Status status={entry.status} />
              {entry.waitlistPosition !== null && ` place ${entry.waitlistPosition}`}
            </td>
            <td>{date(since(entry))}</td>
            <td>
              <Progress of={entry} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
