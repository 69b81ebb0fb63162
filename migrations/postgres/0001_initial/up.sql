-- Tenancy: every table but users carries organization_id, and foreign keys between tenant rows include it, so that
-- a row that mixes two organizations cannot exist. A constraint that guards a named rule carries the rule's name.

CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    slug text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT organizations_slug_key UNIQUE (slug)
);

-- The OpenID Connect issuers that organizations sign in with.
CREATE TABLE identity_providers (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    issuer text NOT NULL,
    audience text NOT NULL,
    algorithm text NOT NULL,
    role_claim text,
    jwks_uri text,
    created_at timestamptz NOT NULL,
    CONSTRAINT identity_providers_issuer_key UNIQUE (issuer),
    CONSTRAINT identity_providers_organization_key UNIQUE (organization_id, id)
);

-- People. They are known by their identities, never by their e-mail address.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    display_name text,
    email text,
    global_admin boolean NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE identities (
    organization_id uuid NOT NULL,
    identity_provider_id uuid NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (identity_provider_id, subject),
    CONSTRAINT organization_consistency FOREIGN KEY (organization_id, identity_provider_id)
        REFERENCES identity_providers (organization_id, id)
);
CREATE INDEX identities_user_id ON identities (user_id);

CREATE TABLE memberships (
    organization_id uuid NOT NULL REFERENCES organizations,
    user_id uuid NOT NULL REFERENCES users,
    role text NOT NULL CHECK (role IN ('learner', 'author', 'coordinator', 'admin')),
    status text NOT NULL CHECK (status IN ('active', 'suspended', 'ended')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);

-- Tokens of internal services; only a digest of the secret is kept.
CREATE TABLE service_tokens (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    name text NOT NULL,
    scopes text NOT NULL,
    secret_sha256 bytea NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT service_tokens_secret_key UNIQUE (secret_sha256)
);

-- A course with its enrollments counted by status: kept in the transaction of each change, so that seats and counts
-- cost the same however large the course is. Rows leave room for the counters to be updated in place.
CREATE TABLE courses (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    title text NOT NULL,
    description text,
    status text NOT NULL CHECK (status IN ('draft', 'published', 'archived')),
    capacity integer CHECK (capacity >= 0),
    waitlist boolean NOT NULL,
    opens_at timestamptz,
    closes_at timestamptz,
    access_days integer CHECK (access_days >= 0),
    ends_at timestamptz,
    pass_score numeric(5, 2) CHECK (pass_score BETWEEN 0 AND 100),
    certificate boolean NOT NULL,
    certificate_valid_days integer CHECK (certificate_valid_days >= 0),
    enrollment_mode text NOT NULL CHECK (enrollment_mode IN ('open', 'managed')),
    auto_complete boolean NOT NULL,
    modules_total integer NOT NULL,
    enrolled_count integer NOT NULL CHECK (enrolled_count >= 0),
    waitlisted_count integer NOT NULL CHECK (waitlisted_count >= 0),
    completed_count integer NOT NULL CHECK (completed_count >= 0),
    cancelled_count integer NOT NULL CHECK (cancelled_count >= 0),
    expired_count integer NOT NULL CHECK (expired_count >= 0),
    version integer NOT NULL,
    published_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT courses_organization_key UNIQUE (organization_id, id)
) WITH (fillfactor = 70);

CREATE TABLE course_authors (
    organization_id uuid NOT NULL,
    course_id uuid NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (course_id, user_id),
    CONSTRAINT organization_consistency_course FOREIGN KEY (organization_id, course_id)
        REFERENCES courses (organization_id, id),
    CONSTRAINT organization_consistency_user FOREIGN KEY (organization_id, user_id)
        REFERENCES memberships (organization_id, user_id)
);

CREATE TABLE modules (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    course_id uuid NOT NULL,
    title text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('lesson', 'quiz', 'survey', 'webinar', 'scorm')),
    position integer NOT NULL,
    retired_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT modules_organization_key UNIQUE (organization_id, id),
    CONSTRAINT organization_consistency FOREIGN KEY (organization_id, course_id)
        REFERENCES courses (organization_id, id)
);
CREATE INDEX modules_course ON modules (course_id, position, id);

CREATE TABLE course_enrollments (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    course_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('enrolled', 'waitlisted', 'completed', 'cancelled', 'expired')),
    enrolled_at timestamptz NOT NULL,
    completed_at timestamptz,
    cancelled_at timestamptz,
    completion_score numeric(5, 2),
    enrolled_by_user_id uuid REFERENCES users,
    certificate_id uuid,
    reminder_sent_at timestamptz,
    notes text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    source text NOT NULL CHECK (source IN ('self', 'coordinator', 'cohort', 'integration')),
    source_ref text,
    started_at timestamptz,
    waitlisted_at timestamptz,
    expires_at timestamptz,
    attempt integer NOT NULL CHECK (attempt >= 1),
    version integer NOT NULL CHECK (version >= 1),
    modules_total integer NOT NULL,
    modules_completed integer NOT NULL CHECK (modules_completed BETWEEN 0 AND modules_total),
    CONSTRAINT completion_score_range CHECK (completion_score BETWEEN 0 AND 100),
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
);
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
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    user_id uuid NOT NULL,
    module_id uuid NOT NULL,
    enrolled_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    soft_deleted boolean NOT NULL,
    removed_because text CHECK (removed_because IN ('enrollmentCancelled', 'moduleRetired', 'unassigned')),
    CONSTRAINT soft_deleted_for_a_reason CHECK (soft_deleted = (removed_because IS NOT NULL)),
    CONSTRAINT module_enrollments_user_module_key UNIQUE (user_id, module_id),
    CONSTRAINT organization_consistency_enrollment FOREIGN KEY (organization_id, enrollment_id)
        REFERENCES course_enrollments (organization_id, id),
    CONSTRAINT organization_consistency_module FOREIGN KEY (organization_id, module_id)
        REFERENCES modules (organization_id, id)
);
CREATE INDEX module_enrollments_enrollment ON module_enrollments (enrollment_id);

-- The last event number of each organization. Taking the next ones locks the row until the transaction ends, so an
-- organization's events become visible in the order of their numbers and without a gap.
CREATE TABLE event_heads (
    organization_id uuid PRIMARY KEY REFERENCES organizations,
    last_number bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE events (
    organization_id uuid NOT NULL REFERENCES organizations,
    number bigint NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    course_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    user_id uuid NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'service', 'system')),
    actor_id uuid,
    request_id text NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (organization_id, number),
    CONSTRAINT organization_consistency FOREIGN KEY (organization_id, enrollment_id)
        REFERENCES course_enrollments (organization_id, id)
);
CREATE INDEX events_enrollment ON events (enrollment_id, number);

-- Plain keys without foreign keys: the caller is a user or a service token.
CREATE TABLE idempotency_records (
    organization_id uuid NOT NULL,
    caller_id uuid NOT NULL,
    procedure text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    answer text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, caller_id, procedure, key)
);
CREATE INDEX idempotency_records_created_at ON idempotency_records (created_at);

-- Development mode only: the built-in issuers' signing keys, and how far the clock was moved.
CREATE TABLE development_keys (
    organization_id uuid PRIMARY KEY REFERENCES organizations,
    key_id text NOT NULL,
    private_key text NOT NULL
);
CREATE TABLE development_clock (
    id integer PRIMARY KEY CHECK (id = 1),
    offset_micros bigint NOT NULL
);
