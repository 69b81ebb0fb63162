//! The last guard: rows that no rule would let through are refused by either database.

use diesel::result::{DatabaseErrorKind, Error};
use serde_json::json;
use tests::{Kind, World, on_both};

on_both![
    rows_that_mix_tenants,
    certificates_that_mix_tenants,
    cohorts_that_mix_tenants,
    a_certificate_of_another_organization,
    named_checks,
    one_enrollment_per_user_and_course,
    one_certificate_per_completion,
    one_provider_per_issuer,
];

/// A course with two modules in each organization, and an enrollment from between them.
async fn furnish(world: &World) {
    for (organization, prefix) in [(&world.acme, ""), (&world.globex, "globex ")] {
        world.course_in(organization, &format!("{prefix}course"), json!({})).await;
        let course = format!("<{prefix}course>");
        for (name, enrolls) in [("module", true), ("later module", false)] {
            let input = json!({ "courseId": course, "title": "a lesson", "kind": "lesson" });
            let module = world.call(&organization.admin, "course.addModule", input).await.unwrap();
            world.name(&format!("{prefix}{name}"), module["id"].as_str().unwrap());
            if enrolls {
                world.enrolled(&organization.learner, &course, &format!("{prefix}enrollment")).await;
            }
        }
    }
}

/// The same, and both enrollments completed.
async fn furnish_completed(world: &World) {
    furnish(world).await;
    for (organization, prefix) in [(&world.acme, ""), (&world.globex, "globex ")] {
        let input = json!({ "enrollmentId": format!("<{prefix}enrollment>"), "waiveReason": "so decided" });
        let completed = world.call(&organization.admin, "enrollment.complete", input).await.unwrap();
        world.name(&format!("{prefix}certificate"), completed["certificateId"].as_str().unwrap());
    }
}

/// What each label of a statement stands for, as this database writes it.
fn spelled(world: &World, sql: &str) -> String {
    let mut spelled = String::new();
    for part in sql.split_inclusive('>') {
        match part.split_once('<') {
            Some((before, label)) => {
                spelled.push_str(before);
                spelled.push_str(&world.id_literal(&format!("<{label}")));
            }
            None => spelled.push_str(part),
        }
    }
    match world.kind {
        Kind::Postgres => spelled,
        Kind::Sqlite => spelled.replace("gen_random_uuid()", "randomblob(16)"),
    }
}

async fn refused(world: &World, sql: &str) -> (DatabaseErrorKind, String) {
    let sql = spelled(world, sql);
    match world.sql(&sql).await {
        Err(Error::DatabaseError(kind, information)) => {
            let name = information.constraint_name().unwrap_or_else(|| information.message());
            (kind, name.to_owned())
        }
        other => panic!("{sql} was not refused: {other:?}"),
    }
}

const ENROLL: &str = "INSERT INTO course_enrollments (id, user_id, course_id, organization_id, status, enrolled_at, \
                      created_at, updated_at, source, attempt, version, modules_total, modules_completed) \
                      SELECT gen_random_uuid()";
const AS_USUAL: &str = "'enrolled', created_at, created_at, created_at, 'self', 1, 1, 0, 0 FROM courses \
                        WHERE id = <course>";

async fn rows_that_mix_tenants(world: World) {
    furnish(&world).await;
    let before = world.contents().await;
    let cases = [
        (format!("{ENROLL}, <peer>, <globex course>, <acme>, {AS_USUAL}"), "valid_course_id"),
        (format!("{ENROLL}, <globex peer>, <course>, <acme>, {AS_USUAL}"), "valid_user_id"),
        (format!("{ENROLL}, <peer>, <course>, <globex>, {AS_USUAL}"), "valid_"),
        ("UPDATE course_enrollments SET organization_id = <globex> WHERE id = <enrollment>".into(), ""),
        ("UPDATE course_enrollments SET user_id = <globex peer> WHERE id = <enrollment>".into(), "valid_user_id"),
        ("UPDATE course_enrollments SET course_id = <globex course> WHERE id = <enrollment>".into(), "valid_course_id"),
        ("UPDATE modules SET course_id = <globex course> WHERE id = <module>".into(), "organization_consistency"),
        (
            "INSERT INTO module_enrollments (id, organization_id, enrollment_id, user_id, module_id, enrolled_at, \
             soft_deleted) SELECT gen_random_uuid(), <acme>, <enrollment>, <learner>, <globex later module>, created_at, \
             false FROM courses WHERE id = <course>"
                .into(),
            "organization_consistency_module",
        ),
        (
            "INSERT INTO module_enrollments (id, organization_id, enrollment_id, user_id, module_id, enrolled_at, \
             soft_deleted) SELECT gen_random_uuid(), <acme>, <globex enrollment>, <learner>, <later module>, created_at, \
             false FROM courses WHERE id = <course>"
                .into(),
            "organization_consistency_enrollment",
        ),
        (
            "INSERT INTO course_authors (organization_id, course_id, user_id) VALUES \
             (<acme>, <course>, <globex author>)"
                .into(),
            "organization_consistency_user",
        ),
        (
            "INSERT INTO course_authors (organization_id, course_id, user_id) VALUES \
             (<acme>, <globex course>, <author>)"
                .into(),
            "organization_consistency_course",
        ),
        (
            "INSERT INTO events (organization_id, number, at, kind, course_id, enrollment_id, user_id, actor_kind, \
             request_id, data) SELECT organization_id, number + 1, at, kind, course_id, <globex enrollment>, user_id, \
             actor_kind, request_id, data FROM events WHERE enrollment_id = <enrollment>"
                .into(),
            "organization_consistency",
        ),
        ("UPDATE identities SET organization_id = <globex> WHERE organization_id = <acme>".into(), "organization_consistency"),
        (
            "UPDATE development_keys SET identity_provider_id = \
             (SELECT id FROM identity_providers WHERE organization_id = <globex>) WHERE organization_id = <acme>"
                .into(),
            "organization_consistency",
        ),
    ];
    for (sql, constraint) in cases {
        by_foreign_key(&world, &sql, constraint).await;
    }
    assert_eq!(world.contents().await, before);
}

