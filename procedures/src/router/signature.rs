//! A procedure's name and types, as a type of its own: what its declaration, a wire and a typed client go by.

/// The kinds of procedures, as types; [`Kind`](super::Kind) has them as values.
#[derive(Clone, Copy, Debug)]
pub struct Query;
#[derive(Clone, Copy, Debug)]
pub struct Mutation;
#[derive(Clone, Copy, Debug)]
pub struct Subscription;

/// What a procedure is called, what it takes and what it answers (or tells, item by item).
///
/// Written by the macro `signature!` beside the procedure's input.
pub trait Signature {
    /// `group.name`.
    const PATH: &'static str;
    type Kind;
    type Input;
    type Output;
}

/// `signature!(Enroll: Mutation "enrollment.enroll" (EnrollInput) -> Enrollment);` makes the type `Enroll`.
macro_rules! signature {
    ($name:ident: $kind:ident $path:literal ($input:ty) -> $output:ty) => {
        #[doc = concat!("`", $path, "`: takes [`", stringify!($input), "`], answers `", stringify!($output), "`.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl $crate::router::Signature for $name {
            const PATH: &'static str = $path;
            type Kind = $crate::router::$kind;
            type Input = $input;
            type Output = $output;
        }
    };
}
pub(crate) use signature;
