//! `fusion/pool`: C <= 256, whole items in a workgroup of 256 lanes.

use consilience::Encoding;

use super::{check_composition, check_everything, check_invalid};
use crate::support::problem::Problem;

#[test]
fn every_rule_at_every_class_count() {
    for classes in [1, 2, 3, 4, 5, 10, 16, 17, 100, 255, 256] {
        check_everything(3, 40, classes);
    }
}

#[test]
fn every_source_count() {
    for sources in [1, 2, 7, 8, 9, 33] {
        check_everything(sources, 40, 10);
    }
}

/// 25 items of ten classes fill a workgroup, 16 a tile of the CPU.
#[test]
fn no_item_one_and_around_a_workgroup() {
    for items in [0, 1, 15, 16, 17, 24, 25, 26, 255, 256, 257] {
        check_everything(3, items, 10);
    }
}

#[test]
fn an_item_has_the_same_bits_in_any_batch() {
    for (sources, classes) in [(3, 2), (8, 10), (5, 256)] {
        check_composition(&Problem::random(Encoding::Probabilities, sources, 200, classes, 7).with_holes(7));
    }
}

#[test]
fn invalid_values_are_named_left_out_or_mended() {
    for classes in [2, 10] {
        check_invalid(classes);
    }
}
