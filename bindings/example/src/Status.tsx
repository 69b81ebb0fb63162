import type { EnrollmentStatus } from "@rollbook/client";

type Props = {
  status: EnrollmentStatus | undefined;
  /** That the server has not said so yet. */
  expected?: boolean;
};

export function Status({ status, expected = false }: Props) {
  if (status === undefined) return null;
  return (
    <span className="status" data-status={status} data-expected={expected}>
      {status}
    </span>
  );
}
