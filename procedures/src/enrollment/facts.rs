//! What decisions about enrollments are made of, and what comes of them: loaded and written set-wise, for one command or a
//! thousand.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::EnrollmentRow;
use super::rules::{Changes, Command, Facts, ModuleFact, Wish};
use crate::caller::Tenant;
use crate::certificate;
use crate::course::{self, CourseRow, ModuleKind};
use crate::db::schema::courses::all_columns as course_columns;
use crate::db::schema::{course_enrollments as enrollments, memberships, module_enrollments, modules};
use crate::db::{Connection, Writes, also, locked, one_of, pairs, shared, together};
use crate::error::{Error, Result};
use crate::limits::{MODULES_OF_AT_ONCE, PASSED_OVER_AT_ONCE};
use crate::member::{MembershipStatus, Role};
use crate::module::ModuleEnrollmentRow;
use crate::organization;
use crate::values::{CertificateId, CourseId, EnrollmentId, ModuleId, Moment, UserId};

/// In the words of the index that has a waitlist alone: a plan that is made for any parameters could not use it otherwise.
const WAITS: &str = "course_enrollments.status = 'waitlisted'";

/// Which facts a batch needs.
#[derive(Default)]
pub(super) struct Wanted {
    /// Whose places in which courses.
    seats: BTreeSet<(CourseId, UserId)>,
    courses: BTreeSet<CourseId>,
    /// How many may leave a seat or a waitlist, by course.
    leaving: BTreeMap<CourseId, usize>,
    /// The courses that people may join.
    joining: BTreeSet<CourseId>,
    /// The course whose every free seat goes to those who wait.
    to_fill: Option<CourseId>,
    /// Whether it is about reminders.
    reminding: bool,
}

impl Wanted {
    pub fn of(commands: &[&Command]) -> Self {
        let mut wanted = Wanted::default();
        for command in commands {
            wanted.seats.insert((command.course_id, command.subject.user_id()));
            wanted.courses.insert(command.course_id);
            wanted.reminding |= matches!(command.wish, Wish::Remind);
            if command.wish.may_leave() {
                *wanted.leaving.entry(command.course_id).or_default() += 1;
            } else if matches!(command.wish, Wish::Enroll { .. }) {
                wanted.joining.insert(command.course_id);
            }
        }
        wanted
    }

    pub fn to_fill(course: CourseId) -> Self {
        Wanted { courses: [course].into(), to_fill: Some(course), ..Wanted::default() }
    }
}

/// Whether the courses are held until the transaction ends.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Courses {
    Locked,
    /// For a prediction, which changes nothing.
    AsTheyAre,
}

/// The facts for a batch of commands. The courses are locked first, in the order of their ids: whoever decides about
/// a course's enrollments has them to itself until it commits, also those that do not exist yet. Then the memberships
/// are kept as they are, so that none ends while it is counted on.
pub(super) async fn load(
    conn: &mut Connection,
    tenant: Tenant,
    wanted: Wanted,
    courses: Courses,
) -> Result<Facts> {
    if wanted.courses.is_empty() {
        return Ok(Facts::default());
    }
    let mut facts = load_places(conn, tenant, &wanted, courses).await?;
    load_certificates(conn, tenant, &mut facts).await?;
    load_queues(conn, tenant, &wanted, &mut facts).await?;
    if wanted.reminding {
        facts.reminder_leads = organization::store::reminder_leads(conn, tenant).await?;
    }
    Ok(facts)
}

