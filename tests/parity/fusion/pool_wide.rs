//! `fusion/pool_wide`: C > 256, a workgroup to an item.

use consilience::{Encoding, Form, Fusion, Rule};

use super::{
    check, check_composition, check_every_rule, check_everything, check_invalid, composed, difference, expect_none,
};
use crate::support::problem::Problem;
use crate::support::{engines, specs};

#[test]
fn every_rule_at_every_class_count() {
    for classes in [257, 1000] {
        check_every_rule(3, 4, classes);
    }
}

#[test]
fn every_rule_at_every_source_count() {
    for sources in [1, 8, 33] {
        check_every_rule(sources, 3, 300);
    }
}

#[test]
fn everything_at_every_class_count() {
    for classes in [257, 513] {
        check_everything(2, 1, classes);
    }
}

/// More classes than labels can tell apart.
#[test]
fn sixty_five_thousand_classes() {
    let forms = [Form::F32(Encoding::Probabilities), Form::LogitsBf16, Form::QuantisedU8];
    let problem = Problem::of(&forms, 3, 65_536, 3).with_holes(3);
    let mut rules = Rule::SIMPLE.to_vec();
    rules.push(specs::learned(3, 2, 3)[2].clone());
    check(&Fusion::new(Rule::ensemble(&[Rule::Linear, Rule::LogPool, Rule::Median, Rule::Vote])), &problem);
    let cpu = |rule| difference(engines::cpus(), &Fusion::new(rule), &problem).err();
    expect_none(&rules.into_iter().filter_map(cpu).collect::<Vec<_>>());
}

#[test]
fn no_item_and_one() {
    for items in [0, 1] {
        check_every_rule(3, items, 300);
    }
}

/// Every form of opinion in rows of which none but those of 32 bits is a whole number of words. Stacking takes so long on a
/// software driver that everything at once is fused for a few sources and items, which come as bf16, labels and bytes.
#[test]
fn an_item_has_the_same_bits_in_any_batch() {
    let problem = |forms, items, seed| Problem::mixed(forms, items, 257, seed).with_confidences(seed).with_holes(seed);
    let [everything, _] = composed(3, 257);
    check_composition(&everything, &problem(3, 13, 2));
    let [_, contributions] = composed(7, 257);
    check_composition(&contributions, &problem(7, 60, 7));
    let [_, contributions] = composed(3, 257);
    check_composition(&contributions, &Problem::random(Encoding::Probabilities, 3, 200, 257, 7).with_holes(7));
}

#[test]
fn invalid_values_are_named_left_out_or_mended() {
    check_invalid(300);
}
