// What the page's own address says: `?as=lena`, and `&server=…` for a server elsewhere than where `rollbook dev`
// listens. Nothing of it is kept anywhere else, so every window is a person of its own, and stays it when reloaded.
import { PEOPLE, type Person } from "./people";

const query = new URLSearchParams(location.search);

export const SERVER = query.get("server") ?? "http://127.0.0.1:4400";

export const ME = PEOPLE.find(({ subject }) => subject === query.get("as"));

/** The page as somebody else sees it. */
export function addressFor({ subject }: Person): string {
  const other = new URLSearchParams(query);
  other.set("as", subject);
  return `?${other}`;
}
