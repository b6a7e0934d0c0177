//! The likelihood of tempered probabilities, by the fits that it serves: against a search on a grid in f64, so fine that no
//! other minimum hides.

use consilience::calibration::{Ending, Temperature};
use consilience::{Engine, Result};

use super::super::resident::calibration::{Labelled, held, labelled};
use crate::support::engines;

/// The mean of -ln softmax(ln p / T)_y, as the definition has it.
fn nll(all: &Labelled, temperature: f64) -> f64 {
    let of = |(row, &label): (&[f32], &u32)| {
        let log = |p: &f32| f64::from(p.clamp(1e-7, 1.0)).ln() / temperature;
        let sum: f64 = row.iter().map(|p| log(p).exp()).sum();
        sum.ln() - log(&row[label as usize])
    };
    all.rows.chunks_exact(all.classes).zip(&all.labels).map(of).sum::<f64>() / all.labels.len() as f64
}

/// The temperature of least loss: golden sections of ln T, in which the loss has one valley.
fn oracle(all: &Labelled) -> f64 {
    let (mut low, mut high) = (0.05_f64.ln(), 100_f64.ln());
    let ratio = (5_f64.sqrt() - 1.0) / 2.0;
    for _ in 0..60 {
        let [left, right] = [high - ratio * (high - low), low + ratio * (high - low)];
        if nll(all, left.exp()) < nll(all, right.exp()) { high = right } else { low = left }
    }
    (0.5 * (low + high)).exp()
}

fn fit(engine: &Engine, all: &Labelled) -> Result<Temperature> {
    let (posterior, labels) = held(engine, all)?;
    Temperature::fit_resident(engine, &posterior, &labels)
}

#[test]
fn fitted_temperatures_have_the_least_loss() -> Result<()> {
    for (items, classes, sure) in
        [(1, 3, 1.0), (15, 2, 2.0), (17, 5, 3.0), (1023, 10, 1.5), (1025, 4, 0.4), (3000, 7, 6.0), (300, 130, 2.0)]
    {
        let all = labelled(items, classes, sure, 7);
        let want = oracle(&all);
        for (name, engine) in engines::all() {
            let fitted = fit(engine, &all)?;
            let value = f64::from(fitted.value());
            let at = format!("{name}, {items} x {classes}: {value}, not {want}");
            assert!((value / want - 1.0).abs() <= 1e-4, "{at}");
            for (got, want) in [(fitted.nll_before(), nll(&all, 1.0)), (fitted.nll_after(), nll(&all, value))] {
                assert!((got - want).abs() <= 1e-5 * want.max(0.1), "{at}: {got}, not {want}");
            }
            assert!(fitted.nll_after() <= fitted.nll_before() && fitted.items() == items, "{at}");
            assert!(fitted.iterations() < 20, "{at}, {} steps", fitted.iterations());
        }
    }
    Ok(())
}

#[test]
fn ends_of_the_range_and_flat_rows_end_as_on_the_host() -> Result<()> {
    let repeated =
        |row: &[f32], label: u32| Labelled { classes: row.len(), rows: row.repeat(40), labels: vec![label; 40] };
    for (name, engine) in engines::all() {
        for (all, ending) in [
            (repeated(&[0.75, 0.25], 0), Ending::AtLeast),
            (repeated(&[0.75, 0.25], 1), Ending::AtMost),
            (repeated(&[0.25; 4], 2), Ending::Flat),
            (repeated(&[1.0], 0), Ending::Flat),
        ] {
            let fitted = fit(engine, &all)?;
            assert_eq!((fitted.ending(), all.host().ending()), (ending, ending), "{name}: {:?}", &all.rows[..1]);
            assert_eq!(fitted.value(), all.host().value(), "{name}");
        }
    }
    Ok(())
}

#[test]
fn sums_of_many_equal_terms_are_not_rounded_the_same_way_again_and_again() -> Result<()> {
    // Three right of four in every four: T is ln 99 / ln 3 whatever their number.
    let items = 1 << 16;
    let all = Labelled {
        classes: 2,
        rows: [0.99, 0.01].repeat(items),
        labels: (0..items as u32).map(|item| u32::from(item % 4 == 3)).collect(),
    };
    for (name, engine) in engines::all() {
        let fitted = fit(engine, &all)?;
        let (want, odds) = (f64::from(0.99_f32 / 0.01).ln() / 3_f64.ln(), f64::from(0.99_f32).ln());
        assert!((f64::from(fitted.value()) / want - 1.0).abs() < 2e-6, "{name}: {} {want}", fitted.value());
        let before = -(0.75 * odds + 0.25 * f64::from(0.01_f32).ln());
        assert!((fitted.nll_before() / before - 1.0).abs() < 1e-6, "{name}: {} {before}", fitted.nll_before());
    }
    Ok(())
}
