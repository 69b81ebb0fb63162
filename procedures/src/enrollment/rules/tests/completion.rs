//! Completing, certificates, revoking and recertifying (D5 to D8, D12, D13).

use super::*;

/// The learner is enrolled and has completed both of the course's modules.
fn all_done() -> World {
    World::new().offering(&[1, 2]).having(former(Enrolled)).taking([completed(place(1)), completed(place(2))])
}

/// The certificate that the decisions so far have issued.
fn issued(world: &World) -> CertificateRow {
    let issued = Vec::from_iter(world.changes.certificates_added.values());
    assert_eq!(issued.len(), 1);
    issued[0].clone()
}

fn of_certificate(id: CertificateId, reason: Option<&str>) -> EventData {
    let reason = reason.map(str::to_owned);
    EventData { certificate_id: Some(id), reason, ..EventData::default() }
}

/// Rule `certificate_issued_on_completion`.
#[test]
fn a_completion_has_its_certificate() {
    let mut world = all_done();
    world.course().certificate_valid_days = Some(365);
    let (old, counted, now) = (world.row(&learner()), world.course().clone(), world.now);
    let wish = Wish::Complete { score: Some(score(9_050)), waiver: None };
    let decided = world.decide(&service(), &learner(), wish).unwrap();
    let CertificateRow { id: its_id, number, .. } = issued(&world);
    let certificate = CertificateRow {
        id: its_id,
        number,
        organization_id: organization(),
        enrollment_id: old.id,
        attempt: 3,
        user_id: user(&learner()),
        course_id: course_id(),
        issued_at: now,
        expires_at: Some(at("2027-03-01T12:00:00Z")),
        voided_at: None,
        void_reason: None,
    };
    let row = EnrollmentRow {
        status: Completed,
        completed_at: Some(now),
        completion_score: Some(score(9_050)),
        certificate_id: Some(its_id),
        updated_at: now,
        version: 10,
        ..old
    };
    assert_eq!(decided, Decided::from(row.clone()));
    assert_eq!(world.facts.certificates, BTreeMap::from([(its_id, certificate.clone())]));
    let course = CourseRow { enrolled_count: 0, completed_count: 1, ..counted };
    let actor = EventActor::of(&service());
    let data = EventData { score: Some(score(9_050)), ..moved(Some(Enrolled), &row) };
    let changes = Changes {
        events: vec![
            event(actor, EventKind::Completed, &row, data),
            event(actor, EventKind::CertificateIssued, &row, of_certificate(its_id, None)),
        ],
        updated: BTreeMap::from([(row.id, row)]),
        courses: BTreeMap::from([(course_id(), course)]),
        certificates_added: BTreeMap::from([(its_id, certificate)]),
        ..Changes::default()
    };
    assert_eq!(all_changes(&world.changes), all_changes(&changes));
}

#[test]
fn a_course_may_give_certificates_without_end_or_none() {
    let mut world = all_done();
    world.ask(&service(), complete()).unwrap();
    assert_eq!(issued(&world).expires_at, None);

    let mut world = all_done();
    world.course().certificate = false;
    let row = world.ask(&service(), complete()).unwrap();
    assert_eq!((row.status, row.certificate_id), (Completed, None));
    assert_eq!(world.changes.certificates_added, BTreeMap::new());
    assert_eq!(world.kinds(), [EventKind::Completed]);
}

/// A clock that was set back makes no completion precede its enrollment.
#[test]
fn completed_at_after_enrolled_at() {
    let mut world = all_done();
    world.now = at("2025-05-31T08:00:00Z");
    let enrolled_at = world.row(&learner()).enrolled_at;
    let row = world.ask(&service(), complete()).unwrap();
    assert_eq!((row.completed_at, row.updated_at), (Some(enrolled_at), world.now));
    assert_eq!(issued(&world).issued_at, enrolled_at);
}

/// D12. What was taken away is not missing; where there are no modules, none is (D23).
#[test]
fn every_module_completed() {
    let unassigned = removed(Removal::Unassigned, place(2));
    for (places, expected) in [
        (vec![], Ok(Completed)),
        (vec![completed(place(1)), completed(place(2))], Ok(Completed)),
        (vec![completed(place(1)), unassigned], Ok(Completed)),
        (
            vec![completed(place(1)), place(2), started(place(3))],
            Err(precondition(Reason::ModulesIncomplete { missing: 2 })),
        ),
    ] {
        let mut world = World::new().having(former(Enrolled)).taking(places);
        assert_eq!(world.ask(&service(), complete()).map(|row| row.status), expected);
    }
}

/// D12.
#[test]
fn pass_score_reached() {
    let pass_score = score(8_000);
    let below = || precondition(Reason::BelowPassScore { pass_score });
    for (wanted, given, expected) in [
        (Some(pass_score), None, Err(below())),
        (Some(pass_score), Some(score(7_999)), Err(below())),
        (Some(pass_score), Some(pass_score), Ok(Completed)),
        (None, Some(score(0)), Ok(Completed)),
        (None, None, Ok(Completed)),
    ] {
        let mut world = all_done();
        world.course().pass_score = wanted;
        let answer = world.ask(&service(), Wish::Complete { score: given, waiver: None });
        assert_eq!(answer.map(|row| row.status), expected, "{given:?}");
    }
}

