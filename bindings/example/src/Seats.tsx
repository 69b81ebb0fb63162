import type { Course } from "@rollbook/client";

export function Seats({ course: { capacity, seatsTaken, waitlist } }: { course: Course }) {
  if (capacity === null) return <p className="seats">{seatsTaken === 1 ? "1 seat taken" : `${seatsTaken} seats taken`}</p>;
  const full = seatsTaken >= capacity;
  return (
    <p className="seats">
      {seatsTaken} of {capacity} seats taken
      {full && (waitlist ? ", there is a waitlist" : ", full")}
      <meter min={0} max={capacity} value={seatsTaken} aria-hidden="true" />
    </p>
  );
}
