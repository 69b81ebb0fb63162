-- D10: how many seats may be taken: the capacity, or what was taken when the capacity was lowered below it. The
-- constraint is the last guard against a seat that is sold twice.
ALTER TABLE courses ADD COLUMN seats_limit integer;
UPDATE courses SET seats_limit = GREATEST(capacity, enrolled_count + completed_count) WHERE capacity IS NOT NULL;
ALTER TABLE courses ADD CONSTRAINT seats_within_limit CHECK (enrolled_count + completed_count <= seats_limit);

-- D20: a person cancelled this enrollment, so cohorts leave it alone until a person enrolls again.
ALTER TABLE course_enrollments ADD COLUMN tombstone boolean NOT NULL DEFAULT false;
UPDATE course_enrollments SET tombstone = true
WHERE status = 'cancelled' AND 'user' = (
    SELECT actor_kind FROM events
    WHERE events.enrollment_id = course_enrollments.id AND kind = 'cancelled' ORDER BY number DESC LIMIT 1
);

-- One certificate for each completion; an attempt completes once.
CREATE TABLE certificates (
    id uuid PRIMARY KEY,
    number text NOT NULL,
    organization_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    attempt integer NOT NULL,
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz,
    voided_at timestamptz,
    void_reason text,
    CONSTRAINT certificates_number_key UNIQUE (number),
    CONSTRAINT certificates_organization_key UNIQUE (organization_id, id),
    CONSTRAINT certificate_issued_on_completion UNIQUE (enrollment_id, attempt),
    CONSTRAINT voided_for_a_reason CHECK ((voided_at IS NULL) = (void_reason IS NULL)),
    CONSTRAINT organization_consistency_enrollment FOREIGN KEY (organization_id, enrollment_id)
        REFERENCES course_enrollments (organization_id, id),
    CONSTRAINT organization_consistency_course FOREIGN KEY (organization_id, course_id)
        REFERENCES courses (organization_id, id),
    CONSTRAINT organization_consistency_user FOREIGN KEY (organization_id, user_id)
        REFERENCES memberships (organization_id, user_id)
);
CREATE INDEX certificates_user ON certificates (user_id, id);
-- Deferred, because an enrollment and its certificate point at each other.
ALTER TABLE course_enrollments ADD CONSTRAINT organization_consistency_certificate
    FOREIGN KEY (organization_id, certificate_id) REFERENCES certificates (organization_id, id)
    DEFERRABLE INITIALLY DEFERRED;

-- Groups of members, with the courses that each of them is to be enrolled in. A row that was removed keeps its place,
-- with the moment of its removal.
CREATE TABLE cohorts (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT cohorts_organization_key UNIQUE (organization_id, id)
);

CREATE TABLE cohort_members (
    organization_id uuid NOT NULL,
    cohort_id uuid NOT NULL,
    user_id uuid NOT NULL,
    added_at timestamptz NOT NULL,
    removed_at timestamptz,
    -- D21: added by someone who enrolls learners alone.
    learners_only boolean NOT NULL,
    PRIMARY KEY (cohort_id, user_id),
    CONSTRAINT organization_consistency_cohort FOREIGN KEY (organization_id, cohort_id)
        REFERENCES cohorts (organization_id, id),
    CONSTRAINT organization_consistency_user FOREIGN KEY (organization_id, user_id)
        REFERENCES memberships (organization_id, user_id)
);

CREATE TABLE cohort_courses (
    organization_id uuid NOT NULL,
    cohort_id uuid NOT NULL,
    course_id uuid NOT NULL,
    added_at timestamptz NOT NULL,
    removed_at timestamptz,
    -- D21: attached by someone who enrolls learners alone.
    learners_only boolean NOT NULL,
    PRIMARY KEY (cohort_id, course_id),
    CONSTRAINT organization_consistency_cohort FOREIGN KEY (organization_id, cohort_id)
        REFERENCES cohorts (organization_id, id),
    CONSTRAINT organization_consistency_course FOREIGN KEY (organization_id, course_id)
        REFERENCES courses (organization_id, id)
);
CREATE INDEX cohort_courses_course ON cohort_courses (course_id) WHERE removed_at IS NULL;
