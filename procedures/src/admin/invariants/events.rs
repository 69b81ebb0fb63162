//! The log against what it tells of.

use super::Sought;

pub(super) const EVENTS_MATCH_CHANGES: &[Sought] = &[
    // Each change of an enrollment is one more version and one event; its certificates' events come on top.
    Sought {
        problem: "'changed ' || enrollment.version || ' times by its version, ' || count(event.number)
            || ' times by its events'",
        among: "course_enrollments AS enrollment
            LEFT JOIN events AS event ON event.enrollment_id = enrollment.id
                AND event.kind NOT IN ('certificateIssued', 'certificateVoided')
            WHERE enrollment.organization_id = $1
            GROUP BY enrollment.id
            HAVING enrollment.version <> count(event.number)",
        ..Sought::ENROLLMENT
    },
    // `data` is written without spaces, and a quote inside of one of its texts is escaped: the pattern is the field.
    Sought {
        problem: "'it is ' || enrollment.status || ', but '
            || CASE WHEN latest.number IS NULL THEN 'no event' ELSE 'not the last event that' END
            || ' says so'",
        event: "latest.number",
        among: "course_enrollments AS enrollment
            LEFT JOIN (
                SELECT enrollment_id, max(number) AS number FROM events
                WHERE organization_id = $1 AND kind IN ('enrolled', 'waitlisted', 'promoted', 'reactivated',
                    'cancelled', 'completed', 'expired', 'revoked')
                GROUP BY enrollment_id
            ) AS latest ON latest.enrollment_id = enrollment.id
            LEFT JOIN events AS event
                ON event.organization_id = enrollment.organization_id AND event.number = latest.number
            WHERE enrollment.organization_id = $1 AND (
                event.number IS NULL OR event.data NOT LIKE '%\"status\":\"' || enrollment.status || '\"%'
            )",
        ..Sought::ENROLLMENT
    },
    Sought {
        problem: "coalesce(had.issued, 0) || ' certificates were issued and ' || coalesce(had.voided, 0)
            || ' are void, but by its events ' || coalesce(told.issued, 0) || ' and ' || coalesce(told.voided, 0)",
        among: "course_enrollments AS enrollment
            LEFT JOIN (
                SELECT enrollment_id, count(*) AS issued, count(voided_at) AS voided FROM certificates
                WHERE organization_id = $1 GROUP BY enrollment_id
            ) AS had ON had.enrollment_id = enrollment.id
            LEFT JOIN (
                SELECT enrollment_id,
                    count(*) FILTER (WHERE kind = 'certificateIssued') AS issued,
                    count(*) FILTER (WHERE kind = 'certificateVoided') AS voided
                FROM events
                WHERE organization_id = $1 AND kind IN ('certificateIssued', 'certificateVoided')
                GROUP BY enrollment_id
            ) AS told ON told.enrollment_id = enrollment.id
            WHERE enrollment.organization_id = $1 AND (
                coalesce(had.issued, 0) <> coalesce(told.issued, 0)
                OR coalesce(had.voided, 0) <> coalesce(told.voided, 0)
            )",
        ..Sought::ENROLLMENT
    },
    Sought {
        problem: "'the event before this one is missing'",
        event: "event.number",
        among: "events AS event
            WHERE event.organization_id = $1 AND event.number <> 1 AND NOT EXISTS (
                SELECT 1 FROM events AS former
                WHERE former.organization_id = $1 AND former.number = event.number - 1
            )",
        ..Sought::NOTHING
    },
    Sought {
        problem: "'the last event is number ' || coalesce(last.number, 0) || ', but the head of the log is '
            || coalesce(CAST(head.last_number AS text), 'missing')",
        event: "last.number",
        among: "organizations AS organization
            LEFT JOIN event_heads AS head ON head.organization_id = organization.id
            CROSS JOIN (SELECT max(number) AS number FROM events WHERE organization_id = $1) AS last
            WHERE organization.id = $1 AND head.last_number IS DISTINCT FROM coalesce(last.number, 0)",
        ..Sought::NOTHING
    },
];
