//! Posteriors and labels that calibration cannot be made from.

use consilience::Error;
use consilience::calibration::{ConformalSets, Isotonic, Labelled, Nonconformity, Temperature};

use super::World;

fn says(error: Error, text: &str) {
    assert_eq!(error.to_string(), text);
    assert!(error.is_calibration() || error.is_label() || error.is_spec());
}

#[test]
fn posteriors_beside_labels() {
    let refused = |classes, posterior: &[f32], labels: &[u32]| {
        Labelled::new(classes, posterior, labels).expect_err("this must be refused")
    };
    says(refused(0, &[], &[]), "the number of classes is 0, it must be at least one");
    says(refused(2, &[], &[]), "there are no items; at least one labelled item is needed");
    says(refused(2, &[0.5; 3], &[0]), "the posterior has 3 values, which is no multiple of 2 classes");
    says(refused(2, &[0.5; 4], &[0]), "labels has 1 entries, 2 are needed");
    says(refused(2, &[0.5; 4], &[0, 2]), "the label of item 1 is 2, which is no class; classes are 0 to 1");
    let beyond = "the label of item 0 is 4294967295, which is no class; classes are 0 to 0";
    says(refused(1, &[1.0], &[u32::MAX]), beyond);
    for (value, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (-0.5, "-0.5"), (f32::NEG_INFINITY, "-inf")] {
        let text = format!("item 1, class 0: {shown} is no probability; it must be a number in [0, 1]");
        says(refused(2, &[0.5, 0.5, value, 0.5], &[0, 1]), &text);
    }
    let text = "item 1: the probabilities sum to 0.75, not to 1 within 0.001; normalise them";
    says(refused(2, &[0.5, 0.5, 0.5, 0.25], &[0, 1]), text);
    assert!(refused(2, &[0.5; 3], &[0]).is_shape() && refused(2, &[0.5; 4], &[0]).is_shape());
    assert!(!refused(2, &[], &[]).is_shape());
    Labelled::new(2, &[0.5005, 0.5, 0.4995, 0.5], &[0, 1]).expect("within the tolerance");
}

#[test]
fn rows_to_apply_to() {
    let world = World::drawn(20, 2, 1.0, 1);
    let (temperature, isotonic) = (Temperature::fit(&world.labelled()), Isotonic::fit(&world.labelled()));
    let sets = ConformalSets::fit(&world.labelled(), 0.1, Nonconformity::Aps).expect("a level");
    let mut rows = [0.75, 0.25, 0.5, f32::NAN];
    let nan = "item 1, class 1: NaN is no probability; it must be a number in [0, 1]";
    says(temperature.apply(2, &mut rows).expect_err("NaN"), nan);
    says(isotonic.apply(&mut rows).expect_err("NaN"), nan);
    assert_eq!(rows[..3], [0.75, 0.25, 0.5], "a refusal changes nothing");
    says(sets.membership(&rows).expect_err("NaN"), nan);
    let ragged = "the posterior has 3 values, which is no multiple of 2 classes";
    says(temperature.apply(2, &mut rows[..3]).expect_err("ragged"), ragged);
    says(isotonic.apply(&mut rows[..3]).expect_err("ragged"), ragged);
    says(sets.membership(&rows[..3]).expect_err("ragged"), ragged);
    says(sets.set(&rows).expect_err("two rows"), "a row has 4 entries, 2 are needed");
    let none = temperature.apply(0, &mut []).expect_err("no classes");
    says(none, "the number of classes is 0, it must be at least one");
    temperature.apply(2, &mut []).expect("no rows");
    assert_eq!(sets.membership(&[]).expect("no rows"), [false; 0]);
    let three = World::drawn(5, 3, 1.0, 1);
    says(sets.measure(&three.labelled()).expect_err("three classes"), "a row has 3 entries, 2 are needed");
    for (alpha, shown) in [(0.0, "0"), (1.0, "1"), (f64::NAN, "NaN"), (-0.5, "-0.5")] {
        let error = ConformalSets::fit(&world.labelled(), alpha, Nonconformity::Lac).expect_err("no level");
        says(error, &format!("alpha is {shown}, it must be in (0, 1)"));
    }
}
