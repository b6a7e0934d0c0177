//! What rows said of the true class, by the scores that ask for it, against what the definitions come to in f64.

use consilience::calibration::{Loss, Outcomes, Temperature};
use consilience::{DeviceError, ErrorKind, Result};

use super::super::resident::calibration::{Labelled, held, labelled};
use crate::support::engines;

#[test]
fn losses_of_each_item_are_those_of_the_definition() -> Result<()> {
    for (items, classes) in [(1, 2), (255, 3), (256, 10), (257, 1), (1500, 70)] {
        let all = labelled(items, classes, 2.0, 3);
        for (name, engine) in engines::all() {
            let (posterior, labels) = held(engine, &all)?;
            let all = all.as_held(engine, &posterior)?;
            let outcomes = Outcomes::of_resident(engine, &posterior, &labels)?;
            assert_eq!(outcomes.items(), items);
            let brier = outcomes.per_item(Loss::Brier);
            for (item, (row, &label)) in all.rows.chunks_exact(classes).zip(&all.labels).enumerate() {
                let at = format!("{name}, {items} x {classes}, item {item}");
                assert_eq!(outcomes.truth()[item].to_bits(), row[label as usize].to_bits(), "{at}");
                let top = (0..classes).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("a class");
                assert_eq!(outcomes.decision()[item] as usize, top, "{at}");
                assert_eq!(outcomes.confidence()[item].to_bits(), row[top].to_bits(), "{at}");
                let square = |(k, &p): (usize, &f32)| (f64::from(p) - f64::from(u8::from(k == label as usize))).powi(2);
                let want: f64 = row.iter().enumerate().map(square).sum();
                assert!((brier[item] - want).abs() <= 1e-6 * want.max(1e-6), "{at}: {} {want}", brier[item]);
            }
        }
    }
    Ok(())
}

#[test]
fn of_classes_as_probable_the_lower_one_is_decided_for() -> Result<()> {
    let rows = [[0.375, 0.375, 0.25], [0.25, 0.375, 0.375], [0.25, 0.25, 0.5]].concat();
    let all = Labelled { classes: 3, rows, labels: vec![1, 1, 2] };
    for (name, engine) in engines::all() {
        let (posterior, labels) = held(engine, &all)?;
        let outcomes = Outcomes::of_resident(engine, &posterior, &labels)?;
        assert_eq!(outcomes.decision(), [0, 1, 2], "{name}");
        assert_eq!(outcomes.per_item(Loss::ZeroOne), [1.0, 0.0, 0.0], "{name}");
    }
    Ok(())
}

#[test]
fn more_classes_than_a_software_driver_loops_over_are_refused() -> Result<()> {
    let classes = 70_000;
    let mut rows = vec![0.0; classes];
    (rows[3], rows[classes - 1]) = (0.25, 0.75);
    let all = Labelled { classes, rows, labels: vec![classes as u32 - 1] };
    for (name, engine) in engines::all() {
        let (posterior, labels) = held(engine, &all)?;
        let outcomes = Outcomes::of_resident(engine, &posterior, &labels);
        if engine.describe().contains("software driver") {
            let error = outcomes.expect_err("a loop that would end early");
            assert!(matches!(error.kind(), ErrorKind::Device(DeviceError::TooManySteps { .. })), "{name}: {error}");
            let error = Temperature::fit_resident(engine, &posterior, &labels).expect_err("the same");
            assert!(matches!(error.kind(), ErrorKind::Device(DeviceError::TooManySteps { .. })), "{name}: {error}");
        } else {
            let outcomes = outcomes?;
            assert_eq!((outcomes.truth(), outcomes.decision()), (&[0.75][..], &[classes as u32 - 1][..]), "{name}");
        }
    }
    Ok(())
}
