//! What the figures are computed by, and the generator against servers that misbehave.

mod agreement;
mod exposition;
mod generator;
mod knee;
mod schedule;
mod server;
mod slope;
