//! Expectation and maximisation on every executor, against f64: whole fits, for a kernel alone has no face.

mod collect;
mod expect;
mod expected;
mod normalise;

use consilience::truth::{Annotations, DawidSkene, Estimate, Fit, Known};
use consilience::{Engine, Result};

use crate::support::annotated::{Annotated, Asked, Found, dawid_skene};
use crate::support::engines;

/// A fit of so many iterations that looks at its objective at each, and the same in f64.
fn both(engine: &Engine, of: &Annotated, asked: &Asked) -> Result<(Fit, Found)> {
    let method = method(asked);
    let known = Known { gold: &asked.gold, ..Known::default() };
    Ok((method.fit_with(engine, &of.annotations(), &known)?, dawid_skene(of, asked)))
}

fn method(asked: &Asked) -> DawidSkene {
    let [diagonal, off_diagonal] = asked.counts.map(|count| count as f32);
    let estimate = match asked.hard {
        true => Estimate::Hard,
        false if asked.counts == [0.0; 2] => Estimate::MaximumLikelihood,
        false => Estimate::MaximumAPosteriori,
    };
    let (max_iterations, one_coin) = (asked.iterations as u32, asked.one_coin);
    // Nothing ends it early.
    let tolerance = 0.0;
    DawidSkene { estimate, one_coin, diagonal, off_diagonal, max_iterations, tolerance, look_every: 1 }
}

/// Posteriors within 1e-5 but for one in a thousand, all within 5e-4; decisions equal where they are not a tie; the objective
/// within 1e-6 at every iteration, and never falling.
fn check(case: &str, of: &Annotated, fit: &Fit, found: &Found, tolerance: f64) {
    check_posteriors(case, of.classes, fit, &found.posterior, tolerance);
    assert_eq!(fit.objective().len(), found.objective.len(), "{case}");
    for (place, (&got, &want)) in fit.objective().iter().zip(&found.objective).enumerate() {
        assert!(near(got, want, 1e-6), "{case}: objective {place} is {got}, {want}");
    }
    let falls = |pair: &[f64]| pair[1] < pair[0] - 1e-7 * pair[0].abs();
    assert!(!fit.objective().windows(2).any(falls), "{case}: {:?}", fit.objective());
    let confusions = fit.confusions().expect("it finds them");
    let each = of.classes * of.symbols();
    for (source, want) in found.confusions.chunks_exact(each).enumerate() {
        for (place, (got, &want)) in confusions.of(source).into_iter().zip(want).enumerate() {
            assert!((got - want).abs() <= 1e-4, "{case}: source {source}, {place}: {got}, {want}");
        }
    }
    for (got, &want) in confusions.prior().into_iter().zip(&found.prior) {
        assert!((got - want).abs() <= 1e-5, "{case}: prior {got}, {want}");
    }
}

/// Posteriors within a tolerance but for one in a thousand, all within 5e-4; decisions equal where they are not a tie.
fn check_posteriors(case: &str, classes: usize, fit: &Fit, want: &[f64], tolerance: f64) {
    let mut off: Vec<f64> =
        fit.posterior().iter().zip(want).map(|(&got, want)| (f64::from(got) - want).abs()).collect();
    assert_eq!((fit.posterior().len(), off.len()), (want.len(), want.len()), "{case}");
    off.sort_by(f64::total_cmp);
    // One item at least.
    let most = (off.len() * 999 / 1000).min(off.len().saturating_sub(classes + 1));
    assert!(off.get(most).is_none_or(|&off| off <= tolerance), "{case}: {:?}", off.get(most));
    assert!(off.last().is_none_or(|&off| off <= 5e-4), "{case}: {:?}", off.last());
    for (item, (got, row)) in fit.decision().into_iter().zip(want.chunks_exact(classes)).enumerate() {
        let best = row.iter().copied().fold(f64::MIN, f64::max);
        assert!(row[got as usize] >= best - 1e-4, "{case}: item {item} is {got}, {row:?}");
    }
}

fn near(got: f64, want: f64, tolerance: f64) -> bool {
    (got - want).abs() <= tolerance * want.abs().max(1.0)
}

/// Every executor on one problem.
fn check_all(of: &Annotated, asked: &Asked) {
    for (name, engine) in engines::all() {
        let (fit, mut found) = both(engine, of, asked).unwrap_or_else(|error| panic!("{name}: {error}"));
        // A fit ends where nothing rises any more.
        if (fit.iterations() as usize) < asked.iterations {
            found = dawid_skene(of, &Asked { iterations: fit.iterations() as usize, ..asked.clone() });
        }
        let case = format!("{name}: {} of {} classes, {asked:?}", of.labels.len(), of.classes);
        check(&case, of, &fit, &found, if asked.hard { 5e-4 } else { 1e-5 });
    }
}

const MAP: [f64; 2] = [0.6, 0.1];

fn asked(counts: [f64; 2], iterations: usize) -> Asked {
    Asked { counts, iterations, ..Asked::default() }
}

/// The same answers whatever order the annotations come in, to the bit, every time.
#[test]
fn the_same_bits_every_time() -> Result<()> {
    let of = Annotated::random(700, 40, 5, 3, 0.1, 5);
    let rotated = |list: &[u32]| [&list[999..], &list[..999]].concat();
    let other = [&of.items, &of.sources, &of.labels].map(|list| rotated(list));
    for (name, engine) in engines::all() {
        let method = method(&asked(MAP, 7));
        let fit = method.fit(engine, &of.annotations())?;
        assert_eq!(fit, method.fit(engine, &of.annotations())?, "{name}");
        let turned = Annotations::new(3, &other[0], &other[1], &other[2])?;
        let turned = method.fit(engine, &turned)?;
        // An item's annotations are added up in another order.
        for (a, b) in fit.posterior().iter().zip(turned.posterior()) {
            assert!((a - b).abs() < 1e-5, "{name}: {a}, {b}");
        }
    }
    Ok(())
}
