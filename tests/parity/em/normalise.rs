//! `em/normalise`: the likelihood alone, with what is counted before, abstentions, one accuracy; sources around a block.

use super::{Asked, MAP, asked, check_all};
use crate::support::annotated::Annotated;

#[test]
fn sources_around_a_block() {
    // One more of the table stands for the class prior.
    for sources in [1, 2, 254, 255, 256, 257] {
        check_all(&Annotated::random(400, sources, 4, 3, 0.0, sources as u64), &asked(MAP, 4));
    }
}

#[test]
fn the_likelihood_alone() {
    for abstains in [0.0, 0.2] {
        check_all(&Annotated::random(300, 12, 5, 3, abstains, 11), &asked([0.0; 2], 8));
    }
}

#[test]
fn abstentions_are_an_answer() {
    check_all(&Annotated::random(400, 15, 6, 4, 0.3, 12), &asked(MAP, 8));
}

#[test]
fn one_accuracy_a_source() {
    for (classes, abstains) in [(2, 0.0), (4, 0.0), (4, 0.2)] {
        for counts in [[0.0; 2], MAP] {
            let asked = Asked { one_coin: true, ..asked(counts, 6) };
            check_all(&Annotated::random(400, 15, 5, classes, abstains, 13), &asked);
        }
    }
}