/// Refused by the foreign key whose name begins so; SQLite does not say by which.
async fn by_foreign_key(world: &World, sql: &str, constraint: &str) {
    let (kind, name) = refused(world, sql).await;
    assert!(matches!(kind, DatabaseErrorKind::ForeignKeyViolation), "{sql}: {kind:?}");
    match world.kind {
        Kind::Postgres => assert!(name.starts_with(constraint), "{sql}: {name}"),
        Kind::Sqlite => assert_eq!(name, "FOREIGN KEY constraint failed", "{sql}"),
    }
}

async fn certificates_that_mix_tenants(world: World) {
    furnish_completed(&world).await;
    let before = world.contents().await;
    for (change, constraint) in [
        // Another attempt, because that one has a certificate.
        ("enrollment_id = <globex enrollment>, attempt = 2", "organization_consistency_enrollment"),
        ("course_id = <globex course>", "organization_consistency_course"),
        ("user_id = <globex learner>", "organization_consistency_user"),
        ("organization_id = <globex>", "organization_consistency"),
    ] {
        let sql = format!("UPDATE certificates SET {change} WHERE id = <certificate>");
        by_foreign_key(&world, &sql, constraint).await;
    }
    assert_eq!(world.contents().await, before);
}

async fn cohorts_that_mix_tenants(world: World) {
    furnish(&world).await;
    for (organization, name) in [(&world.acme, "cohort"), (&world.globex, "globex cohort")] {
        let made = world.call(&organization.admin, "cohort.create", json!({ "name": name })).await.unwrap();
        world.name(name, made["id"].as_str().unwrap());
    }
    let before = world.contents().await;
    let insert = |table: &str, column: &str, values: &str| {
        format!(
            "INSERT INTO {table} (organization_id, cohort_id, {column}, added_at, learners_only) \
             SELECT {values}, created_at, false FROM courses WHERE id = <course>"
        )
    };
    let member = |values: &str| insert("cohort_members", "user_id", values);
    let course = |values: &str| insert("cohort_courses", "course_id", values);
    for (sql, constraint) in [
        (member("<acme>, <globex cohort>, <peer>"), "organization_consistency_cohort"),
        (member("<acme>, <cohort>, <globex peer>"), "organization_consistency_user"),
        (member("<globex>, <cohort>, <globex peer>"), "organization_consistency_cohort"),
        (course("<acme>, <globex cohort>, <course>"), "organization_consistency_cohort"),
        (course("<acme>, <cohort>, <globex course>"), "organization_consistency_course"),
        (course("<globex>, <cohort>, <globex course>"), "organization_consistency_cohort"),
    ] {
        by_foreign_key(&world, &sql, constraint).await;
    }
    assert_eq!(world.contents().await, before);

    // What is of one organization is let in.
    for sql in [member("<acme>, <cohort>, <peer>"), course("<acme>, <cohort>, <course>")] {
        assert_eq!(world.sql(&spelled(&world, &sql)).await, Ok(1), "{sql}");
    }
}

