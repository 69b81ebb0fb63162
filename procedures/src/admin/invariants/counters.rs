//! Counts that are kept in the transaction of each change, against what they count.

use super::Sought;

pub(super) const COUNTERS_EQUAL_ROWS: &[Sought] = &[
    Sought {
        problem: "'enrolled, waitlisted, completed, cancelled and expired are counted '
            || course.enrolled_count || ', ' || course.waitlisted_count || ', ' || course.completed_count || ', '
            || course.cancelled_count || ', ' || course.expired_count || ', but there are '
            || count(*) FILTER (WHERE enrollment.status = 'enrolled') || ', '
            || count(*) FILTER (WHERE enrollment.status = 'waitlisted') || ', '
            || count(*) FILTER (WHERE enrollment.status = 'completed') || ', '
            || count(*) FILTER (WHERE enrollment.status = 'cancelled') || ', '
            || count(*) FILTER (WHERE enrollment.status = 'expired')",
        course: "course.id",
        among: "courses AS course
            LEFT JOIN course_enrollments AS enrollment ON enrollment.course_id = course.id
            WHERE course.organization_id = $1
            GROUP BY course.id
            HAVING course.enrolled_count <> count(*) FILTER (WHERE enrollment.status = 'enrolled')
                OR course.waitlisted_count <> count(*) FILTER (WHERE enrollment.status = 'waitlisted')
                OR course.completed_count <> count(*) FILTER (WHERE enrollment.status = 'completed')
                OR course.cancelled_count <> count(*) FILTER (WHERE enrollment.status = 'cancelled')
                OR course.expired_count <> count(*) FILTER (WHERE enrollment.status = 'expired')",
        ..Sought::NOTHING
    },
    Sought {
        problem: "course.modules_total || ' modules are counted, but there are ' || count(module.id)",
        course: "course.id",
        among: "courses AS course
            LEFT JOIN modules AS module ON module.course_id = course.id AND module.retired_at IS NULL
            WHERE course.organization_id = $1
            GROUP BY course.id
            HAVING course.modules_total <> count(module.id)",
        ..Sought::NOTHING
    },
    // An enrollment that is cancelled, or waits to be taken up again, keeps the counters it had, and its modules with
    // them, soft-deleted (D4, D15).
    Sought {
        problem: "enrollment.modules_completed || ' of ' || enrollment.modules_total
            || ' modules are counted as completed, but there are ' || count(given.completed_at) || ' of '
            || count(given.id)",
        among: "course_enrollments AS enrollment
            LEFT JOIN module_enrollments AS given ON given.enrollment_id = enrollment.id
                AND (given.removed_because IS NULL OR (
                    given.removed_because = 'enrollmentCancelled' AND enrollment.status IN ('cancelled', 'waitlisted')
                ))
            WHERE enrollment.organization_id = $1
            GROUP BY enrollment.id
            HAVING enrollment.modules_total <> count(given.id)
                OR enrollment.modules_completed <> count(given.completed_at)",
        ..Sought::ENROLLMENT
    },
];