async fn load_places(
    conn: &mut Connection,
    tenant: Tenant,
    wanted: &Wanted,
    courses: Courses,
) -> Result<Facts> {
    let organization = tenant.organization_id();
    let course_ids: Vec<CourseId> = wanted.courses.iter().copied().collect();
    let user_ids: BTreeSet<UserId> = wanted.seats.iter().map(|(_, user)| *user).collect();
    let members = memberships::table
        .filter(memberships::organization_id.eq(organization))
        .filter(one_of(memberships::user_id, user_ids))
        .select((memberships::user_id, memberships::role, memberships::status));
    let seats = || wanted.seats.iter().copied();
    let existing = enrollments::table
        .filter(pairs(enrollments::course_id, enrollments::user_id, seats()))
        .filter(also(enrollments::organization_id, organization))
        .select(enrollments::all_columns);
    let modules = modules::table
        .filter(one_of(modules::course_id, course_ids.iter().copied()))
        .filter(also(modules::organization_id, organization))
        .select((modules::course_id, modules::id, modules::kind, modules::retired_at.is_not_null()));
    type Loaded = (
        Vec<CourseRow>,
        Vec<(UserId, Role, MembershipStatus)>,
        Vec<EnrollmentRow>,
        Vec<(CourseId, ModuleId, ModuleKind, bool)>,
    );
    let these = course::store::among(tenant, course_ids).select(course_columns);
    let (courses, members, existing, modules): Loaded = match courses {
        Courses::Locked => together!(conn, locked(these), shared(members), existing, modules)?,
        Courses::AsTheyAre => together!(conn, these, members, existing, modules)?,
    };
    let had_modules = had_modules(conn, tenant, &existing).await?;
    let mut facts = Facts {
        courses: courses.into_iter().map(|course| (course.id, course)).collect(),
        members: members.into_iter().map(|(user, role, status)| (user, (role, status))).collect(),
        ..Facts::default()
    };
    facts.take_enrollments(existing, had_modules);
    for (course, id, kind, retired) in modules {
        facts.modules.entry(course).or_default().insert(id, ModuleFact { kind, retired });
    }
    Ok(facts)
}

/// The modules that enrollments have, or had; most of those who enroll have none yet.
async fn had_modules(
    conn: &mut Connection,
    tenant: Tenant,
    rows: &[EnrollmentRow],
) -> Result<Vec<ModuleEnrollmentRow>> {
    let mut found = Vec::new();
    for some in rows.chunks(MODULES_OF_AT_ONCE) {
        let query = module_enrollments::table
            .filter(also(module_enrollments::organization_id, tenant.organization_id()))
            .filter(one_of(module_enrollments::enrollment_id, some.iter().map(|row| row.id)))
            .select(module_enrollments::all_columns);
        found.extend(conn.load(query).await?);
    }
    Ok(found)
}

/// Only completed and revoked enrollments have one, so this seldom asks.
async fn load_certificates(conn: &mut Connection, tenant: Tenant, facts: &mut Facts) -> Result<()> {
    let ids: Vec<CertificateId> = facts.enrollments.values().filter_map(|row| row.certificate_id).collect();
    if !ids.is_empty() {
        let certificates = certificate::store::among(conn, tenant, ids).await?;
        facts.certificates = certificates.into_iter().map(|row| (row.id, row)).collect();
    }
    Ok(())
}

/// The waitlists as far as the batch can get into them; most courses have none.
async fn load_queues(
    conn: &mut Connection,
    tenant: Tenant,
    wanted: &Wanted,
    facts: &mut Facts,
) -> Result<()> {
    let waited_for: Vec<CourseId> =
        facts.courses.values().filter(|course| course.waitlisted_count > 0).map(|course| course.id).collect();
    for id in waited_for {
        if wanted.joining.contains(&id) {
            let tail = queue_tail(conn, tenant, id).await?;
            facts.queues.entry(id).or_default().tail = tail;
        }
        let free = |course: &CourseRow| match course.capacity {
            Some(capacity) => capacity - course.seats_taken(),
            None => course.waitlisted_count,
        };
        let seats = match wanted.to_fill {
            Some(to_fill) if to_fill == id => facts.courses.get(&id).map_or(0, free).max(0),
            Some(_) | None => {
                wanted.leaving.get(&id).map_or(0, |leaving| i32::try_from(*leaving).unwrap_or(i32::MAX))
            }
        };
        if seats > 0 {
            load_queue(conn, tenant, id, seats, facts).await?;
        }
    }
    Ok(())
}

