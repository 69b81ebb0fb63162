import type { Role } from "@rollbook/client";

export type Person = { subject: string; name: string; role: Role };

/** The organization of the demo data that this page is about. */
export const ORGANIZATION = "acme";

/** Its people. Signing in gives a person the role told, so these are the roles that the demo data gave them. */
export const PEOPLE: readonly Person[] = [
  { subject: "carol", name: "Carol Coordinator", role: "coordinator" },
  { subject: "ada", name: "Ada Admin", role: "admin" },
  { subject: "arthur", name: "Arthur Author", role: "author" },
  { subject: "lena", name: "Lena Learner", role: "learner" },
  { subject: "liam", name: "Liam Learner", role: "learner" },
  { subject: "lily", name: "Lily Learner", role: "learner" },
  { subject: "luca", name: "Luca Learner", role: "learner" },
  { subject: "lois", name: "Lois Learner", role: "learner" },
];
