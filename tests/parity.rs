//! Every kernel on every executor against the oracle.

mod devices;
mod fusion;
mod stacking;
mod vortex;
