import { ME } from "./address";
import { Identity } from "./Identity";
import { Session } from "./Session";

export function App() {
  return (
    <>
      <header>
        <h1>Rollbook</h1>
        <Identity />
      </header>
      <main>{ME === undefined ? <Welcome /> : <Session person={ME} />}</main>
    </>
  );
}

function Welcome() {
  return (
    <section className="card welcome">
      <h2>Who are you?</h2>
      <p>
        Open two windows: a coordinator in one, a learner in the other. What the learner does in theirs appears on the
        coordinator’s roster at once.
      </p>
      <p>These are people of the demo organization Acme Learning. Signing in asks for no password here.</p>
    </section>
  );
}
