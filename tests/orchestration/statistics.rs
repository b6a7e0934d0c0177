//! Tracks of sources: averages against literals, quantiles against the sorted latencies.

use std::time::Duration;

use consilience::learning::State;
use consilience::orchestration::{Cost, Track};
use proptest::prelude::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn track(latencies: &[Duration]) -> Track {
    let mut track = Track::default();
    for (index, &latency) in latencies.iter().enumerate() {
        track.observe(index % 3 != 0, latency, Cost { calls: 1, tokens_in: 5, tokens_out: 2, micros: 7 });
    }
    track
}

#[test]
fn nothing_is_known_before_the_first_observation() {
    let track = Track::default();
    assert_eq!((track.observations(), track.successes(), track.cost()), (0, 0, Cost::default()));
    assert_eq!((track.success(), track.latency(), track.quantile(0.5)), (None, None, None));
}

#[test]
fn averages_start_at_the_first_observation_and_move_by_a_tenth() {
    let mut track = Track::default();
    track.observe(true, ms(100), Cost::CALL);
    assert_eq!((track.success(), track.latency()), (Some(1.0), Some(ms(100))));
    track.observe(false, ms(300), Cost::CALL);
    assert_eq!((track.success(), track.latency()), (Some(0.9), Some(ms(120))));
    track.observe(false, ms(20), Cost::CALL);
    assert!((track.success().unwrap() - 0.81).abs() < 1e-12);
    assert_eq!(track.latency(), Some(ms(110)));
    assert_eq!((track.observations(), track.successes(), track.cost().calls), (3, 1, 3));
}

#[test]
fn a_quantile_is_asked_for_between_zero_and_one() {
    let track = track(&[ms(10), ms(20), ms(30)]);
    for q in [-0.001, 1.001, f64::NAN, f64::INFINITY] {
        assert_eq!(track.quantile(q), None, "{q}");
    }
    assert_eq!((track.quantile(0.0), track.quantile(1.0)), (Some(ms(10)), Some(ms(30))));
}

#[test]
fn latencies_of_zero_and_of_the_longest_time_are_kept() {
    let zeros = track(&[Duration::ZERO; 5]);
    assert_eq!((zeros.quantile(0.5), zeros.latency()), (Some(Duration::ZERO), Some(Duration::ZERO)));
    let mut longest = track(&[Duration::MAX; 3]);
    longest.merge(&zeros);
    assert_eq!((longest.quantile(0.0), longest.quantile(1.0)), (Some(Duration::ZERO), Some(Duration::MAX)));
    assert_eq!(Track::from_text(&longest.to_text().unwrap()).unwrap(), longest);
}

#[test]
fn merged_averages_are_means_counted_by_observations() {
    let (mut a, mut b) = (Track::default(), Track::default());
    a.observe(true, ms(100), Cost::CALL);
    for _ in 0..3 {
        b.observe(false, ms(500), Cost::CALL);
    }
    a.merge(&b);
    assert_eq!((a.success(), a.latency(), a.observations()), (Some(0.25), Some(ms(400)), 4));
    a.merge(&Track::default());
    assert_eq!((a.success(), a.observations()), (Some(0.25), 4));
    let mut empty = Track::default();
    empty.merge(&b);
    assert_eq!(empty, b);
}

#[test]
fn saved_tracks_that_nothing_observed_are_refused() {
    let text = track(&[ms(10), ms(20)]).to_text().unwrap();
    let state = text.lines().nth(1).unwrap();
    for (from, to) in [
        ("\"observations\":2", "\"observations\":3"),
        ("\"successes\":1", "\"successes\":9"),
        ("\"success\":0.1", "\"success\":1.5"),
        ("\"seconds\":0.", "\"seconds\":-0."),
        ("\"nanos\":20000000", "\"nanos\":90000000"),
        ("\"cost\"", "\"price\""),
    ] {
        let altered = state.replacen(from, to, 1);
        assert_ne!(altered, state, "{from} is not in {state}");
        assert!(serde_json::from_str::<Track>(&altered).is_err(), "{to}");
    }
    assert!(Track::from_text(&text.replacen("\"successes\":1", "\"successes\":0", 1)).is_err(), "checksum");
}

proptest! {
    #[test]
    fn quantiles_are_within_a_hundredth_of_the_exact_ones(
        nanos in prop::collection::vec((0.0..44.0_f64).prop_map(|x| x.exp() as u64), 1..200),
        q in 0.0..=1.0_f64,
        cut in 0_usize..200,
    ) {
        let mut latencies: Vec<Duration> = nanos.iter().copied().map(Duration::from_nanos).collect();
        let cut = cut.min(latencies.len());
        let mut merged = track(&latencies[..cut]);
        merged.merge(&track(&latencies[cut..]));
        let alone = track(&latencies);
        latencies.sort();
        let exact = latencies[(q * (latencies.len() - 1) as f64) as usize].as_secs_f64();
        for found in [&alone, &merged].map(|track| track.quantile(q).unwrap().as_secs_f64()) {
            prop_assert!((found - exact).abs() <= 0.010_001 * exact + 1e-9, "{found} for {exact}");
        }
        prop_assert_eq!(alone.cost(), merged.cost());
        prop_assert_eq!(alone.observations(), merged.observations());
    }

    #[test]
    fn what_is_saved_comes_back(nanos in prop::collection::vec(any::<u64>(), 0..50)) {
        let track = track(&nanos.into_iter().map(Duration::from_nanos).collect::<Vec<_>>());
        prop_assert_eq!(Track::from_text(&track.to_text().unwrap()).unwrap(), track);
    }
}
