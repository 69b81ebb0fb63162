-- D10: how many seats may be taken: the capacity, or what was taken when the capacity was lowered below it. The
-- constraint is the last guard against a seat that is sold twice.
ALTER TABLE courses ADD COLUMN seats_limit INTEGER
    CONSTRAINT seats_within_limit CHECK (enrolled_count + completed_count <= seats_limit);
UPDATE courses SET seats_limit = max(capacity, enrolled_count + completed_count) WHERE capacity IS NOT NULL;

-- D20: a person cancelled this enrollment, so cohorts leave it alone until a person enrolls again.
ALTER TABLE course_enrollments ADD COLUMN tombstone INTEGER NOT NULL DEFAULT 0;
UPDATE course_enrollments SET tombstone = 1
WHERE status = 'cancelled' AND 'user' = (
    SELECT actor_kind FROM events
    WHERE events.enrollment_id = course_enrollments.id AND kind = 'cancelled' ORDER BY number DESC LIMIT 1
);

-- One certificate for each completion; an attempt completes once.
CREATE TABLE certificates (
    id BLOB NOT NULL PRIMARY KEY,
    number TEXT NOT NULL,
    organization_id BLOB NOT NULL,
    enrollment_id BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    user_id BLOB NOT NULL,
    course_id BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER,
    voided_at INTEGER,
    void_reason TEXT,
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
) STRICT;
CREATE INDEX certificates_user ON certificates (user_id, id);
-- SQLite adds no foreign key to a column that is there already.
CREATE TRIGGER organization_consistency_certificate AFTER UPDATE OF certificate_id ON course_enrollments
WHEN NEW.certificate_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM certificates WHERE id = NEW.certificate_id AND organization_id = NEW.organization_id
)
BEGIN
    SELECT RAISE(ABORT, 'organization_consistency_certificate');
END;

CREATE TRIGGER organization_consistency_new_certificate AFTER INSERT ON course_enrollments
WHEN NEW.certificate_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM certificates WHERE id = NEW.certificate_id AND organization_id = NEW.organization_id
)
BEGIN
    SELECT RAISE(ABORT, 'organization_consistency_certificate');
END;

-- Groups of members, with the courses that each of them is to be enrolled in. A row that was removed keeps its place,
-- with the moment of its removal.
CREATE TABLE cohorts (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT cohorts_organization_key UNIQUE (organization_id, id)
) STRICT;

CREATE TABLE cohort_members (
    organization_id BLOB NOT NULL,
    cohort_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    added_at INTEGER NOT NULL,
    removed_at INTEGER,
    -- D21: added by someone who enrolls learners alone.
    learners_only INTEGER NOT NULL,
    PRIMARY KEY (cohort_id, user_id),
    CONSTRAINT organization_consistency_cohort FOREIGN KEY (organization_id, cohort_id)
        REFERENCES cohorts (organization_id, id),
    CONSTRAINT organization_consistency_user FOREIGN KEY (organization_id, user_id)
        REFERENCES memberships (organization_id, user_id)
) STRICT;

CREATE TABLE cohort_courses (
    organization_id BLOB NOT NULL,
    cohort_id BLOB NOT NULL,
    course_id BLOB NOT NULL,
    added_at INTEGER NOT NULL,
    removed_at INTEGER,
    -- D21: attached by someone who enrolls learners alone.
    learners_only INTEGER NOT NULL,
    PRIMARY KEY (cohort_id, course_id),
    CONSTRAINT organization_consistency_cohort FOREIGN KEY (organization_id, cohort_id)
        REFERENCES cohorts (organization_id, id),
    CONSTRAINT organization_consistency_course FOREIGN KEY (organization_id, course_id)
        REFERENCES courses (organization_id, id)
) STRICT;
CREATE INDEX cohort_courses_course ON cohort_courses (course_id) WHERE removed_at IS NULL;
