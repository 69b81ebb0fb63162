import type { CourseId } from "@rollbook/client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "./Problem";
import { Roster } from "./Roster";
import { Seats } from "./Seats";
import { useTRPC } from "./trpc";

/** What coordinators, admins and authors see: the courses, and the roster of the one chosen. */
export function Staff() {
  const trpc = useTRPC();
  const courses = useQuery(trpc.course.list.queryOptions({ limit: 200 }));
  const [chosen, choose] = useState<CourseId>();
  const course = courses.data?.items.find(({ id }) => id === chosen) ?? courses.data?.items[0];

  return (
    <div className="columns">
      <section aria-labelledby="courses">
        <h2 id="courses">Courses</h2>
        <Problem error={courses.error} />
        <ul className="cards">
          {courses.data?.items.map((each) => (
            <li key={each.id} className="card">
              <div className="heading">
                <h3>{each.title}</h3>
                <span className="status" data-status={each.status}>
                  {each.status}
                </span>
              </div>
              <div className="heading">
                <Seats course={each} />
                <button
                  type="button"
                  aria-pressed={each.id === course?.id}
                  aria-label={`Roster of ${each.title}`}
                  onClick={() => choose(each.id)}
                >
                  Roster
                </button>
              </div>
            </li>
          ))}
        </ul>
      </section>
      {/* By its key, another course is another roster: with its own subscription, and no events of the last one. */}
      {course !== undefined && <Roster key={course.id} course={course} />}
    </div>
  );
}
