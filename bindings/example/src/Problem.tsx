import { explain } from "./words";

/** Why something failed, said at once by a screen reader. */
export function Problem({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  return (
    <p role="alert" className="problem">
      {explain(error)}
    </p>
  );
}
