import type { CourseId, Enrollment } from "@rollbook/client";
import { Progress } from "./Progress";
import { since } from "./since";
import { Status } from "./Status";
import { date } from "./words";

type Props = { enrollments: Enrollment[] | undefined; titles: Map<CourseId, string> };

export function MyEnrollments({ enrollments, titles }: Props) {
  if (enrollments === undefined) return <p>Loading…</p>;
  if (enrollments.length === 0) return <p>None yet.</p>;
  return (
    <table aria-labelledby="mine">
      <thead>
        <tr>
          <th scope="col">Course</th>
          <th scope="col">Status</th>
          <th scope="col">Since</th>
          <th scope="col">Progress</th>
        </tr>
      </thead>
      <tbody>
        {enrollments.map((enrollment) => (
          <tr key={enrollment.id}>
            <th scope="row">{titles.get(enrollment.courseId) ?? "…"}</th>
            <td>
              <Status status={enrollment.status} />
              {enrollment.waitlistPosition !== null && ` place ${enrollment.waitlistPosition}`}
            </td>
            <td>{date(since(enrollment))}</td>
            <td>
              <Progress of={enrollment} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
