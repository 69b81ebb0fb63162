//! The waitlist: whoever can have a seat has one.

use super::Sought;

pub(super) const WAITLIST_MOVES: &[Sought] = &[
    Sought {
        problem: "'waits since no moment'",
        among: "course_enrollments AS enrollment
            WHERE enrollment.organization_id = $1 AND enrollment.status = 'waitlisted'
                AND enrollment.waitlisted_at IS NULL",
        ..Sought::ENROLLMENT
    },
    // In a course that gives its seats away: published, and not ended.
    Sought {
        problem: "'waits, though a seat of the course is free'",
        among: "(
                SELECT course.id FROM courses AS course
                LEFT JOIN course_enrollments AS seat
                    ON seat.course_id = course.id AND seat.status IN ('enrolled', 'completed')
                WHERE course.organization_id = $1 AND course.status = 'published'
                    AND (course.ends_at IS NULL OR course.ends_at > $2)
                GROUP BY course.id
                HAVING course.capacity IS NULL OR count(seat.id) < course.capacity
            ) AS open
            JOIN course_enrollments AS enrollment
                ON enrollment.course_id = open.id AND enrollment.status = 'waitlisted'
            JOIN memberships AS member
                ON member.organization_id = enrollment.organization_id AND member.user_id = enrollment.user_id
            WHERE member.status = 'active'",
        ..Sought::ENROLLMENT
    },
];