/// Since when the last of a course's waitlist waits.
async fn queue_tail(conn: &mut Connection, tenant: Tenant, course: CourseId) -> Result<Option<Moment>> {
    let query = enrollments::table
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::course_id.eq(course))
        .filter(sql::<Bool>(WAITS))
        .order(enrollments::waitlisted_at.desc())
        .limit(1)
        .select(enrollments::waitlisted_at);
    Ok(conn.first(query).await?.flatten())
}

/// The first of a waitlist, until so many of them are active members: those who are not are passed over.
async fn load_queue(
    conn: &mut Connection,
    tenant: Tenant,
    course: CourseId,
    seats: i32,
    facts: &mut Facts,
) -> Result<()> {
    let seats = usize::try_from(seats).map_err(Error::internal)?;
    let mut after = (Moment::EPOCH, EnrollmentId::NIL);
    let mut active = 0;
    while active < seats {
        let most = seats - active + PASSED_OVER_AT_ONCE;
        let waiting = load_waiting(conn, tenant, course, after, most).await?;
        let is_all = waiting.len() < most;
        for (row, role, status) in &waiting {
            after = (row.waitlisted_at.unwrap_or(Moment::EPOCH), row.id);
            facts.queues.entry(course).or_default().first.insert((after.0, row.id, row.user_id));
            facts.members.insert(row.user_id, (*role, *status));
            active += usize::from(*status == MembershipStatus::Active);
        }
        let rows: Vec<EnrollmentRow> = waiting.into_iter().map(|(row, ..)| row).collect();
        let had_modules = had_modules(conn, tenant, &rows).await?;
        facts.take_enrollments(rows, had_modules);
        if is_all {
            break;
        }
    }
    Ok(())
}

/// Those who wait behind a place, with their memberships, at most so many.
async fn load_waiting(
    conn: &mut Connection,
    tenant: Tenant,
    course: CourseId,
    after: (Moment, EnrollmentId),
    most: usize,
) -> Result<Vec<(EnrollmentRow, Role, MembershipStatus)>> {
    let behind = enrollments::waitlisted_at
        .gt(after.0)
        .or(enrollments::waitlisted_at.eq(after.0).and(enrollments::id.gt(after.1).nullable()));
    let query = enrollments::table
        .inner_join(
            memberships::table.on(memberships::user_id
                .eq(enrollments::user_id)
                .and(memberships::organization_id.eq(enrollments::organization_id))),
        )
        .filter(enrollments::organization_id.eq(tenant.organization_id()))
        .filter(enrollments::course_id.eq(course))
        .filter(sql::<Bool>(WAITS))
        .filter(behind)
        .order((enrollments::waitlisted_at, enrollments::id))
        .limit(i64::try_from(most).map_err(Error::internal)?)
        .select((enrollments::all_columns, memberships::role, memberships::status));
    Ok(conn.load(query).await?)
}

impl Facts {
    fn take_enrollments(&mut self, rows: Vec<EnrollmentRow>, modules: Vec<ModuleEnrollmentRow>) {
        for row in rows {
            // Whoever is both named by a command and waiting was loaded twice.
            self.module_enrollments.insert(row.id, Vec::new());
            self.enrollments.insert((row.course_id, row.user_id), row);
        }
        for module in modules {
            self.module_enrollments.entry(module.enrollment_id).or_default().push(module);
        }
    }
}

/// Writes what a batch decided, however much of it there is.
pub(super) fn apply(changes: Changes, writes: &mut Writes) {
    writes.insert(Vec::from_iter(changes.added.into_values()));
    writes.insert(Vec::from_iter(changes.certificates_added.into_values()));
    writes.update(Vec::from_iter(changes.certificates_updated.into_values()));
    writes.update(Vec::from_iter(changes.updated.into_values()));
    writes.insert(Vec::from_iter(changes.modules_added.into_values()));
    writes.update(Vec::from_iter(changes.modules_updated.into_values()));
    course::store::save_counts(changes.courses.values(), writes);
}
