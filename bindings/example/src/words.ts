// What the server says, in words.
import type { EnrollmentStatus, Event, EventKind, Reason } from "@rollbook/client";
import { refusal } from "./refusal";

/** Why a call failed. */
export function explain(error: unknown): string {
  const refused = refusal(error);
  if (refused === undefined) return "The server cannot be reached.";
  if (refused.reason !== undefined) return inWords(refused.reason);
  if (refused.code === "UNAUTHORIZED") return "Your session has ended. Reload the page to sign in again.";
  return error instanceof Error ? error.message : refused.code;
}

/** Every reason there is: one that is added to the server is missing here until it has its words. */
function inWords(reason: Reason): string {
  switch (reason.type) {
    case "alreadyEnrolled":
      return reason.status === "enrolled"
        ? "You are enrolled in this course already."
        : `You are in this course already (${reason.status}).`;
    case "courseFull":
      return reason.capacity === 1 ? "The only seat is taken." : `All ${reason.capacity} seats are taken.`;
    case "notOpenYet":
      return `Enrolling begins on ${date(reason.opensAt)}.`;
    case "closed":
      return `Enrolling ended on ${date(reason.closedAt)}.`;
    case "courseNotPublished":
      return "This course takes no enrollments at present.";
    case "managedCourse":
      return "Only a coordinator can enroll you in this course, or take you off it.";
    case "invalidTransition":
      return `This is ${reason.from} and cannot become ${reason.to}.`;
    case "modulesIncomplete":
      return reason.missing === 1 ? "One module is not completed yet." : `${reason.missing} modules are not completed yet.`;
    case "belowPassScore":
      return `A score of at least ${reason.passScore} is needed.`;
    case "notAMember":
      return "You are not a member of this organization.";
    case "roleRequired":
      return "Your role does not allow this.";
    case "scopeRequired":
      return `This needs a token with the scope ${reason.scope}.`;
    case "versionMismatch":
      return "Somebody else changed this meanwhile.";
    case "keyInFlight":
      return "This is being done already.";
    case "tombstone":
      return "Somebody cancelled this enrollment: a cohort does not bring it back.";
    case "slugTaken":
      return "Another organization has this short name.";
    case "issuerTaken":
      return "Another organization signs in with this identity provider.";
    case "noIdentityProvider":
      return "This organization has no identity provider yet.";
    case "invalidInput":
      return reason.field === "" ? reason.problem : `${reason.field}: ${reason.problem}`;
    case "rateLimited":
      return reason.retryAfterSeconds === 1
        ? "Too many requests. Try again in a second."
        : `Too many requests. Try again in ${reason.retryAfterSeconds} seconds.`;
    case "unavailable":
      return reason.outcome === "notApplied"
        ? "The database is out of reach. Nothing was changed."
        : "The database is out of reach. Look before you try again: the change may have been made.";
    default:
      return reason satisfies never;
  }
}

const EVENTS: Record<EventKind, string> = {
  enrolled: "enrolled",
  waitlisted: "joined the waitlist",
  promoted: "got a seat",
  reactivated: "enrolled again",
  cancelled: "left",
  completed: "completed the course",
  expired: "ran out of time",
  revoked: "lost the completion",
  notesSet: "notes changed",
  moduleStarted: "started a module",
  moduleCompleted: "completed a module",
  moduleAssigned: "was given a module",
  moduleUnassigned: "was relieved of a module",
  certificateIssued: "certificate issued",
  certificateVoided: "certificate voided",
  reminderSent: "was reminded",
};

/** What happened to an enrollment. */
export function happened({ kind, data, actor, userId }: Event): string {
  if (kind === "reactivated" && data.status === "waitlisted") return "joined the waitlist again";
  if (kind === "cancelled" && data.reason === "membershipEnded" && actor.kind === "system") return "left the organization";
  if (kind === "cancelled" && actor.id !== userId) return "was taken off the course";
  return EVENTS[kind];
}

/** Whether a status is one of those that `enrollment.unenroll` ends. */
export function canLeave(status: EnrollmentStatus | undefined): boolean {
  return status === "enrolled" || status === "waitlisted";
}

export function date(moment: string): string {
  return new Date(moment).toLocaleDateString(undefined, { dateStyle: "medium" });
}

export function time(moment: string): string {
  return new Date(moment).toLocaleTimeString();
}
