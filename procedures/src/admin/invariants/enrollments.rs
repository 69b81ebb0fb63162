//! Seats, one enrollment each, and members alone.

use super::Sought;

pub(super) const SEATS_WITHIN_LIMIT: &[Sought] = &[
    Sought {
        problem: "count(seat.id) || ' seats are taken where at most ' || course.seats_limit || ' may be'",
        course: "course.id",
        among: "courses AS course
            JOIN course_enrollments AS seat
                ON seat.course_id = course.id AND seat.status IN ('enrolled', 'completed')
            WHERE course.organization_id = $1
            GROUP BY course.id
            HAVING count(seat.id) > course.seats_limit",
        ..Sought::NOTHING
    },
    // The limit is the capacity, or what was taken when that was lowered, and shrinks with each seat given back.
    Sought {
        problem: "coalesce(CAST(course.seats_limit AS text), 'any number of') || ' seats may be taken, though '
            || count(seat.id) || ' are and the capacity is ' || coalesce(CAST(course.capacity AS text), 'not limited')",
        course: "course.id",
        among: "courses AS course
            LEFT JOIN course_enrollments AS seat
                ON seat.course_id = course.id AND seat.status IN ('enrolled', 'completed')
            WHERE course.organization_id = $1
            GROUP BY course.id
            HAVING (course.capacity IS NULL) <> (course.seats_limit IS NULL)
                OR course.seats_limit < course.capacity
                OR (course.seats_limit > course.capacity AND course.seats_limit > count(seat.id))",
        ..Sought::NOTHING
    },
];

pub(super) const UNIQUE_ENROLLMENT_PER_USER_PER_COURSE: &[Sought] = &[Sought {
    problem: "'the person has another enrollment in the course'",
    among: "course_enrollments AS enrollment
        WHERE enrollment.organization_id = $1 AND EXISTS (
            SELECT 1 FROM course_enrollments AS earlier
            WHERE earlier.user_id = enrollment.user_id AND earlier.course_id = enrollment.course_id
                AND earlier.id < enrollment.id
        )",
    ..Sought::ENROLLMENT
}];

pub(super) const TENANT_SCOPED_ACCESS: &[Sought] = &[Sought {
    problem: "'still ' || enrollment.status || ', though the membership has ended'",
    among: "memberships AS member
        JOIN course_enrollments AS enrollment
            ON enrollment.user_id = member.user_id AND enrollment.organization_id = member.organization_id
        WHERE member.organization_id = $1 AND member.status = 'ended'
            AND enrollment.status IN ('enrolled', 'waitlisted')",
    ..Sought::ENROLLMENT
}];