/// On PostgreSQL the foreign key is deferred, so it speaks at the end of the transaction: here, of the statement.
/// SQLite has triggers for it.
async fn a_certificate_of_another_organization(world: World) {
    furnish_completed(&world).await;
    // Their enrollment lets go of it, because no two have one certificate.
    let freed = "UPDATE course_enrollments SET certificate_id = NULL WHERE id = <globex enrollment>";
    assert_eq!(world.sql(&spelled(&world, freed)).await, Ok(1));
    let before = world.contents().await;
    let insert = |person: &str, course: &str, organization: &str, certificate: &str| {
        format!(
            "INSERT INTO course_enrollments (id, user_id, course_id, organization_id, certificate_id, status, \
             enrolled_at, completed_at, created_at, updated_at, source, attempt, version, modules_total, \
             modules_completed) SELECT gen_random_uuid(), {person}, {course}, {organization}, {certificate}, \
             'completed', created_at, created_at, created_at, created_at, 'self', 1, 1, 0, 0 \
             FROM courses WHERE id = <course>"
        )
    };
    let update = |certificate: &str| {
        format!("UPDATE course_enrollments SET certificate_id = {certificate} WHERE id = <enrollment>")
    };
    for sql in [
        update("<globex certificate>"),
        update("gen_random_uuid()"),
        insert("<peer>", "<course>", "<acme>", "<globex certificate>"),
        insert("<peer>", "<course>", "<acme>", "gen_random_uuid()"),
    ] {
        let (kind, name) = refused(&world, &sql).await;
        let expected = match world.kind {
            Kind::Postgres => matches!(kind, DatabaseErrorKind::ForeignKeyViolation),
            Kind::Sqlite => matches!(kind, DatabaseErrorKind::Unknown),
        };
        assert!(expected, "{sql}: {kind:?}");
        assert_eq!(name, "organization_consistency_certificate", "{sql}");
    }
    assert_eq!(world.contents().await, before);

    // Their own organization's enrollments may have it.
    let theirs = insert("<globex peer>", "<globex course>", "<globex>", "<globex certificate>");
    assert_eq!(world.sql(&spelled(&world, &theirs)).await, Ok(1));
}

async fn named_checks(world: World) {
    furnish(&world).await;
    let earlier = match world.kind {
        Kind::Postgres => "enrolled_at - interval '1 second'",
        Kind::Sqlite => "enrolled_at - 1000000",
    };
    let (over, under) = match world.kind {
        Kind::Postgres => ("100.01", "-0.01"),
        Kind::Sqlite => ("10001", "-1"),
    };
    let cases = [
        ("completion_score_range", format!("completion_score = {over}")),
        ("completion_score_range", format!("completion_score = {under}")),
        ("completed_at_after_enrolled_at", format!("completed_at = {earlier}")),
        ("certificate_id_set_only_on_completion", "certificate_id = id".into()),
        ("certificate_id_set_only_on_completion", "certificate_id = id, completed_at = enrolled_at".into()),
        ("certificate_id_set_only_on_completion", "certificate_id = id, status = 'completed'".into()),
        ("cancelled_at_only_when_cancelled", "status = 'cancelled'".into()),
        ("cancelled_at_only_when_cancelled", "cancelled_at = enrolled_at".into()),
        ("", "status = 'paused'".into()),
        ("", "source = 'magic'".into()),
        ("", "attempt = 0".into()),
        ("", "version = 0".into()),
        ("", "modules_completed = modules_total + 1".into()),
    ];
    for (constraint, change) in cases {
        let sql = format!("UPDATE course_enrollments SET {change} WHERE id = <enrollment>");
        let (kind, name) = refused(&world, &sql).await;
        assert!(matches!(kind, DatabaseErrorKind::CheckViolation), "{change}: {kind:?}");
        assert!(name.contains(constraint), "{change}: {name}");
    }
    let seats = [
        "seats_limit = 0",
        "seats_limit = 1, enrolled_count = 2",
        "seats_limit = 1, completed_count = 1",
        "capacity = 1, seats_limit = 1, enrolled_count = 0, completed_count = 2",
    ];
    for change in seats {
        let (kind, name) = refused(&world, &format!("UPDATE courses SET {change} WHERE id = <course>")).await;
        assert!(matches!(kind, DatabaseErrorKind::CheckViolation), "{change}: {kind:?}");
        assert!(name.contains("seats_within_limit"), "{change}: {name}");
    }
    // The last seat of a limit, and any without one.
    for change in ["seats_limit = 1", "seats_limit = NULL, enrolled_count = 1000"] {
        let sql = spelled(&world, &format!("UPDATE courses SET {change} WHERE id = <course>"));
        assert_eq!(world.sql(&sql).await, Ok(1), "{change}");
    }
    let cases = [
        ("courses", "enrolled_count = -1"),
        ("courses", "capacity = -1"),
        ("courses", "status = 'gone'"),
        ("memberships", "role = 'owner'"),
        ("memberships", "status = 'gone'"),
        ("module_enrollments", "soft_deleted = true"),
        ("module_enrollments", "removed_because = 'unassigned'"),
    ];
    for (table, change) in cases {
        let (kind, _) = refused(&world, &format!("UPDATE {table} SET {change}")).await;
        assert!(matches!(kind, DatabaseErrorKind::CheckViolation), "{table} {change}: {kind:?}");
    }
}

