//! Certificates: one for each completion that has one, and none for anything else.

use super::Sought;

pub(super) const CERTIFICATE_ISSUED_ON_COMPLETION: &[Sought] = &[
    Sought {
        problem: "CASE WHEN certificate.id IS NULL THEN 'its certificate does not exist'
            WHEN certificate.enrollment_id <> enrollment.id THEN 'its certificate is that of another enrollment'
            ELSE 'its certificate is of attempt ' || certificate.attempt || ', not ' || enrollment.attempt END",
        certificate: "enrollment.certificate_id",
        among: "course_enrollments AS enrollment
            LEFT JOIN certificates AS certificate ON certificate.id = enrollment.certificate_id
            WHERE enrollment.organization_id = $1 AND enrollment.certificate_id IS NOT NULL
                AND (certificate.id IS NULL OR certificate.enrollment_id <> enrollment.id
                    OR certificate.attempt <> enrollment.attempt)",
        ..Sought::ENROLLMENT
    },
    Sought {
        problem: "'a certificate was issued for attempt ' || certificate.attempt || ', which the enrollment, '
            || enrollment.status || ' in attempt ' || enrollment.attempt || ', does not have'",
        certificate: "certificate.id",
        among: "certificates AS certificate
            JOIN course_enrollments AS enrollment ON enrollment.id = certificate.enrollment_id
            WHERE certificate.organization_id = $1 AND (
                certificate.attempt > enrollment.attempt OR (
                    certificate.attempt = enrollment.attempt
                        AND enrollment.certificate_id IS DISTINCT FROM certificate.id
                )
            )",
        ..Sought::ENROLLMENT
    },
    Sought {
        problem: "'completed, though its certificate is void'",
        certificate: "certificate.id",
        among: "course_enrollments AS enrollment
            JOIN certificates AS certificate ON certificate.id = enrollment.certificate_id
            WHERE enrollment.organization_id = $1 AND enrollment.status = 'completed'
                AND certificate.voided_at IS NOT NULL",
        ..Sought::ENROLLMENT
    },
    // In a course that has not changed since: so it gave certificates when this was completed.
    Sought {
        problem: "'completed without the certificate that the course gives'",
        among: "course_enrollments AS enrollment
            JOIN courses AS course ON course.id = enrollment.course_id
            WHERE enrollment.organization_id = $1 AND enrollment.status = 'completed'
                AND enrollment.certificate_id IS NULL
                AND course.certificate AND course.updated_at <= enrollment.enrolled_at
                AND NOT EXISTS (
                    SELECT 1 FROM certificates AS certificate
                    WHERE certificate.enrollment_id = enrollment.id AND certificate.attempt = enrollment.attempt
                )",
        ..Sought::ENROLLMENT
    },
];

pub(super) const CANCELLED_ENROLLMENT_BLOCKS_CERTIFICATE: &[Sought] = &[
    Sought {
        problem: "'cancelled, though its certificate is not void'",
        certificate: "certificate.id",
        among: "certificates AS certificate
            JOIN course_enrollments AS enrollment ON enrollment.id = certificate.enrollment_id
            WHERE certificate.organization_id = $1 AND certificate.voided_at IS NULL
                AND enrollment.status = 'cancelled' AND certificate.attempt = enrollment.attempt",
        ..Sought::ENROLLMENT
    },
    // A completed attempt ends by a revocation, or when its certificate has expired (D5, D8).
    Sought {
        problem: "'the certificate of attempt ' || certificate.attempt || ' is not void and does not expire, though the '
            || 'enrollment is in attempt ' || enrollment.attempt",
        certificate: "certificate.id",
        among: "certificates AS certificate
            JOIN course_enrollments AS enrollment ON enrollment.id = certificate.enrollment_id
            WHERE certificate.organization_id = $1 AND certificate.voided_at IS NULL
                AND certificate.expires_at IS NULL AND certificate.attempt < enrollment.attempt",
        ..Sought::ENROLLMENT
    },
];
