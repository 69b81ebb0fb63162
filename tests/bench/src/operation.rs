//! What a call is, how it is put to a server, and what its answer has to say.

use std::fmt;
use std::io::Write;

use clap::ValueEnum;
use memchr::memmem;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::data::{self, Place};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Operation {
    Enroll,
    Mixed,
    Get,
    Roster,
    Count,
}

impl Operation {
    pub fn writes(self) -> bool {
        match self {
            Operation::Enroll | Operation::Mixed => true,
            Operation::Get | Operation::Roster | Operation::Count => false,
        }
    }

    /// Whether it needs enrollments to be there.
    pub fn reads(self) -> bool {
        self != Operation::Enroll
    }

    /// In words, for the report.
    pub fn meaning(self) -> &'static str {
        match self {
            Operation::Enroll => "a learner enrolls in a course of their organization, each pair once",
            Operation::Mixed => "70 % get, 10 % access, 10 % roster, 10 % enroll",
            Operation::Get => "a learner reads an enrollment of their own",
            Operation::Roster => {
                "a coordinator reads a page of 50 of the roster of the course that everybody is in"
            }
            Operation::Count => "a coordinator reads how many are in that course",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Enroll => "enroll",
            Operation::Mixed => "mixed",
            Operation::Get => "get",
            Operation::Roster => "roster",
            Operation::Count => "count",
        })
    }
}

/// How calls are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Wire {
    /// JSON-RPC 2.0, all to `/rpc`.
    Rpc,
    /// tRPC 11: mutations are POSTed, queries are GETs.
    Trpc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Procedure {
    Enroll,
    Get,
    Access,
    Roster,
    Count,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    procedure: Procedure,
    /// By the token of this user.
    pub user: u64,
    /// The course or the enrollment that it is about.
    id: Uuid,
}

/// How much a page of a roster has.
const PAGE: usize = 50;

impl Call {
    pub fn enrolls(&self) -> bool {
        self.procedure == Procedure::Enroll
    }

