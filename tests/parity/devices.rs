//! One device against the other on many items.

use consilience::{Encoding, Fusion, Measure, Output, Rule, Weighting};

use crate::support::compare::between_devices;
use crate::support::engines;
use crate::support::problem::{FORMS, Problem};

#[test]
fn devices_agree_on_a_hundred_thousand_items() {
    let (_, cpu) = &engines::all()[0];
    let whole = Problem::of(&FORMS[..10], 100_000, 10, 11).with_holes(11);
    assert_eq!(whole.planes[0].form, consilience::Form::F32(Encoding::Probabilities));
    let mut altered = whole.clone();
    // The first source is asked whenever anyone is.
    let asked = whole.presence[0].as_ref().and_then(|present| present.iter().rposition(|&present| present));
    let item = asked.expect("an item that someone was asked about");
    altered.planes[0].f32s_mut()[10 * item..][..10].rotate_left(1);
    for rule in [Rule::default(), Rule::LogPool] {
        let weighting = Weighting::Confidence { gamma: 1.0, measure: Measure::Max };
        let fusion = Fusion::new(rule).weighting(weighting).outputs(&Output::ALL);
        let want = cpu.fuse(&fusion, &whole.evidence()).expect("valid evidence");
        for (name, engine) in engines::all() {
            let got = engine.fuse(&fusion, &whole.evidence()).expect("valid evidence");
            assert_eq!(between_devices(&want, &got), Ok(()), "{name}");
            // One opinion on one item, altered: the comparison must see it.
            let got = engine.fuse(&fusion, &altered.evidence()).expect("valid evidence");
            let seen = between_devices(&want, &got).expect_err("an opinion was altered");
            assert!(seen.starts_with(&format!("posterior at {item}")), "{name}: {seen}");
        }
    }
}
