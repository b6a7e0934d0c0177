//! What the tests share: the oracle, random evidence, the engines of this machine.

pub mod annotated;
pub mod bcc;
pub mod beams;
pub mod cases;
pub mod compare;
pub mod engines;
pub mod oracle;
pub mod pools;
pub mod problem;
pub mod specs;
pub mod stream;
