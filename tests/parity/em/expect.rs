//! `em/expect`: items around a block, classes around a vec4 and past what twins are made for, no annotations and many.

use super::{Asked, MAP, asked, check_all};
use crate::support::annotated::Annotated;

#[test]
fn items_around_a_block() {
    for items in [1, 2, 255, 256, 257, 513] {
        check_all(&Annotated::random(items, 12, 4, 3, 0.0, items as u64), &asked(MAP, 4));
    }
}

#[test]
fn every_number_of_classes() {
    for classes in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 100] {
        check_all(&Annotated::random(120, 15, 6, classes, 0.0, classes as u64), &asked(MAP, 4));
    }
}

/// One item that everybody annotated, more often than a segment has members.
#[test]
fn an_item_with_thousands_of_annotations() {
    let mut of = Annotated::random(40, 30, 5, 3, 0.0, 2);
    for i in 0..10_000 {
        of.items.push(7);
        of.sources.push(i % 30);
        of.labels.push((i / 7) % 3);
    }
    check_all(&of, &asked(MAP, 1));
}

#[test]
fn the_likeliest_class_takes_all() {
    for one_coin in [false, true] {
        let asked = Asked { hard: true, one_coin, ..asked(MAP, 6) };
        check_all(&Annotated::random(300, 20, 5, 4, 0.05, 9), &asked);
    }
}

#[test]
fn known_classes_stay() {
    let of = Annotated::random(300, 20, 3, 4, 0.0, 4);
    let gold: Vec<(u32, u32)> = (0..300).step_by(3).map(|item| (item, (of.truth[item as usize] + 1) % 4)).collect();
    check_all(&of, &Asked { gold, ..asked(MAP, 5) });
}

/// Hundreds of sources of one mind, and a class that none of them named: of what it is next to theirs, nothing is left.
#[test]
fn a_known_class_stays_against_all_evidence() {
    let mut of = Annotated::random(400, 400, 3, 3, 0.0, 10);
    for source in 0..400 {
        of.items.extend([7, 8]);
        of.sources.extend([source, source]);
        of.labels.extend([1, 1]);
    }
    for label in &mut of.labels[..] {
        *label = if *label == 2 { 1 } else { *label };
    }
    check_all(&of, &Asked { gold: vec![(7, 2)], ..asked(MAP, 5) });
}