    fn method(&self) -> &'static str {
        match self.procedure {
            Procedure::Enroll => "enrollment.enroll",
            Procedure::Get => "enrollment.get",
            Procedure::Access => "enrollment.access",
            Procedure::Roster => "enrollment.listByCourse",
            Procedure::Count => "enrollment.count",
        }
    }

    fn input(&self) -> String {
        let id = self.id;
        match self.procedure {
            Procedure::Enroll | Procedure::Access | Procedure::Count => format!(r#"{{"courseId":"{id}"}}"#),
            Procedure::Get => format!(r#"{{"enrollmentId":"{id}"}}"#),
            Procedure::Roster => format!(r#"{{"courseId":"{id}","limit":{PAGE}}}"#),
        }
    }

    /// Appends the HTTP request.
    pub fn put(&self, wire: Wire, token: &str, request: &mut Vec<u8>) {
        let (method, input) = (self.method(), self.input());
        let written = match wire {
            Wire::Rpc => {
                let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{input}}}"#);
                post(request, "/rpc", token, &body)
            }
            Wire::Trpc if self.enrolls() => post(request, &format!("/trpc/{method}"), token, &input),
            Wire::Trpc => write!(
                request,
                "GET /trpc/{method}?input={} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n",
                utf8_percent_encode(&input, NON_ALPHANUMERIC),
            ),
        };
        debug_assert!(written.is_ok(), "memory takes what is written to it");
    }

    /// Whether an answer is what it has to be: a result, and about what was asked.
    pub fn is_answered_by(&self, status: u16, body: &[u8]) -> bool {
        let begins_with_result = memmem::find(&body[..body.len().min(64)], br#""result":"#).is_some();
        let says = |what: &[u8]| memmem::find(body, what).is_some();
        status == 200
            && begins_with_result
            && match self.procedure {
                Procedure::Enroll => says(br#""status":"enrolled""#),
                Procedure::Get => says(self.id.to_string().as_bytes()),
                Procedure::Access => says(br#""granted":"#),
                // One for each entry.
                Procedure::Roster => memmem::find_iter(body, self.id.to_string().as_bytes()).count() == PAGE,
                Procedure::Count => says(br#""enrolled":"#),
            }
    }
}

fn post(request: &mut Vec<u8>, path: &str, token: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        request,
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
    )
}

/// The calls of an operation, one after the other.
pub struct Calls {
    operation: Operation,
    /// How many enrollments were there to begin with.
    enrollments: u64,
    /// How many places have been taken since.
    taken: u64,
    random: SmallRng,
}

impl Calls {
    pub fn new(operation: Operation, enrollments: u64) -> Self {
        Calls { operation, enrollments, taken: 0, random: SmallRng::seed_from_u64(1) }
    }

    /// The next call; none once every learner is everywhere.
    pub fn next(&mut self) -> Option<Call> {
        match self.operation {
            Operation::Enroll => self.enroll(),
            Operation::Get => Some(self.get()),
            Operation::Roster => Some(self.by_coordinator(Procedure::Roster)),
            Operation::Count => Some(self.by_coordinator(Procedure::Count)),
            Operation::Mixed => match self.random.random_range(0..10) {
                0 => self.enroll(),
                1 => Some(self.by_coordinator(Procedure::Roster)),
                2 => Some(self.access()),
                _ => Some(self.get()),
            },
        }
    }

    fn enroll(&mut self) -> Option<Call> {
        if self.taken == data::FRESH_PLACES {
            return None;
        }
        let place = Place::fresh(self.taken);
        self.taken += 1;
        Some(Call { procedure: Procedure::Enroll, user: place.user, id: data::course_id(place.course) })
    }

    fn get(&mut self) -> Call {
        let enrollment = self.random.random_range(0..self.enrollments);
        let user = Place::preloaded(enrollment).user;
        Call { procedure: Procedure::Get, user, id: data::enrollment_id(enrollment) }
    }

    fn access(&mut self) -> Call {
        let place = Place::preloaded(self.random.random_range(0..self.enrollments));
        Call { procedure: Procedure::Access, user: place.user, id: data::course_id(place.course) }
    }

    fn by_coordinator(&mut self, procedure: Procedure) -> Call {
        let organization = self.random.random_range(0..data::ORGANIZATIONS);
        let user = data::coordinator(organization, self.random.random());
        Call { procedure, user, id: data::course_id(data::first_course(organization)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_put_as_each_wire_wants_them() {
        let id = Uuid::nil();
        let put = |call: Call, wire| {
            let mut request = Vec::new();
            call.put(wire, "TOKEN", &mut request);
            String::from_utf8(request).unwrap()
        };
        let enroll = Call { procedure: Procedure::Enroll, user: 1, id };
        let rpc = put(enroll, Wire::Rpc);
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"enrollment.enroll","params":{"courseId":"00000000-0000-0000-0000-000000000000"}}"#;
        assert!(rpc.starts_with("POST /rpc HTTP/1.1\r\n") && rpc.ends_with(&format!("\r\n\r\n{body}")));
        assert!(rpc.contains(&format!("content-length: {}\r\n", body.len())));
        assert!(put(enroll, Wire::Trpc).starts_with("POST /trpc/enrollment.enroll HTTP/1.1\r\n"));
        let get = put(Call { procedure: Procedure::Get, user: 1, id }, Wire::Trpc);
        assert!(get.starts_with("GET /trpc/enrollment.get?input=%7B%22enrollmentId%22%3A%22000"));
    }

    #[test]
    fn an_answer_that_is_no_result_is_none() {
        let call = Call { procedure: Procedure::Enroll, user: 1, id: Uuid::nil() };
        let result = br#"{"jsonrpc":"2.0","id":1,"result":{"id":"x","status":"enrolled"}}"#;
        assert!(call.is_answered_by(200, result));
        assert!(!call.is_answered_by(500, result));
        assert!(!call.is_answered_by(200, br#"{"jsonrpc":"2.0","id":1,"result":{"status":"waitlisted"}}"#));
        let error = br#"{"jsonrpc":"2.0","id":1,"error":{"data":{"status":"enrolled"}}}"#;
        assert!(!call.is_answered_by(200, error));
    }
}
