//! The procedures, called without a socket, on both databases.

mod answers;

mod enrollment;

mod module;
