//! Requests that come at the same time, processed together: when, in which order, within which bounds, and what becomes of
//! each of them.

mod cancellation;
mod deadlines;
mod exactly_once;
mod faults;
pub(super) mod gate;
mod limits;
mod order;
mod shutdown;
