//! `fusion/pool`: C <= 256, whole items in a workgroup of 256 lanes.

use super::{check_composition, check_every_rule, check_everything, check_invalid, composed};
use crate::support::problem::Problem;

#[test]
fn every_rule_at_every_class_count() {
    for classes in [1, 2, 3, 10, 17, 100, 256] {
        check_every_rule(3, 20, classes);
    }
}

#[test]
fn every_rule_at_every_source_count() {
    for sources in [1, 7, 8, 9, 33] {
        check_every_rule(sources, 20, 10);
    }
}

/// 25 items of ten classes fill a workgroup, 16 a tile of the CPU.
#[test]
fn no_item_one_and_around_a_workgroup() {
    for items in [0, 1, 15, 16, 17, 24, 25, 26, 255, 256, 257] {
        check_every_rule(3, items, 10);
    }
}

#[test]
fn everything_at_every_class_count() {
    for classes in [1, 2, 3, 4, 5, 8, 16, 17, 31] {
        check_everything(3, 17, classes);
    }
    for classes in [100, 256] {
        check_everything(3, 2, classes);
    }
}

#[test]
fn everything_at_every_source_count() {
    for sources in [1, 2, 5, 8, 9, 17] {
        check_everything(sources, 17, 7);
    }
}

/// At 256 classes an item is a workgroup, and stacking takes so long on a software driver that forty items have to do.
#[test]
fn an_item_has_the_same_bits_in_any_batch() {
    for (sources, items, classes) in [(3, 200, 2), (9, 200, 10), (5, 40, 256)] {
        let mixed = Problem::mixed(sources, items, classes, 7).with_confidences(7).with_holes(7);
        let dense = Problem::random(consilience::Encoding::Probabilities, sources, items, classes, 7).with_holes(7);
        for fusion in composed(sources, classes) {
            check_composition(&fusion, &mixed);
            check_composition(&fusion, &dense);
        }
    }
}

#[test]
fn invalid_values_are_named_left_out_or_mended() {
    for classes in [2, 10] {
        check_invalid(classes);
    }
}
