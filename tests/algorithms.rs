//! What fusions promise, on every executor: literal values and properties.

mod calibration;
mod combination;
mod decision;
mod depth;
mod gradient;
mod labels;
mod learning;
mod partial;
mod properties;
mod provenance;
mod rules;
mod stacking;
mod truth;
mod two_source;
