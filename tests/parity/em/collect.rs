//! `em/collect`: cells with as many members as a segment has, one more, and many more; none.

use super::{MAP, asked, check_all};
use crate::support::annotated::Annotated;

/// So few sources that each labels every item.
#[test]
fn cells_around_a_segment() {
    for items in [255, 256, 257, 1100] {
        check_all(&Annotated::random(items, 3, 3, 1, 0.0, 3), &asked(MAP, 2));
        check_all(&Annotated::random(items, 3, 3, 2, 0.0, 3), &asked(MAP, 4));
    }
}

/// More blocks of items than a segment of the class prior has members, which takes more items than the others.
#[test]
fn more_blocks_than_a_segment_has() {
    check_all(&Annotated::random(256 * 256 + 300, 60, 1, 2, 0.0, 6), &asked(MAP, 2));
}

/// Most sources say little, and some of what can be said nobody says.
#[test]
fn many_sources_that_say_little() {
    check_all(&Annotated::random(300, 700, 3, 6, 0.2, 8), &asked(MAP, 4));
}
