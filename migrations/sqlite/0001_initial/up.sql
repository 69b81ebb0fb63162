-- The same tables, names and rules as in postgres/0001_initial. Ids are 16-byte BLOBs, moments INTEGER microseconds
-- since 1970, scores INTEGER hundredths, booleans 0 or 1.

-- Tenancy: every table but users carries organization_id, and foreign keys between tenant rows include it, so that
-- a row that mixes two organizations cannot exist. A constraint that guards a named rule carries the rule's name.

CREATE TABLE organizations (
    id BLOB NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT organizations_slug_key UNIQUE (slug)
) STRICT;

-- The OpenID Connect issuers that organizations sign in with.
CREATE TABLE identity_providers (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations,
    issuer TEXT NOT NULL,
    audience TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    role_claim TEXT,
    jwks_uri TEXT,
    created_at INTEGER NOT NULL,
    CONSTRAINT identity_providers_issuer_key UNIQUE (issuer),
    CONSTRAINT identity_providers_organization_key UNIQUE (organization_id, id)
) STRICT;

-- People. They are known by their identities, never by their e-mail address.
CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY,
    display_name TEXT,
    email TEXT,
    global_admin INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE identities (
    organization_id BLOB NOT NULL,
    identity_provider_id BLOB NOT NULL,
    subject TEXT NOT NULL,
    user_id BLOB NOT NULL REFERENCES users,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (identity_provider_id, subject),
    CONSTRAINT organization_consistency FOREIGN KEY (organization_id, identity_provider_id)
        REFERENCES identity_providers (organization_id, id)
) STRICT;
CREATE INDEX identities_user_id ON identities (user_id);

CREATE TABLE memberships (
    organization_id BLOB NOT NULL REFERENCES organizations,
    user_id BLOB NOT NULL REFERENCES users,
    role TEXT NOT NULL CHECK (role IN ('learner', 'author', 'coordinator', 'admin')),
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'ended')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) STRICT;

-- Tokens of internal services; only a digest of the secret is kept.
CREATE TABLE service_tokens (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret_sha256 BLOB NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER,
    created_at INTEGER NOT NULL,
    CONSTRAINT service_tokens_secret_key UNIQUE (secret_sha256)
) STRICT;

-- A course with its enrollments counted by status: kept in the transaction of each change, so that seats and counts
-- cost the same however large the course is.
CREATE TABLE courses (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations,
    title TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL CHECK (status IN ('draft', 'published', 'archived')),
    capacity INTEGER CHECK (capacity >= 0),
    waitlist INTEGER NOT NULL,
    opens_at INTEGER,
    closes_at INTEGER,
    access_days INTEGER CHECK (access_days >= 0),
    ends_at INTEGER,
    pass_score INTEGER CHECK (pass_score BETWEEN 0 AND 10000),
    certificate INTEGER NOT NULL,
    certificate_valid_days INTEGER CHECK (certificate_valid_days >= 0),
    enrollment_mode TEXT NOT NULL CHECK (enrollment_mode IN ('open', 'managed')),
    auto_complete INTEGER NOT NULL,
    modules_total INTEGER NOT NULL,
    enrolled_count INTEGER NOT NULL CHECK (enrolled_count >= 0),
    waitlisted_count INTEGER NOT NULL CHECK (waitlisted_count >= 0),
    completed_count INTEGER NOT NULL CHECK (completed_count >= 0),
    cancelled_count INTEGER NOT NULL CHECK (cancelled_count >= 0),
    expired_count INTEGER NOT NULL CHECK (expired_count >= 0),
    version INTEGER NOT NULL,
    published_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT courses_organization_key UNIQUE (organization_id, id)
) STRICT;

CREATE TABLE course_authors (
    organization_id BLOB NOT NULL,
    course_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    PRIMARY KEY (course_id, user_id),
    CONSTRAINT organization_consistency_course FOREIGN KEY (organization_id, course_id)
        REFERENCES courses (organization_id, id),
    CONSTRAINT organization_consistency_user FOREIGN KEY (organization_id, user_id)
        REFERENCES memberships (organization_id, user_id)
) STRICT;

CREATE TABLE modules (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    course_id BLOB NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('lesson', 'quiz', 'survey', 'webinar', 'scorm')),
    position INTEGER NOT NULL,
    retired_at INTEGER,
    created_at INTEGER NOT NULL,
    CONSTRAINT modules_organization_key UNIQUE (organization_id, id),
    CONSTRAINT organization_consistency FOREIGN KEY (organization_id, course_id)
        REFERENCES courses (organization_id, id)
) STRICT;
CREATE INDEX modules_course ON modules (course_id, position, id);

