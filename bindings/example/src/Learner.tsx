import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CourseCard } from "./CourseCard";
import { useLive } from "./live";
import { LiveEvents } from "./LiveEvents";
import { LiveState } from "./LiveState";
import { MyEnrollments } from "./MyEnrollments";
import { Problem } from "./Problem";
import { useTRPC } from "./trpc";

/** Others' enrollments are not a learner's to follow, so the seats they take are looked up now and then. */
const LOOK_AT_SEATS_EVERY_MS = 10_000;

/** What a learner sees: the courses to enroll in, and their own enrollments as they change. */
export function Learner() {
  const trpc = useTRPC();
  const live = useLive();
  const [waitlist, setWaitlist] = useState(true);
  const courses = useQuery(
    trpc.course.list.queryOptions({ limit: 200 }, { refetchInterval: LOOK_AT_SEATS_EVERY_MS }),
  );
  const mine = useQuery(trpc.enrollment.listByUser.queryOptions({ limit: 200 }));
  const titles = new Map(courses.data?.items.map(({ id, title }) => [id, title]));

  return (
    <div className="columns">
      <section aria-labelledby="courses">
        <h2 id="courses">Courses</h2>
        <label className="option">
          <input type="checkbox" checked={waitlist} onChange={(change) => setWaitlist(change.target.checked)} />
          If a course is full, put me on its waitlist
        </label>
        <Problem error={courses.error ?? mine.error} />
        <ul className="cards">
          {courses.data?.items.map((course) => (
            <CourseCard
              key={course.id}
              course={course}
              enrollment={mine.data?.items.find(({ courseId }) => courseId === course.id)}
              waitlist={waitlist}
            />
          ))}
        </ul>
      </section>
      <section aria-labelledby="mine" className="card">
        <div className="heading">
          <h2 id="mine">My enrollments</h2>
          <LiveState live={live} />
        </div>
        <MyEnrollments enrollments={mine.data?.items} titles={titles} />
        <LiveEvents events={live.events} about={({ courseId }) => titles.get(courseId)} />
      </section>
    </div>
  );
}
