//! The tables, for both databases alike (`migrations/`).

use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    organizations (id) {
        id -> UuidKey,
        slug -> Text,
        name -> Text,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    identity_providers (id) {
        id -> UuidKey,
        organization_id -> UuidKey,
        issuer -> Text,
        audience -> Text,
        algorithm -> Text,
        role_claim -> Nullable<Text>,
        jwks_uri -> Nullable<Text>,
        created_at -> Instant,
        removed_at -> Nullable<Instant>,
        platform -> Bool,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    users (id) {
        id -> UuidKey,
        display_name -> Nullable<Text>,
        email -> Nullable<Text>,
        global_admin -> Bool,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    identities (identity_provider_id, subject) {
        organization_id -> UuidKey,
        identity_provider_id -> UuidKey,
        subject -> Text,
        user_id -> UuidKey,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    memberships (organization_id, user_id) {
        organization_id -> UuidKey,
        user_id -> UuidKey,
        role -> Text,
        status -> Text,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    service_tokens (id) {
        id -> UuidKey,
        organization_id -> UuidKey,
        name -> Text,
        scopes -> Text,
        secret_sha256 -> Binary,
        expires_at -> Nullable<Instant>,
        last_used_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    courses (id) {
        id -> UuidKey,
        organization_id -> UuidKey,
        title -> Text,
        description -> Nullable<Text>,
        status -> Text,
        capacity -> Nullable<Integer>,
        waitlist -> Bool,
        opens_at -> Nullable<Instant>,
        closes_at -> Nullable<Instant>,
        access_days -> Nullable<Integer>,
        ends_at -> Nullable<Instant>,
        pass_score -> Nullable<Hundredths>,
        certificate -> Bool,
        certificate_valid_days -> Nullable<Integer>,
        enrollment_mode -> Text,
        auto_complete -> Bool,
        modules_total -> Integer,
        enrolled_count -> Integer,
        waitlisted_count -> Integer,
        completed_count -> Integer,
        cancelled_count -> Integer,
        expired_count -> Integer,
        seats_limit -> Nullable<Integer>,
        version -> Integer,
        published_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    course_authors (course_id, user_id) {
        organization_id -> UuidKey,
        course_id -> UuidKey,
        user_id -> UuidKey,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    modules (id) {
        id -> UuidKey,
        organization_id -> UuidKey,
        course_id -> UuidKey,
        title -> Text,
        kind -> Text,
        position -> Integer,
        retired_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    course_enrollments (id) {
        id -> UuidKey,
        user_id -> UuidKey,
        course_id -> UuidKey,
        organization_id -> UuidKey,
        status -> Text,
        enrolled_at -> Instant,
        completed_at -> Nullable<Instant>,
        cancelled_at -> Nullable<Instant>,
        completion_score -> Nullable<Hundredths>,
        enrolled_by_user_id -> Nullable<UuidKey>,
        certificate_id -> Nullable<UuidKey>,
        reminder_sent_at -> Nullable<Instant>,
        notes -> Nullable<Text>,
        created_at -> Instant,
        updated_at -> Instant,
        source -> Text,
        source_ref -> Nullable<Text>,
        started_at -> Nullable<Instant>,
        waitlisted_at -> Nullable<Instant>,
        expires_at -> Nullable<Instant>,
        attempt -> Integer,
        version -> Integer,
        modules_total -> Integer,
        modules_completed -> Integer,
        tombstone -> Bool,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    certificates (id) {
        id -> UuidKey,
        number -> Text,
        organization_id -> UuidKey,
        enrollment_id -> UuidKey,
        attempt -> Integer,
        user_id -> UuidKey,
        course_id -> UuidKey,
        issued_at -> Instant,
        expires_at -> Nullable<Instant>,
        voided_at -> Nullable<Instant>,
        void_reason -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    cohorts (id) {
        id -> UuidKey,
        organization_id -> UuidKey,
        name -> Text,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    cohort_members (cohort_id, user_id) {
        organization_id -> UuidKey,
        cohort_id -> UuidKey,
        user_id -> UuidKey,
        added_at -> Instant,
        removed_at -> Nullable<Instant>,
        learners_only -> Bool,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    cohort_courses (cohort_id, course_id) {
        organization_id -> UuidKey,
        cohort_id -> UuidKey,
        course_id -> UuidKey,
        added_at -> Instant,
        removed_at -> Nullable<Instant>,
        learners_only -> Bool,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    module_enrollments (id) {
        id -> UuidKey,
        organization_id -> UuidKey,
        enrollment_id -> UuidKey,
        user_id -> UuidKey,
        module_id -> UuidKey,
        enrolled_at -> Instant,
        started_at -> Nullable<Instant>,
        completed_at -> Nullable<Instant>,
        soft_deleted -> Bool,
        removed_because -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    event_heads (organization_id) {
        organization_id -> UuidKey,
        last_number -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    events (organization_id, number) {
        organization_id -> UuidKey,
        number -> BigInt,
        at -> Instant,
        kind -> Text,
        course_id -> UuidKey,
        enrollment_id -> UuidKey,
        user_id -> UuidKey,
        actor_kind -> Text,
        actor_id -> Nullable<UuidKey>,
        request_id -> Text,
        data -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    reminder_leads (organization_id, days) {
        organization_id -> UuidKey,
        days -> Integer,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    leases (job) {
        job -> Text,
        holder -> UuidKey,
        until -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    event_seals (organization_id, number) {
        organization_id -> UuidKey,
        number -> BigInt,
        digest -> Binary,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    webhooks (id) {
        id -> UuidKey,
        organization_id -> UuidKey,
        url -> Text,
        kinds -> Nullable<Text>,
        secret -> Text,
        cursor -> BigInt,
        failures -> Integer,
        retry_at -> Nullable<Instant>,
        disabled_at -> Nullable<Instant>,
        deleted_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    mail_cursors (organization_id) {
        organization_id -> UuidKey,
        cursor -> BigInt,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    deliveries (id) {
        id -> UuidKey,
        organization_id -> UuidKey,
        channel -> Text,
        webhook_id -> Nullable<UuidKey>,
        event_number -> BigInt,
        state -> Text,
        attempts -> Integer,
        due_at -> Instant,
        problem -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    idempotency_records (organization_id, caller_id, procedure, key) {
        organization_id -> UuidKey,
        caller_id -> UuidKey,
        procedure -> Text,
        key -> Text,
        fingerprint -> Binary,
        answer -> Text,
        created_at -> Instant,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    development_keys (organization_id) {
        organization_id -> UuidKey,
        identity_provider_id -> UuidKey,
        key_id -> Text,
        private_key -> Text,
    }
}

table! {
    use diesel::sql_types::*;
    use crate::db::types::*;

    development_clock (id) {
        id -> Integer,
        offset_micros -> BigInt,
    }
}

allow_tables_to_appear_in_same_query!(
    organizations,
    identity_providers,
    users,
    identities,
    memberships,
    service_tokens,
    courses,
    course_authors,
    modules,
    course_enrollments,
    module_enrollments,
    certificates,
    cohorts,
    cohort_members,
    cohort_courses,
    event_heads,
    events,
    reminder_leads,
    leases,
    event_seals,
    webhooks,
    mail_cursors,
    deliveries,
    idempotency_records,
    development_keys,
    development_clock,
);
