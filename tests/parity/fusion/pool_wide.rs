//! `fusion/pool_wide`: C > 256, a workgroup to an item.

use consilience::Encoding;

use super::{check_composition, check_everything, check_invalid};
use crate::support::problem::Problem;

#[test]
fn every_rule_at_every_class_count() {
    for classes in [257, 511, 512, 513, 1000] {
        check_everything(3, 9, classes);
    }
}

#[test]
fn every_source_count() {
    for sources in [1, 8, 9, 70] {
        check_everything(sources, 3, 300);
    }
}

#[test]
fn no_item_and_one() {
    for items in [0, 1] {
        check_everything(3, items, 300);
    }
}

#[test]
fn an_item_has_the_same_bits_in_any_batch() {
    check_composition(&Problem::random(Encoding::Probabilities, 3, 200, 300, 7).with_holes(7));
}

#[test]
fn invalid_values_are_named_left_out_or_mended() {
    check_invalid(300);
}
