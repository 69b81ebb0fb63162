//! Every limit of the server, with its unit. Those of inputs stand with the types in `procedures::values`.

use std::time::Duration;

/// A request's body, and a message on a WebSocket, in bytes.
pub const MAX_BODY: usize = 256 * 1024;

/// The answer to a query, in bytes.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// Calls in one batch.
pub const MAX_BATCH: usize = 20;

/// The calls of one user or service token, unless told: in a second in the long run, and at once after a rest.
pub const CALLER_CALLS_PER_SECOND: u32 = 50;
pub const CALLER_BURST: u32 = 200;

/// The calls from one address, unless told: all the people of a house may have the same one.
pub const ADDRESS_CALLS_PER_SECOND: u32 = 500;
pub const ADDRESS_BURST: u32 = 2_000;

/// Either, in development mode, unless told: more than there ever are.
pub const DEVELOPMENT_CALLS_PER_SECOND: u32 = 1_000_000;
pub const DEVELOPMENT_BURST: u32 = 1_000_000;

/// The most calls in a second, and at once, that a limit can be set to.
pub const MAX_CALLS_PER_SECOND: u32 = 1_000_000;

/// Callers, or addresses, whose calls are counted before those are forgotten that have rested long enough.
pub const MIN_SWEPT_KEYS: usize = 1_024;

/// A request's head (request line and headers), in bytes.
pub const MAX_HEAD: usize = 32 * 1024;

/// A session token, in bytes.
pub const MAX_TOKEN: usize = 8 * 1024;

/// Tokens whose signatures are remembered as verified.
pub const MAX_VERIFIED_SIGNATURES: usize = 50_000;

/// Connections open at once; further ones wait to be accepted.
pub const MAX_CONNECTIONS: usize = 20_000;

/// Calls in flight on one WebSocket; further messages are not read until one is answered.
pub const MAX_CALLS_PER_CONNECTION: usize = 32;

/// Answers waiting to be written to one WebSocket, in bytes; further ones wait for room.
pub const MAX_QUEUED_ANSWERS: usize = 1024 * 1024;

/// How long a request's head may take from its first byte (or from the connection's beginning) to its last.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a request's body may take.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection may stay open between two requests.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a client may take to read any of what it is sent.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How often SQLite looks whether what it knows of its tables still holds.
pub const STATISTICS_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How often a WebSocket is pinged.
pub const PING_INTERVAL: Duration = Duration::from_secs(30);

/// How long a WebSocket may be silent, pongs included.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(75);

/// How long the server still accepts connections once it was told to stop, so that a balancer sees `/readyz` change.
pub const DRAIN_NOTICE: Duration = Duration::from_millis(500);

/// How long calls in flight may take to end once the server was told to stop.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the accept loop rests when it cannot accept (out of file descriptors).
pub const ACCEPT_REST: Duration = Duration::from_millis(100);

/// How often a WebSocket over which nothing is said is looked at, whether its session has ended.
pub const SESSION_CHECK: Duration = Duration::from_secs(30);

/// How long a provider's registration is believed before the database is asked again: changes are in force everywhere
/// within this time.
pub const PROVIDER_FRESHNESS: Duration = Duration::from_secs(5);

/// How many issuers are remembered, known ones and unknown ones alike.
pub const MAX_REMEMBERED_ISSUERS: usize = 1024;

/// How long asking a provider for its keys may take, from the first request to the last byte of their answer.
pub const KEYS_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a provider is not asked for its keys again, whatever came of it the last time: a key that is new or gone there
/// is so here within this time.
pub const KEYS_COOL_DOWN: Duration = Duration::from_secs(30);

/// How long a call waits for a provider that is asked for its keys, where those at hand would do.
pub const KEYS_PATIENCE: Duration = Duration::from_secs(1);

/// How long the last keys of a provider are used that cannot be had again.
pub const KEYS_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What is read of a provider's configuration, and of its keys, in bytes: one that has more has none.
pub const MAX_PROVIDER_ANSWER: usize = 64 * 1024;

/// Keys that a provider may publish.
pub const MAX_PROVIDER_KEYS: usize = 32;

/// How often idempotency records are looked through for those that have outlived their time.
pub const PURGE_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// How often the scheduler looks whether anything is due.
pub const SCHEDULER_INTERVAL: Duration = Duration::from_secs(1);

/// How many times as long as it took a job rests, up to four times the interval: looking takes a small part of the time.
pub const JOB_DUTY: u32 = 20;

/// Mail that one process sends at a time.
pub const MAIL_AT_ONCE: usize = 4;

/// How often the system's clock is compared with the database's.
pub const CLOCK_INTERVAL: Duration = Duration::from_secs(30);

/// How often it is looked whether anything is to be sent.
pub const OUTBOUND_INTERVAL: Duration = Duration::from_millis(500);

/// How long sending one mail may take, from connecting to the mail server on.
pub const MAIL_TIMEOUT: Duration = Duration::from_secs(60);

/// A file of a mail's template, in bytes.
pub const MAX_TEMPLATE: u64 = 64 * 1024;

/// How long the answer to `/metrics` waits for what the database has to say.
pub const SCRAPE_PATIENCE: Duration = Duration::from_secs(2);

/// How often what was measured is summed up, which bounds the memory that it takes until then.
pub const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// How long a webhook's receiver may take to be connected to, and until it has answered.
pub const WEBHOOK_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(15);

/// What is read of a receiver's answer, in bytes.
pub const MAX_WEBHOOK_ANSWER: usize = 4 * 1024;

/// Webhooks that one process sends at a time.
pub const WEBHOOKS_AT_ONCE: usize = 8;

/// Subscriptions on one WebSocket.
pub const MAX_SUBSCRIPTIONS_PER_CONNECTION: usize = 16;

/// How long a WebSocket whose session is refused stays open, so that its first calls are told why by their own ids.
pub const REFUSAL_GRACE: Duration = Duration::from_secs(1);

/// How long what a subscription tells may find no room among a WebSocket's queued answers, before the connection is
/// closed with 1013: its client reads too slowly, and may go on after the last event that it has seen.
pub const SLOW_READER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a stream of server-sent events says that it lives.
pub const EVENT_PING_INTERVAL: Duration = Duration::from_secs(15);

/// After how much silence a client of server-sent events should connect anew.
pub const RECONNECT_AFTER_SILENCE: Duration = Duration::from_secs(45);
