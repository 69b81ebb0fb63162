import type { Enrollment } from "@rollbook/client";

export function Progress({ of: { modulesCompleted, modulesTotal } }: { of: Pick<Enrollment, "modulesCompleted" | "modulesTotal"> }) {
  return (
    <span className="progress">
      {modulesCompleted} of {modulesTotal}
    </span>
  );
}
