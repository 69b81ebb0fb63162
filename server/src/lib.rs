//! Rollbook's server: the procedures behind sockets.
//!
//! Architecture invariant: nothing here knows a rule of the domain or a table of the database. A wire turns bytes into
//! a procedure's name, its input and a verified caller, and an answer back into bytes.
//!
//! The modules, in reading order.

pub mod cli;

pub mod verify;

pub mod operate;

pub mod config;

pub mod production;

pub mod dev;

pub mod serve;

pub mod limits;

pub mod listener;

pub mod addresses;

pub mod rates;

pub mod origins;

pub mod answer;

pub mod auth;

pub mod jsonrpc;

pub mod trpc;

pub mod websocket;

pub mod health;

pub mod metrics;

pub mod scheduler;

pub mod outbound;

pub mod outside;

pub mod webhooks;

pub mod mail;
