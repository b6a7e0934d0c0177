//! Expectation and maximisation over sparse annotations, as segmented sums.
//!
//! An annotation is a *cell*: what was said, by whom. Annotations are sorted by item, for the expectation, and by cell, for the
//! maximisation; both read along and gather from a table: of logarithms, one row of C a cell, or of posteriors, one row of C
//! an item. No sum depends on how work is shared out, so a device leaves the same bits every time.

pub mod collect;
pub mod expect;
pub mod normalise;
