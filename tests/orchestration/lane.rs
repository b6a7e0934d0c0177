//! Jobs of a lane: in which order and by how many workers they are done, within which bounds, and what becomes of each.

mod cancellation;
mod desk;
mod exactly_once;
mod faults;
mod limits;
mod order;
mod scaling;
mod shutdown;
