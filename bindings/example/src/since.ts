import type { Enrollment, Moment } from "@rollbook/client";

/** Since when an enrollment has been what it is. */
export function since(enrollment: Pick<Enrollment, "status" | "updatedAt"> & Moments): Moment {
  return enrollment[MOMENT[enrollment.status]] ?? enrollment.updatedAt;
}

type Moments = Pick<Enrollment, (typeof MOMENT)[Enrollment["status"]]>;

const MOMENT = {
  enrolled: "enrolledAt",
  waitlisted: "waitlistedAt",
  completed: "completedAt",
  cancelled: "cancelledAt",
  expired: "expiresAt",
} as const satisfies Record<Enrollment["status"], keyof Enrollment>;
