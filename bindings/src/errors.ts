import type { Code, ErrorData, Reason } from "./router.js";

/** The words that `error.data.reason.type` can be. */
export type ReasonType = Reason["type"];

/**
 * An error that Rollbook answered with, as far as it is known: `What` is a reason's type, or an error's code.
 *
 * It says what the error has, not what class it is of. A caught `TRPCClientError` is one, and so is the `error` of an
 * item in a bulk call's results.
 */
export type RollbookError<What extends ReasonType | Code = Code> = {
  readonly message: string;
  readonly data: ErrorData & Particulars<What>;
};

type Particulars<What> = [What] extends [ReasonType]
  ? { reason: Extract<Reason, { type: What }> }
  : [What] extends [Code]
    ? { code: What }
    : unknown;

/**
 * Whether an error is one that Rollbook answered with, rather than a network's or one of the program's own. With a
 * second argument, whether it is the one of this reason, or of this code.
 *
 * ```ts
 * try {
 *   await rollbook.enrollment.enroll.mutate({ courseId });
 * } catch (error) {
 *   if (isRollbookError(error, "alreadyEnrolled")) return error.data.reason.enrollmentId;
 *   if (isRollbookError(error, "UNAUTHORIZED")) return signIn();
 *   throw error;
 * }
 * ```
 *
 * It goes by what the error has in it, not by its class, so that it holds where several copies of the tRPC client are
 * installed, or an error was passed on as JSON.
 */
export function isRollbookError(error: unknown): error is RollbookError;
export function isRollbookError<What extends ReasonType | Code>(
  error: unknown,
  what: What,
): error is RollbookError<What>;
export function isRollbookError(error: unknown, what?: string): boolean {
  const data = (error as { data?: Partial<ErrorData> | null } | null | undefined)?.data;
  // Other tRPC servers' errors have a code too; the request's id is Rollbook's.
  if (typeof data?.code !== "string" || typeof data.requestId !== "string") return false;
  return what === undefined || data.code === what || data.reason?.type === what;
}
