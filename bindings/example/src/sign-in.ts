import { SERVER } from "./address";
import { ORGANIZATION, type Person } from "./people";

const TWELVE_HOURS = 12 * 60 * 60;

/**
 * A session of the development mode's identity provider, which asks for no password and makes the person a member.
 * A real application gets its token from the organization's own provider instead; nothing else changes.
 */
export async function signIn({ subject, name, role }: Person): Promise<string> {
  const answer = await fetch(`${SERVER}/dev/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ organization: ORGANIZATION, subject, name, role, expiresIn: TWELVE_HOURS }),
  });
  if (!answer.ok) throw new Error(`${SERVER}/dev/token answered ${answer.status}`);
  const { token } = (await answer.json()) as { token: string };
  return token;
}
