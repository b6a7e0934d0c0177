//! Every kernel on every executor against the oracle.

mod bayes;
mod beam;
mod devices;
mod fusion;
mod stacking;
mod vortex;
