// Telling errors apart.
import type {
  AppRouter,
  Code,
  EnrollmentStatus,
  ErrorData,
  ErrorShape,
  Moment,
  Reason,
  ReasonType,
  RollbookError,
} from "@rollbook/client";
import { isRollbookError } from "@rollbook/client";
import { TRPCClientError, type TRPCClientErrorLike } from "@trpc/client";
import { same } from "./client.js";

export function caught(error: unknown): unknown {
  if (isRollbookError(error, "alreadyEnrolled")) {
    same<typeof error.data.reason, Extract<Reason, { type: "alreadyEnrolled" }>>();
    same<typeof error.data.reason.status, EnrollmentStatus>();
    same<typeof error.data.code, Code>();
    return error.data.reason.enrollmentId;
  }
  if (isRollbookError(error, "NOT_FOUND")) {
    same<typeof error.data.code, "NOT_FOUND">();
    same<typeof error.data.reason, Reason | undefined>();
    return error.data.requestId;
  }
  if (isRollbookError(error)) {
    same<typeof error.data.code, Code>();
    same<typeof error.data.reason, Reason | undefined>();
    same<typeof error.message, string>();
    const data: ErrorData = error.data;
    return data.path;
  }
  same<typeof error, unknown>();
  // Nothing is known of what is none.
  // @ts-expect-error
  return error.data;
}

/** One of several reasons. */
export function window(error: unknown): Moment | undefined {
  const when: "notOpenYet" | "closed" = Math.random() < 0.5 ? "notOpenYet" : "closed";
  if (!isRollbookError(error, when as "notOpenYet" | "closed")) return;
  const { reason } = error.data;
  same<typeof reason.type, "notOpenYet" | "closed">();
  return reason.type === "closed" ? reason.closedAt : reason.opensAt;
}

/** What is typed as an error already stays one, and is known better. */
export function typed(error: TRPCClientErrorLike<AppRouter> | null, thrown: TRPCClientError<AppRouter>) {
  if (isRollbookError(error, "courseFull")) error.data.reason.capacity.toFixed();
  if (isRollbookError(thrown, "versionMismatch")) {
    const version: number = thrown.data.reason.current;
    return [version, thrown.cause, thrown.shape?.code];
  }
  return thrown.message;
}

/** An item of a bulk call's results has an error that was not thrown. */
export function item({ error }: { error: ErrorShape }) {
  return isRollbookError(error, "managedCourse") ? error.code : undefined;
}

/** An error's type can be written down. */
export const full = (error: RollbookError<"courseFull">): number => error.data.reason.capacity;
export const any = (error: RollbookError): Code => error.data.code;
export const retryable = (error: RollbookError<"unavailable">) => error.data.reason.outcome === "notApplied";
same<RollbookError<"CONFLICT">["data"]["code"], "CONFLICT">();
same<RollbookError<ReasonType>["data"]["reason"], Reason>();

export function refused(error: unknown) {
  // A word that is neither a reason nor a code.
  // @ts-expect-error
  isRollbookError(error, "full");
  // @ts-expect-error
  isRollbookError(error, "GONE");
  // @ts-expect-error
  isRollbookError(error, 409);
  // Another reason's field, and a reason where only the code is known.
  // @ts-expect-error
  if (isRollbookError(error, "courseFull")) error.data.reason.missing;
  // @ts-expect-error
  if (isRollbookError(error, "CONFLICT")) error.data.reason.enrollmentId;
  // @ts-expect-error
  if (isRollbookError(error)) error.data.reason.type;
  // It may be an item's error, which has no stack.
  // @ts-expect-error
  if (isRollbookError(error)) error.stack;
  // @ts-expect-error
  if (isRollbookError(error, "courseFull") && error.data.code === "GONE") return;
}

// @ts-expect-error
export type None = RollbookError<"full">;
