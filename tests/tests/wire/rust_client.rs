//! The typed client for services in Rust, over both of its transports.

use rollbook_client::course::{List, ListInput};
use rollbook_client::enrollment::{
    Enroll, EnrollInput, EnrollmentStatus, ListByUser, ListByUserInput, OnChange, OnChangeInput, Unenroll,
    UnenrollInput,
};
use rollbook_client::error::{Code, Reason, Rule};
use rollbook_client::event::EventKind;
use rollbook_client::session::Me;
use rollbook_client::values::CourseId;
use rollbook_client::{CallError, HttpClient, Session, WsClient};

use crate::on_both;
use crate::site::{Client, Site};

on_both![over_http, over_a_websocket, what_happens_to_enrollments, sessions];

async fn over_http(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let client = HttpClient::new(&base(&site), &Session::bearing(&lena.token)).expect("a client");
    enrolls_again_and_again(&client, &lena, course(&site).await).await;
}

async fn over_a_websocket(site: Site) {
    let lena = site.person("wire-learner", "learner").await;
    let client = WsClient::connect(&base(&site), &Session::bearing(&lena.token)).await.expect("a connection");
    enrolls_again_and_again(&client, &lena, course(&site).await).await;
}

async fn what_happens_to_enrollments(site: Site) {
    let (carol, lena) =
        (site.person("carol", "coordinator").await, site.person("wire-learner", "learner").await);
    let course_id = course(&site).await;
    let carol = WsClient::connect(&base(&site), &Session::bearing(&carol.token)).await.expect("a connection");
    let lena = HttpClient::new(&base(&site), &Session::bearing(&lena.token)).expect("a client");
    let since = |last_event_id| OnChangeInput { course_id: Some(course_id), user_id: None, last_event_id };

    let mut events = carol.subscribe::<OnChange>(since(None)).await.expect("a subscription");
    let enrollment = lena.call::<Enroll>(enroll(course_id)).await.expect("enrolled");
    lena.call::<Unenroll>(unenroll(course_id)).await.expect("unenrolled");
    let enrolled = events.next().await.expect("goes on").expect("an event");
    assert_eq!((enrolled.kind, enrolled.enrollment_id), (EventKind::Enrolled, enrollment.id));
    let cancelled = events.next().await.expect("goes on").expect("an event");
    assert_eq!(cancelled.kind, EventKind::Cancelled);
    events.stop().await.expect("stopped");

    let mut events = carol.subscribe::<OnChange>(since(Some(enrolled.id))).await.expect("a subscription");
    assert_eq!(events.next().await.expect("goes on").expect("an event"), cancelled);

    site.server.kill().await;
    let end = events.next().await.expect("says so").expect_err("no event");
    assert!(matches!(end, CallError::Ended(_)), "{end}");
    assert!(events.next().await.is_none());
    assert!(!carol.is_connected());
}

async fn sessions(site: Site) {
    for token in ["rbs_unknown", "no.token.at-all"] {
        let session = Session::bearing(token);
        let client = HttpClient::new(&base(&site), &session).expect("a client");
        let refused = client.call::<Me>(Default::default()).await.expect_err("no session");
        assert_eq!(refused.code(), Some(Code::Unauthorized));
        let refused = WsClient::connect(&base(&site), &session).await.expect_err("no session");
        assert_eq!(refused.code(), Some(Code::Unauthorized));
        assert!(!format!("{session:?} {client:?}").contains(token), "{client:?}");
    }
    assert!(matches!(
        HttpClient::new(&base(&site), &Session::bearing("two\nlines")),
        Err(CallError::Unusable(_))
    ));
}

/// Enrolls under a key, and again, unenrolls, enrolls: one enrollment, in its second attempt.
async fn enrolls_again_and_again<T>(client: &rollbook_client::Client<T>, lena: &Client, course_id: CourseId)
where
    T: jsonrpsee_core::client::ClientT + Sync,
{
    let me = client.call::<Me>(Default::default()).await.expect("a session");
    assert_eq!(me.user_id.expect("a person").to_string(), lena.user_id);

    let key = "a-key".parse().expect("a key");
    let first = client.call_once::<Enroll>(enroll(course_id), &key).await.expect("enrolled");
    assert_eq!((first.status, first.attempt, first.course_id), (EnrollmentStatus::Enrolled, 1, course_id));
    assert_eq!(client.call_once::<Enroll>(enroll(course_id), &key).await.expect("the same"), first);

    let refused = client.call::<Enroll>(enroll(course_id)).await.expect_err("enrolled already");
    let refusal = refused.refusal().expect("an answer");
    let reason = Reason::AlreadyEnrolled { enrollment_id: first.id, status: EnrollmentStatus::Enrolled };
    assert_eq!((refusal.code, &refusal.reason), (Code::Conflict, &Some(reason)));
    assert_eq!(refusal.rule, Some(Rule::UniqueEnrollmentPerUserPerCourse));
    assert_eq!(refusal.path.as_deref(), Some("enrollment.enroll"));
    assert_ne!(refusal.request_id, None);

    let left = client.call::<Unenroll>(unenroll(course_id)).await.expect("unenrolled");
    assert_eq!((left.id, left.status), (first.id, EnrollmentStatus::Cancelled));
    let back = client.call::<Enroll>(enroll(course_id)).await.expect("enrolled");
    assert_eq!((back.id, back.attempt), (first.id, 2));

    let all = ListByUserInput { user_id: None, statuses: None, cursor: None, limit: None };
    assert_eq!(client.call::<ListByUser>(all).await.expect("a page").items, [back]);
    let courses = ListInput { status: None, search: None, cursor: None, limit: None };
    let courses = client.call::<List>(courses).await.expect("a page").items;
    assert!(courses.iter().any(|course| course.id == course_id && course.modules_total == 2));
}

fn enroll(course_id: CourseId) -> EnrollInput {
    EnrollInput { course_id, user_id: None, notes: None, waitlist: None }
}

fn unenroll(course_id: CourseId) -> UnenrollInput {
    UnenrollInput { course_id, user_id: None, reason: None }
}

async fn course(site: &Site) -> CourseId {
    site.course(2).await.parse().expect("an id")
}

fn base(site: &Site) -> String {
    format!("http://{}", site.address())
}
