//! Every limit of the procedures, with its unit. Those of single fields stand with their types in [`crate::values`], the
//! sockets' in the server.

use std::time::Duration;

/// Rows of a page.
pub const MAX_PAGE: u32 = 200;

/// Rows of a page, unless told.
pub const DEFAULT_PAGE: u32 = 50;

/// Free text (notes, descriptions) on a page, in bytes: a page that would have more ends early.
pub const MAX_PAGE_TEXT: usize = 256 * 1024;

/// Authors of a course.
pub const MAX_AUTHORS: usize = 100;

/// Modules of a course, retired ones included.
pub const MAX_MODULES: usize = 500;

/// Items of a list in an input.
pub const MAX_LIST_INPUT: usize = 1000;

/// Members of a cohort.
pub const MAX_COHORT_MEMBERS: usize = 10_000;

/// Courses of a cohort.
pub const MAX_COHORT_COURSES: usize = 100;

/// Places that a cohort enrolls in one transaction.
pub const COHORT_CHUNK: usize = 500;

/// Places that a cohort's sync names as skipped.
pub const MAX_SKIPPED: usize = 10_000;

/// How long after a reminder no other one is sent about the same enrollment (D22).
pub const REMINDER_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// How many days before an end people are reminded of it, unless their organization says otherwise.
pub const USUAL_REMINDER_LEADS: [i32; 2] = [30, 7];

/// How many lead times an organization may have reminders at.
pub const MAX_REMINDER_LEADS: usize = 5;

/// Enrollments that a sweep changes in one transaction.
pub const SWEEP_CHUNK: usize = 200;

/// How many people on a waitlist are looked at beyond the seats that are free, should some have to be passed over.
pub const PASSED_OVER_AT_ONCE: usize = 16;

/// Enrollments whose modules are loaded in one query.
pub const MODULES_OF_AT_ONCE: usize = 4_000;

/// How long the database may take to say its time, to be believed.
pub const CLOCK_ANSWER: Duration = Duration::from_millis(200);

/// How long a process has a job to itself.
pub const LEASE: Duration = Duration::from_secs(4);

/// Events of an organization that are sealed, or compared with their seals, at once.
pub const SEAL_CHUNK: usize = 1000;

/// Organizations whose events one step of sealing seals.
pub const SEAL_ORGANIZATIONS: usize = 100;

/// Events that one step of dispatching reads for one receiver.
pub const DISPATCH_CHUNK: usize = 500;

/// Receivers that one step of dispatching reads for.
pub const DISPATCH_READERS: i64 = 100;

/// How old news may be that people are still written to about: mail that is set up later tells nothing old.
pub const MAIL_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a delivery is its claimer's: far longer than sending it may take.
pub const CLAIM_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Deliveries to one webhook that are under way at a time.
pub const WEBHOOK_AT_ONCE: i64 = 2;

/// How long what became of a delivery is kept, and how many are deleted at a time.
pub const DELIVERY_RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);
pub const DELIVERY_PURGE: i64 = 10_000;

/// How long after a failed attempt the next one is made: at first, and at the most.
pub const RETRY_FIRST: Duration = Duration::from_secs(1);
pub const RETRY_LONGEST: Duration = Duration::from_secs(60 * 60);

/// How often a delivery is attempted before it is dead: for about eight hours.
pub const MAX_DELIVERY_ATTEMPTS: i32 = 20;

/// Characters kept of what went wrong with a delivery.
pub const MAX_PROBLEM: usize = 300;

/// Webhooks of an organization.
pub const MAX_WEBHOOKS: usize = 20;

/// Service tokens of an organization that are not revoked.
pub const MAX_SERVICE_TOKENS: usize = 200;

/// Characters of an address that this service is to call.
pub const MAX_URL: usize = 2_000;

/// Characters of an issuer, which an index of PostgreSQL's has room for.
pub const MAX_ISSUER: usize = 1_000;

/// Violations that are named of one invariant.
pub const MAX_VIOLATIONS: usize = 100;

/// Characters of what an error repeats of a wrong input.
pub const MAX_QUOTED: usize = 300;

/// How long a call may take; a mutation's work goes on, its caller is told that the deadline passed.
pub const CALL_DEADLINE: Duration = Duration::from_secs(15);

/// How often the session behind a subscription is verified anew, and what its caller may see decided anew.
pub const SESSION_RECHECK: Duration = Duration::from_secs(5);

/// Events that a subscription reads at once, and holds at the most.
pub const EVENT_CHUNK: usize = 100;

/// Events that are looked through at once for those a subscription wants.
pub const EVENT_WINDOW: i64 = 10_000;

/// How late an event of another process is seen at the latest, if no notification told of it.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Organizations that one notification names; PostgreSQL takes 8000 bytes.
pub const NOTIFIED_AT_ONCE: usize = 200;

/// How long after a notification the next one is sent at the earliest.
pub const NOTIFICATION_REST: Duration = Duration::from_millis(20);

/// How long subscriptions rest before they ask a database again that was out of reach.
pub const OUTAGE_REST: Duration = Duration::from_secs(1);

/// How often a mutation is run that loses against another one (deadlock, serialization failure, the same new key).
pub const MAX_ATTEMPTS: u32 = 3;

/// How long the answer under an idempotency key is kept.
pub const KEY_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// How far a service token's last use may lag behind, which saves a write at every call.
pub const LAST_USE_RESOLUTION: Duration = Duration::from_secs(60);

/// Orders that are carried out in one transaction.
pub const MAX_GROUP: usize = 64;

/// How long a group of orders waits for a lock, before each of them waits for itself.
pub const GROUP_LOCK_TIMEOUT: Duration = Duration::from_millis(100);

/// Orders that are carried out alone at a time, after their group has failed.
pub const ALONE_AT_ONCE: usize = 4;

/// Groups of orders, each of another organization, that are at the database at a time. Those that wait gather company: with
/// fewer the processors wait for the disk, with more the groups are smaller.
pub const GROUPS_AT_ONCE: usize = 3;

/// Callers, or enrollments, that are looked up in one query.
pub const MAX_LOOKED_UP: usize = 64;

/// PostgreSQL connections, for reading and writing.
pub const POSTGRES_CONNECTIONS: usize = 16;

/// SQLite connections that read; one more writes.
pub const SQLITE_READERS: usize = 4;

/// How long a call waits for a connection before it is told that the database is out of reach.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long PostgreSQL may leave what it was sent unacknowledged, and after how much silence it is probed.
pub const NETWORK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a statement may take.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a statement may take that verifies an organization for whoever runs the service.
pub const VERIFICATION_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How long a statement waits for another transaction.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a transaction may stay open without a statement.
pub const IDLE_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15);

/// How often, and how many times, a transaction whose COMMIT was not answered is asked about before its outcome is
/// unknown.
pub const FATE_INTERVAL: Duration = Duration::from_millis(100);
pub const FATE_ATTEMPTS: u32 = 30;
