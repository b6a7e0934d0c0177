//! Truth inference by literals and properties.

mod annotations;
mod dawid_skene;
mod online;
