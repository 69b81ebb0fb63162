//! Rows that refer to each other. Foreign keys hold most of this; what they cannot hold is that a module is of the
//! enrollment's course, and that records of an enrollment name its own course and person.

use super::Sought;

pub(super) const ORGANIZATION_CONSISTENCY: &[Sought] = &[
    Sought {
        problem: "'the course is none of the organization'",
        among: "course_enrollments AS enrollment
            LEFT JOIN courses AS course
                ON course.id = enrollment.course_id AND course.organization_id = enrollment.organization_id
            WHERE enrollment.organization_id = $1 AND course.id IS NULL",
        ..Sought::ENROLLMENT
    },
    Sought {
        problem: "'the person is no member of the organization'",
        among: "course_enrollments AS enrollment
            LEFT JOIN memberships AS member
                ON member.organization_id = enrollment.organization_id AND member.user_id = enrollment.user_id
            WHERE enrollment.organization_id = $1 AND member.user_id IS NULL",
        ..Sought::ENROLLMENT
    },
    Sought {
        problem: "'its certificate is of another organization'",
        certificate: "certificate.id",
        among: "course_enrollments AS enrollment
            JOIN certificates AS certificate ON certificate.id = enrollment.certificate_id
            WHERE enrollment.organization_id = $1
                AND certificate.organization_id <> enrollment.organization_id",
        ..Sought::ENROLLMENT
    },
    Sought {
        problem: "'a module of the enrollment is of another '
            || CASE WHEN given.organization_id <> enrollment.organization_id THEN 'organization'
                WHEN given.user_id <> enrollment.user_id THEN 'person' ELSE 'course' END",
        module: "given.module_id",
        among: "course_enrollments AS enrollment
            JOIN module_enrollments AS given ON given.enrollment_id = enrollment.id
            LEFT JOIN modules AS module ON module.id = given.module_id
                AND module.organization_id = enrollment.organization_id AND module.course_id = enrollment.course_id
            WHERE enrollment.organization_id = $1 AND (
                given.organization_id <> enrollment.organization_id OR given.user_id <> enrollment.user_id
                OR module.id IS NULL
            )",
        ..Sought::ENROLLMENT
    },
    Sought {
        problem: "'the certificate is not of its enrollment''s organization, course and person'",
        course: "certificate.course_id",
        enrollment: "certificate.enrollment_id",
        user: "certificate.user_id",
        certificate: "certificate.id",
        among: "certificates AS certificate
            LEFT JOIN course_enrollments AS enrollment ON enrollment.id = certificate.enrollment_id
                AND enrollment.organization_id = certificate.organization_id
                AND enrollment.course_id = certificate.course_id AND enrollment.user_id = certificate.user_id
            WHERE certificate.organization_id = $1 AND enrollment.id IS NULL",
        ..Sought::NOTHING
    },
    Sought {
        problem: "'the event is not of its enrollment''s organization, course and person'",
        course: "event.course_id",
        enrollment: "event.enrollment_id",
        user: "event.user_id",
        event: "event.number",
        among: "events AS event
            LEFT JOIN course_enrollments AS enrollment ON enrollment.id = event.enrollment_id
                AND enrollment.organization_id = event.organization_id
                AND enrollment.course_id = event.course_id AND enrollment.user_id = event.user_id
            WHERE event.organization_id = $1 AND enrollment.id IS NULL",
        ..Sought::NOTHING
    },
    Sought {
        problem: "'a module of the course is of another organization'",
        course: "course.id",
        module: "module.id",
        among: "courses AS course
            JOIN modules AS module ON module.course_id = course.id
            WHERE course.organization_id = $1 AND module.organization_id <> course.organization_id",
        ..Sought::NOTHING
    },
    Sought {
        problem: "'an author of the course is no member of the organization'",
        course: "course.id",
        user: "author.user_id",
        among: "courses AS course
            JOIN course_authors AS author ON author.course_id = course.id
            LEFT JOIN memberships AS member
                ON member.organization_id = author.organization_id AND member.user_id = author.user_id
            WHERE course.organization_id = $1
                AND (author.organization_id <> course.organization_id OR member.user_id IS NULL)",
        ..Sought::NOTHING
    },
    Sought {
        problem: "'a member of the cohort \"' || cohort.name || '\" is no member of the organization'",
        user: "person.user_id",
        among: "cohorts AS cohort
            JOIN cohort_members AS person ON person.cohort_id = cohort.id
            LEFT JOIN memberships AS member
                ON member.organization_id = person.organization_id AND member.user_id = person.user_id
            WHERE cohort.organization_id = $1
                AND (person.organization_id <> cohort.organization_id OR member.user_id IS NULL)",
        ..Sought::NOTHING
    },
    Sought {
        problem: "'a course of the cohort \"' || cohort.name || '\" is none of the organization'",
        course: "attached.course_id",
        among: "cohorts AS cohort
            JOIN cohort_courses AS attached ON attached.cohort_id = cohort.id
            LEFT JOIN courses AS course
                ON course.id = attached.course_id AND course.organization_id = attached.organization_id
            WHERE cohort.organization_id = $1
                AND (attached.organization_id <> cohort.organization_id OR course.id IS NULL)",
        ..Sought::NOTHING
    },
    Sought {
        problem: "'an identity at the organization''s provider is of another organization'",
        user: "identity.user_id",
        among: "identity_providers AS provider
            JOIN identities AS identity ON identity.identity_provider_id = provider.id
            WHERE provider.organization_id = $1 AND identity.organization_id <> provider.organization_id",
        ..Sought::NOTHING
    },
];