/// D12.
#[test]
fn a_waiver_stands_for_modules_and_score() {
    for caller in [coordinator(), admin(), global_admin(), service()] {
        for given in [None, Some(score(1_000))] {
            let mut world = World::with(|course| course.pass_score = Some(score(8_000)))
                .having(former(Enrolled))
                .taking([place(1)]);
            let wish = Wish::Complete { score: given, waiver: Some(why("Known already.")) };
            let row = world.ask(&caller, wish).unwrap();
            assert_eq!((row.status, row.completion_score), (Completed, given));
            assert_eq!((row.modules_total, row.modules_completed), (1, 0), "progress is what was done");
            let reason = Some("Known already.".to_owned());
            let data = EventData { score: given, reason, ..moved(Some(Enrolled), &row) };
            let happened = event(EventActor::of(&caller), EventKind::Completed, &row, data);
            assert_eq!(world.changes.events[0], happened);
        }
    }
}

/// D12: by the system.
#[test]
fn the_last_module_completes_a_course_that_says_so() {
    let mut world = World::with(|course| course.auto_complete = true)
        .offering(&[1, 2])
        .having(former(Enrolled))
        .taking([place(1), place(2)]);
    let (old, now) = (world.row(&learner()), world.now);
    let row = world.ask(&learner(), Wish::CompleteModule(module(1))).unwrap();
    assert_eq!((row.status, row.version), (Enrolled, 10), "not the last");

    world.changes = Changes::default();
    let decided = world.decide(&learner(), &learner(), Wish::CompleteModule(module(2))).unwrap();
    let its_id = issued(&world).id;
    let row = EnrollmentRow {
        status: Completed,
        completed_at: Some(now),
        certificate_id: Some(its_id),
        updated_at: now,
        version: 12,
        modules_completed: 2,
        ..old
    };
    let progress = ModuleEnrollmentRow { started_at: Some(now), completed_at: Some(now), ..place(2) };
    assert_eq!(decided, Decided { module: Some(progress), ..row.clone().into() });
    let of_module = EventData { module_id: Some(module(2)), ..EventData::default() };
    let system = EventActor::SYSTEM;
    let happened = [
        event(EventActor::of(&learner()), EventKind::ModuleCompleted, &row, of_module),
        event(system, EventKind::Completed, &row, moved(Some(Enrolled), &row)),
        event(system, EventKind::CertificateIssued, &row, of_certificate(its_id, None)),
    ];
    assert_eq!(world.changes.events, happened);
    assert_eq!(world.changes.updated, BTreeMap::from([(row.id, row)]));
}

/// D12: progress alone never completes a course.
#[test]
fn the_last_module_completes_no_other_course() {
    let cases: [fn(&mut CourseRow); 2] =
        [|course| course.auto_complete = false, |course| course.pass_score = Some(score(0))];
    for change in cases {
        let mut world = World::with(|course| course.auto_complete = true)
            .offering(&[1])
            .having(former(Enrolled))
            .taking([place(1)]);
        change(world.course());
        let row = world.ask(&learner(), Wish::CompleteModule(module(1))).unwrap();
        assert_eq!((row.status, row.modules_completed), (Enrolled, 1));
        assert_eq!(world.kinds(), [EventKind::ModuleCompleted]);
    }
    let mut world = World::with(|course| course.auto_complete = true)
        .offering(&[1, 2])
        .having(former(Enrolled))
        .taking([completed(place(1)), place(2)]);
    let row = world.ask(&coordinator(), Wish::UnassignModule(module(2))).unwrap();
    assert_eq!((row.status, row.modules_total), (Enrolled, 1), "nor does taking the last one away");
}

/// To record again what is recorded changes nothing, also where the course says `auto_complete` only since then.
#[test]
fn a_module_completed_again_completes_no_course() {
    let mut world = all_done();
    world.course().auto_complete = true;
    let old = world.row(&learner());
    let decided = world.decide(&learner(), &learner(), Wish::CompleteModule(module(2))).unwrap();
    assert_eq!(decided, Decided { module: Some(completed(place(2))), ..old.into() });
    assert_eq!(all_changes(&world.changes), all_changes(&Changes::default()));
}

