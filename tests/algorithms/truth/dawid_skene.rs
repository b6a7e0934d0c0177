//! Dawid and Skene's method: what it knows, how it goes on, what it refuses. Its values are compared in `parity/em`.

use consilience::truth::{ABSTAINED, Annotations, DawidSkene, Ending, Estimate, Known};
use consilience::{DeviceError, Engine, ErrorKind, Result, TruthError};

use crate::support::annotated::Annotated;
use crate::support::engines;

fn right(decision: &[u32], truth: &[u32]) -> usize {
    decision.iter().zip(truth).filter(|(a, b)| a == b).count()
}

/// A third of the sources mean another class than they say.
#[test]
fn it_finds_who_is_right() -> Result<()> {
    let mut of = Annotated::random(2000, 60, 5, 4, 0.0, 21);
    for (label, source) in of.labels.iter_mut().zip(&of.sources) {
        if *source < 20 {
            *label = (*label + 1) % 4;
        }
    }
    for (name, engine) in engines::all() {
        let fit = DawidSkene::default().fit(engine, &of.annotations())?;
        let votes = consilience::truth::majority(&of.annotations());
        let by_vote: Vec<u32> = votes
            .chunks_exact(4)
            .map(|row| (0..4).reduce(|a, b| if row[b] > row[a] { b } else { a }).unwrap_or_default() as u32)
            .collect();
        let (by_fit, by_vote) = (right(&fit.decision(), &of.truth), right(&by_vote, &of.truth));
        assert!(by_fit > by_vote + 200, "{name}: {by_fit} against {by_vote} of 2000");
        assert_eq!(fit.ending(), Ending::Converged, "{name}");
    }
    Ok(())
}

#[test]
fn a_fit_goes_on_from_another() -> Result<()> {
    let of = Annotated::random(500, 20, 4, 3, 0.1, 22);
    for (name, engine) in engines::all() {
        let method = DawidSkene { tolerance: 1e-9, ..DawidSkene::default() };
        let cold = method.fit(engine, &of.annotations())?;
        let known = Known { warm: Some(&cold), ..Known::default() };
        let warm = method.fit_with(engine, &of.annotations(), &known)?;
        assert!(3 * warm.iterations() < cold.iterations(), "{name}: {} {}", cold.iterations(), warm.iterations());
        let ends = [&cold, &warm].map(|fit| fit.objective().last().copied().unwrap_or(f64::MIN));
        assert!(ends[1] >= ends[0] - 1e-7 * ends[0].abs(), "{name}: {ends:?}");
        assert_eq!(cold.decision(), warm.decision(), "{name}");
        let other = Annotated::random(500, 21, 4, 3, 0.1, 22).annotations();
        let error = method.fit_with(engine, &other, &known).expect_err("one source more");
        assert!(error.is_shape(), "{error}");
    }
    Ok(())
}

/// Counts of one source, [C, L]: it is known to say the opposite.
#[test]
fn what_is_known_of_sources_counts() -> Result<()> {
    let annotations = Annotations::new(2, &[0, 1, 2], &[0, 0, 0], &[0, 1, 1])?;
    let engine = Engine::cpu()?;
    let counts = [2.0, 98.0, 90.0, 10.0];
    let known = Known { counts: &counts, ..Known::default() };
    let fit = DawidSkene { max_iterations: 1, ..DawidSkene::default() }.fit_with(&engine, &annotations, &known)?;
    assert_eq!(fit.decision(), [1, 0, 0]);
    // Counts and what was counted: 2 + 1 of 101, 98 of 101; 10 + 2 of 102.
    let want = [3.0 / 101.0, 98.0 / 101.0, 90.0 / 102.0, 12.0 / 102.0];
    let got = fit.confusions().expect("it finds them").of(0);
    assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-6), "{got:?}");
    let error = DawidSkene::default().fit_with(&engine, &annotations, &Known { counts: &counts[..3], ..known });
    assert!(error.expect_err("three of four").is_shape());
    let bad = [1.0, f32::NAN, 1.0, 1.0];
    let error = DawidSkene::default().fit_with(&engine, &annotations, &Known { counts: &bad, ..known });
    assert!(error.expect_err("no count").is_truth());
    Ok(())
}