CREATE TABLE course_enrollments (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL,
    course_id BLOB NOT NULL,
    organization_id BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('enrolled', 'waitlisted', 'completed', 'cancelled', 'expired')),
    enrolled_at INTEGER NOT NULL,
    completed_at INTEGER,
    cancelled_at INTEGER,
    completion_score INTEGER,
    enrolled_by_user_id BLOB REFERENCES users,
    certificate_id BLOB,
    reminder_sent_at INTEGER,
    notes TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('self', 'coordinator', 'cohort', 'integration')),
    source_ref TEXT,
    started_at INTEGER,
    waitlisted_at INTEGER,
    expires_at INTEGER,
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    version INTEGER NOT NULL CHECK (version >= 1),
    modules_total INTEGER NOT NULL,
    modules_completed INTEGER NOT NULL CHECK (modules_completed BETWEEN 0 AND modules_total),
    CONSTRAINT completion_score_range CHECK (completion_score BETWEEN 0 AND 10000),
    CONSTRAINT completed_at_after_enrolled_at CHECK (completed_at >= enrolled_at),
    CONSTRAINT certificate_id_set_only_on_completion
        CHECK (certificate_id IS NULL OR (completed_at IS NOT NULL AND status IN ('completed', 'cancelled'))),
    CONSTRAINT cancelled_at_only_when_cancelled CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
    CONSTRAINT course_enrollments_certificate_key UNIQUE (certificate_id),
    CONSTRAINT course_enrollments_organization_key UNIQUE (organization_id, id),
    CONSTRAINT valid_user_id FOREIGN KEY (organization_id, user_id)
        REFERENCES memberships (organization_id, user_id),
    CONSTRAINT valid_course_id FOREIGN KEY (organization_id, course_id)
        REFERENCES courses (organization_id, id)
) STRICT;
CREATE UNIQUE INDEX idx_course_enrollments_unique_user_course ON course_enrollments (user_id, course_id);
CREATE INDEX idx_course_enrollments_user_id ON course_enrollments (user_id);
CREATE INDEX idx_course_enrollments_course_id ON course_enrollments (course_id);
CREATE INDEX idx_course_enrollments_organization_id ON course_enrollments (organization_id);
CREATE INDEX idx_course_enrollments_status ON course_enrollments (status);
CREATE INDEX idx_course_enrollments_org_status ON course_enrollments (organization_id, status);
-- A roster page is read in this order, from a cursor on.
CREATE INDEX idx_course_enrollments_roster ON course_enrollments (course_id, id);
-- A waitlist is read in this order, and a place in it is the number of rows before.
CREATE INDEX idx_course_enrollments_waitlist ON course_enrollments (course_id, waitlisted_at, id)
    WHERE status = 'waitlisted';

-- removed_because says why a row is soft-deleted: with its enrollment (restored when that is reactivated, D15), with
-- its module at such a reactivation, or by an admin (which nothing restores by itself).
CREATE TABLE module_enrollments (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    enrollment_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    module_id BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    soft_deleted INTEGER NOT NULL,
    removed_because TEXT CHECK (removed_because IN ('enrollmentCancelled', 'moduleRetired', 'unassigned')),
    CONSTRAINT soft_deleted_for_a_reason CHECK (soft_deleted = (removed_because IS NOT NULL)),
    CONSTRAINT module_enrollments_user_module_key UNIQUE (user_id, module_id),
    CONSTRAINT organization_consistency_enrollment FOREIGN KEY (organization_id, enrollment_id)
        REFERENCES course_enrollments (organization_id, id),
    CONSTRAINT organization_consistency_module FOREIGN KEY (organization_id, module_id)
        REFERENCES modules (organization_id, id)
) STRICT;
CREATE INDEX module_enrollments_enrollment ON module_enrollments (enrollment_id);

-- The last event number of each organization: its events are numbered without a gap.
CREATE TABLE event_heads (
    organization_id BLOB NOT NULL PRIMARY KEY REFERENCES organizations,
    last_number INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    organization_id BLOB NOT NULL REFERENCES organizations,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    course_id BLOB NOT NULL,
    enrollment_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'service', 'system')),
    actor_id BLOB,
    request_id TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (organization_id, number),
    CONSTRAINT organization_consistency FOREIGN KEY (organization_id, enrollment_id)
        REFERENCES course_enrollments (organization_id, id)
) STRICT;
CREATE INDEX events_enrollment ON events (enrollment_id, number);

-- Plain keys without foreign keys: the caller is a user or a service token.
CREATE TABLE idempotency_records (
    organization_id BLOB NOT NULL,
    caller_id BLOB NOT NULL,
    procedure TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, caller_id, procedure, key)
) STRICT;
CREATE INDEX idempotency_records_created_at ON idempotency_records (created_at);

-- Development mode only: the built-in issuers' signing keys, and how far the clock was moved.
CREATE TABLE development_keys (
    organization_id BLOB NOT NULL PRIMARY KEY REFERENCES organizations,
    key_id TEXT NOT NULL,
    private_key TEXT NOT NULL
) STRICT;
CREATE TABLE development_clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    offset_micros INTEGER NOT NULL
) STRICT;
