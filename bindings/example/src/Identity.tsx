import { addressFor, ME } from "./address";
import { PEOPLE } from "./people";

/** Who this window is; links, so that another person is a click in this window, or a middle click in one beside it. */
export function Identity() {
  return (
    <nav aria-label="Who you are" className="people">
      <ul>
        {PEOPLE.map((person) => (
          <li key={person.subject}>
            <a href={addressFor(person)} aria-current={person === ME ? "true" : undefined}>
              {person.name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