async fn one_enrollment_per_user_and_course(world: World) {
    furnish(&world).await;
    let (kind, name) = refused(&world, &format!("{ENROLL}, <learner>, <course>, <acme>, {AS_USUAL}")).await;
    assert!(matches!(kind, DatabaseErrorKind::UniqueViolation), "{kind:?}");
    let expected = match world.kind {
        Kind::Postgres => "idx_course_enrollments_unique_user_course",
        Kind::Sqlite => "UNIQUE constraint failed: course_enrollments.user_id, course_enrollments.course_id",
    };
    assert_eq!(name, expected);
    let (kind, _) =
        refused(&world, "INSERT INTO events SELECT * FROM events WHERE enrollment_id = <enrollment>").await;
    assert!(matches!(kind, DatabaseErrorKind::UniqueViolation), "{kind:?}");
}

/// D13: an attempt completes once, no two certificates have one number, and a void one says why.
async fn one_certificate_per_completion(world: World) {
    furnish_completed(&world).await;
    let before = world.contents().await;
    let insert = |number: &str, attempt: &str| {
        format!(
            "INSERT INTO certificates (id, number, organization_id, enrollment_id, attempt, user_id, course_id, \
             issued_at) SELECT gen_random_uuid(), {number}, organization_id, enrollment_id, {attempt}, user_id, \
             course_id, issued_at FROM certificates WHERE id = <certificate>"
        )
    };
    for (sql, constraint, columns) in [
        (
            insert("'another'", "attempt"),
            "certificate_issued_on_completion",
            "certificates.enrollment_id, certificates.attempt",
        ),
        (insert("number", "attempt + 1"), "certificates_number_key", "certificates.number"),
    ] {
        let (kind, name) = refused(&world, &sql).await;
        assert!(matches!(kind, DatabaseErrorKind::UniqueViolation), "{constraint}: {kind:?}");
        match world.kind {
            Kind::Postgres => assert_eq!(name, constraint),
            Kind::Sqlite => assert_eq!(name, format!("UNIQUE constraint failed: {columns}")),
        }
    }
    for change in ["voided_at = issued_at", "void_reason = 'so decided'"] {
        let (kind, name) =
            refused(&world, &format!("UPDATE certificates SET {change} WHERE id = <certificate>")).await;
        assert!(matches!(kind, DatabaseErrorKind::CheckViolation), "{change}: {kind:?}");
        assert!(name.contains("voided_for_a_reason"), "{change}: {name}");
    }
    assert_eq!(world.contents().await, before);

    let void =
        "UPDATE certificates SET voided_at = issued_at, void_reason = 'so decided' WHERE id = <certificate>";
    for sql in [insert("'another'", "attempt + 1"), void.to_owned()] {
        assert_eq!(world.sql(&spelled(&world, &sql)).await, Ok(1), "{sql}");
    }
}

/// D18: an issuer says which organization, so two never have it at once. One has it once for all, so that its people
/// are known again should it come back.
async fn one_provider_per_issuer(world: World) {
    let before = world.contents().await;
    let copied = |organization: &str, column: &str| {
        format!(
            "INSERT INTO identity_providers (id, organization_id, issuer, audience, algorithm, created_at{column}) \
             SELECT gen_random_uuid(), {organization}, issuer, audience, algorithm, created_at{} \
             FROM identity_providers WHERE organization_id = <acme>",
            column.replace("removed_at", "created_at")
        )
    };
    for (sql, constraint, columns) in [
        (copied("<globex>", ""), "identity_providers_issuer", "identity_providers.issuer"),
        (
            copied("<acme>", ", removed_at"),
            "one_provider_per_issuer",
            "identity_providers.organization_id, identity_providers.issuer",
        ),
    ] {
        let (kind, name) = refused(&world, &sql).await;
        assert!(matches!(kind, DatabaseErrorKind::UniqueViolation), "{constraint}: {kind:?}");
        match world.kind {
            Kind::Postgres => assert_eq!(name, constraint),
            Kind::Sqlite => assert_eq!(name, format!("UNIQUE constraint failed: {columns}")),
        }
    }
    assert_eq!(world.contents().await, before);

    // One that is removed leaves its issuer to others.
    let removed = "UPDATE identity_providers SET removed_at = created_at WHERE organization_id = <acme>";
    for sql in [removed.to_owned(), copied("<globex>", "")] {
        assert_eq!(world.sql(&spelled(&world, &sql)).await, Ok(1), "{sql}");
    }
}
