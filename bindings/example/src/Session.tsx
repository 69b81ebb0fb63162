import { useQuery } from "@tanstack/react-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { SERVER } from "./address";
import { Learner } from "./Learner";
import type { Person } from "./people";
import { signIn } from "./sign-in";
import { Staff } from "./Staff";
import { connect, TRPCProvider } from "./trpc";

export function Session({ person }: { person: Person }) {
  const { data: token, failureCount } = useQuery({
    queryKey: ["token", person.subject],
    queryFn: () => signIn(person),
    staleTime: Infinity,
  });
  if (token !== undefined) return <SignedIn token={token} person={person} />;
  if (failureCount === 0) return <p role="status">Signing in…</p>;
  return (
    <p role="status">
      Waiting for the server at {SERVER}. Start it with <code>cargo run -- dev</code>.
    </p>
  );
}

function SignedIn({ token, person }: { token: string; person: Person }) {
  const [client] = useState(() => connect(token));
  return (
    <TRPCProvider trpcClient={client} queryClient={useQueryClient()}>
      {person.role === "learner" ? <Learner /> : <Staff />}
    </TRPCProvider>
  );
}
