//! A typed client of Rollbook for services in Rust, on jsonrpsee's clients.
//!
//! A procedure is a type, the very one that the server declares it by: its input and its answer follow from it.
//!
//! ```no_run
//! use rollbook_client::enrollment::{Enroll, EnrollInput};
//! use rollbook_client::error::Reason;
//! use rollbook_client::values::{CourseId, UserId};
//! use rollbook_client::{CallError, HttpClient, Session};
//!
//! # async fn example(token: String, course_id: CourseId, learner: UserId) -> Result<(), CallError> {
//! let rollbook = HttpClient::new("https://rollbook.example.com", &Session::bearing(token))?;
//! let input = EnrollInput { course_id, user_id: Some(learner), notes: None, waitlist: None };
//! match rollbook.call::<Enroll>(input).await {
//!     Ok(enrollment) => println!("{} is {:?}", enrollment.id, enrollment.status),
//!     Err(error) => match error.reason() {
//!         Some(Reason::AlreadyEnrolled { enrollment_id, .. }) => println!("see {enrollment_id}"),
//!         _ => return Err(error),
//!     },
//! }
//! # Ok(())
//! # }
//! ```

mod client;
mod refusal;
mod subscription;

pub use client::{Callable, Client, HttpClient, Session, WsClient};
pub use procedures::router::Signature;
pub use procedures::{course, enrollment, error, event, member, module, organization, session, values};
pub use refusal::{CallError, Refusal};
pub use subscription::Subscription;
