//! Every kernel on every executor against the oracle.

mod bayes;
mod beam;
mod calibration;
mod chunks;
mod devices;
mod em;
mod fusion;
mod reduce;
mod resident;
mod stacking;
mod vortex;