/// D5, rule `cancelled_enrollment_blocks_certificate`.
#[test]
fn revoking_voids_the_certificate() {
    for (caller, tombstone) in [(admin(), true), (global_admin(), true), (service(), false)] {
        let mut world = World::new().offering(&[1]).having(former(Completed)).taking([completed(place(1))]);
        let (old, counted, now) = (world.row(&learner()), world.course().clone(), world.now);
        let decided = world.decide(&caller, &learner(), revoke()).unwrap();
        let row = EnrollmentRow {
            status: Cancelled,
            cancelled_at: Some(now),
            updated_at: now,
            version: 10,
            tombstone,
            ..old
        };
        assert_eq!(decided, Decided::from(row.clone()));
        let certificate = CertificateRow {
            voided_at: Some(now),
            void_reason: Some("A mix-up.".into()),
            ..certificate_of(&former(Completed)).unwrap()
        };
        let certificates = BTreeMap::from([(certificate_id(), certificate)]);
        assert_eq!(world.facts.certificates, certificates);
        let course = CourseRow { completed_count: 0, cancelled_count: 1, ..counted };
        let actor = EventActor::of(&caller);
        let revoked = EventData { reason: Some("A mix-up.".into()), ..moved(Some(Completed), &row) };
        let voided = of_certificate(certificate_id(), Some("A mix-up."));
        let changes = Changes {
            events: vec![
                event(actor, EventKind::Revoked, &row, revoked),
                event(actor, EventKind::CertificateVoided, &row, voided),
            ],
            updated: BTreeMap::from([(row.id, row)]),
            modules_updated: by_id([removed(Removal::EnrollmentCancelled, completed(place(1)))]),
            courses: BTreeMap::from([(course_id(), course)]),
            certificates_updated: certificates,
            ..Changes::default()
        };
        assert_eq!(all_changes(&world.changes), all_changes(&changes));
    }
}

#[test]
fn a_completion_without_a_certificate_is_revoked_too() {
    let mut world = World::new().having(EnrollmentRow { certificate_id: None, ..former(Completed) });
    assert_eq!(world.ask(&admin(), revoke()).unwrap().status, Cancelled);
    assert_eq!(world.kinds(), [EventKind::Revoked]);
    assert_eq!(world.changes.certificates_updated, BTreeMap::new());
}

/// D6.
#[test]
fn completing_again_issues_another_certificate() {
    let mut world = World::new().offering(&[1]).having(former(Completed)).taking([completed(place(1))]);
    let revoked = world.ask(&admin(), revoke()).unwrap();
    assert_eq!(revoked.certificate_id, Some(certificate_id()), "it stays while cancelled");
    let again = world.enroll(&learner(), &learner()).unwrap();
    assert_eq!((again.certificate_id, again.completed_at, again.completion_score), (None, None, None));
    let row = world.ask(&service(), complete()).unwrap();
    let new = issued(&world);
    assert_ne!(new.id, certificate_id());
    assert_eq!((row.certificate_id, new.attempt, new.voided_at), (Some(new.id), 4, None));
    let now = world.now;
    assert_eq!(world.certificate().voided_at, Some(now), "the old one stays void");
}

#[test]
fn a_certificate_issued_and_voided_in_one_batch_is_added_void() {
    let mut world = all_done();
    world.ask(&service(), complete()).unwrap();
    world.ask(&admin(), revoke()).unwrap();
    let certificate = issued(&world);
    assert_eq!(certificate.voided_at, Some(world.now));
    assert_eq!(certificate.void_reason.as_deref(), Some("A mix-up."));
    assert_eq!(world.changes.certificates_updated, BTreeMap::new());
}

/// D8: in a full course that others wait for, without a new seat, and with every module to be done anew.
#[test]
fn recertifying() {
    let waiting = EnrollmentRow { id: id(42), user_id: user(&other_learner()), ..former(Waitlisted) };
    let mut world = World::with(|course| course.capacity = Some(1))
        .offering(&[1, 2, 3, 4, 5])
        .having(former(Completed))
        .having(waiting.clone())
        .taking([
            completed(place(1)),
            removed(Removal::Unassigned, completed(place(2))),
            place(3),
            completed(place(5)),
        ]);
    let now = world.now;
    world.module(5).retired = true;
    world.certificate().expires_at = Some(now);
    let (old, counted) = (world.row(&learner()), world.course().clone());
    let decided = world.decide(&learner(), &learner(), enroll()).unwrap();
    let row = EnrollmentRow {
        status: Enrolled,
        enrolled_at: now,
        completed_at: None,
        completion_score: None,
        enrolled_by_user_id: None,
        certificate_id: None,
        reminder_sent_at: None,
        updated_at: now,
        source: Source::Myself,
        source_ref: None,
        started_at: None,
        waitlisted_at: None,
        expires_at: None,
        attempt: 4,
        version: 10,
        modules_total: 3,
        modules_completed: 0,
        ..old
    };
    assert_eq!(decided, Decided::from(row.clone()));
    assert_eq!(world.row(&other_learner()), waiting);

    let modules_added = world.changes.modules_added.clone();
    let added: Vec<ModuleId> = modules_added.values().map(|place| place.module_id).collect();
    assert_eq!(added, [module(4)]);
    let course = CourseRow { enrolled_count: 1, completed_count: 0, ..counted };
    let data = moved(Some(Completed), &row);
    let changes = Changes {
        events: vec![event(EventActor::of(&learner()), EventKind::Reactivated, &row, data)],
        updated: BTreeMap::from([(row.id, row)]),
        modules_added,
        modules_updated: by_id([
            place(1),
            removed(Removal::Unassigned, place(2)),
            removed(Removal::ModuleRetired, place(5)),
        ]),
        courses: BTreeMap::from([(course_id(), course)]),
        ..Changes::default()
    };
    assert_eq!(all_changes(&world.changes), all_changes(&changes));
}