/// Nobody says anything but nothing; one class; one annotation.
#[test]
fn the_least_there_can_be() -> Result<()> {
    for (name, engine) in engines::all() {
        for estimate in [Estimate::MaximumLikelihood, Estimate::MaximumAPosteriori, Estimate::Hard] {
            for one_coin in [false, true] {
                let method = DawidSkene { estimate, one_coin, ..DawidSkene::default() };
                let silent = Annotations::new(2, &[0, 1], &[0, 0], &[ABSTAINED; 2])?;
                let one = Annotations::new(1, &[0, 1, 1], &[0, 0, 1], &[0; 3])?;
                let lone = Annotations::new(3, &[0], &[0], &[2])?;
                for annotations in [&silent, &one, &lone] {
                    let fit = method.fit(engine, annotations)?;
                    let case = format!("{name}, {method:?}: {:?}", fit.posterior());
                    assert!(fit.posterior().iter().all(|p| (0.0..=1.0).contains(p)), "{case}");
                    for row in fit.posterior().chunks_exact(annotations.classes()) {
                        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{case}");
                    }
                    assert!(fit.objective().iter().all(|objective| objective.is_finite()), "{case}");
                    assert!(fit.skill().iter().all(|skill| (0.0..=1.0 + 1e-6).contains(skill)), "{case}");
                }
                assert_eq!(method.fit(engine, &lone)?.decision(), [2], "{name}");
            }
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_is_named() -> Result<()> {
    let annotations = Annotations::new(2, &[0, 1], &[0, 0], &[0, 1])?;
    let engine = Engine::cpu()?;
    let fit = |method: DawidSkene| method.fit(&engine, &annotations).expect_err("an option").to_string();
    let default = DawidSkene::default;
    let at_least = "it must be a finite number of at least 0";
    assert_eq!(fit(DawidSkene { diagonal: -0.5, ..default() }), format!("the diagonal count is -0.5; {at_least}"));
    assert_eq!(
        fit(DawidSkene { off_diagonal: f32::NAN, ..default() }),
        format!("the off-diagonal count is NaN; {at_least}")
    );
    assert_eq!(fit(DawidSkene { tolerance: f64::NAN, ..default() }), format!("the tolerance is NaN; {at_least}"));
    assert_eq!(
        fit(DawidSkene { max_iterations: 0, ..default() }),
        "the number of iterations is 0; it must be at least 1"
    );
    let looks = "the number of iterations between two looks is 0; it must be at least 1";
    assert_eq!(fit(DawidSkene { look_every: 0, ..default() }), looks);
    let known = |gold: &[(u32, u32)]| {
        let known = Known { gold, ..Known::default() };
        default().fit_with(&engine, &annotations, &known).expect_err("what cannot be known")
    };
    assert!(known(&[(0, 2)]).is_label());
    let error = known(&[(0, 1), (1, 0), (0, 0)]);
    let ErrorKind::Truth(error) = error.kind() else { panic!("{error}") };
    assert_eq!(*error, TruthError::Contradiction { item: 0, classes: [1, 0] });
    assert!(known(&[(2, 0)]).is_truth());
    assert!(default().fit_with(&engine, &annotations, &Known { gold: &[(0, 1), (0, 1)], ..Known::default() }).is_ok());
    // What may be held does not suffice.
    let options = consilience::EngineOptions { resident_bytes: Some(64), ..Default::default() };
    let error = default().fit(&Engine::open(&options)?, &annotations).expect_err("64 bytes");
    assert!(error.is_device(), "{error}");
    Ok(())
}

/// A software driver ends loops that are long without a word, so that it is asked for none.
#[test]
fn more_annotations_of_an_item_than_a_driver_loops_over_are_refused() -> Result<()> {
    let count = 40_000;
    let labels: Vec<u32> = (0..count).map(|i| i % 8).collect();
    let sources: Vec<u32> = (0..count).map(|i| i % 100).collect();
    let annotations = Annotations::new(8, &vec![0; count as usize], &sources, &labels)?;
    for (name, engine) in engines::all() {
        let result = DawidSkene { max_iterations: 1, ..DawidSkene::default() }.fit(engine, &annotations);
        if engine.adapter().is_some_and(|adapter| adapter.is_software()) {
            let error = result.expect_err("80,000 steps");
            let refused = Some(&DeviceError::TooManySteps { needed: 80_000, allowed: 65_535 });
            assert_eq!(error.device(), refused, "{name}");
        } else {
            assert_eq!(result?.posterior().len(), 8, "{name}");
        }
    }
    Ok(())
}
