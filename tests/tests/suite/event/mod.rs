//! `event.*`

mod since;
