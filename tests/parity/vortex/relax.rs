//! Payloads relaxing towards anchors on every executor, against f64.

use consilience::vortex::Anchors;

use crate::support::engines;
use crate::support::problem::Random;

/// For positions 0 to 9 the nearest of 3, 6 and 9, the lowest of equals, and 1 - d / 5, by hand.
const NEAREST: [(usize, f64); 10] =
    [(9, 0.8), (3, 0.6), (3, 0.8), (3, 1.0), (3, 0.8), (6, 0.8), (6, 1.0), (6, 0.8), (9, 0.8), (9, 1.0)];

fn anchor(at: usize) -> [f64; 3] {
    match at {
        3 => [1.0, 0.0, 0.0],
        6 => [0.0, 0.0, 1.0],
        _ => [0.0, 1.0, 0.0],
    }
}

fn random(items: usize, channels: usize) -> (Vec<u32>, Vec<f32>) {
    let mut random = Random::new(items as u64);
    let positions = (0..items).map(|_| random.below(10) as u32).collect();
    (positions, (0..channels * items).map(|_| 20.0 * random.unit() - 10.0).collect())
}

fn check(name: &str, positions: &[u32], before: &[f32], after: &[f32], factor: impl Fn(f64) -> f64) {
    let items = positions.len();
    for (item, &position) in positions.iter().enumerate() {
        let (nearest, blend) = NEAREST[position as usize];
        for (channel, a) in anchor(nearest).into_iter().enumerate() {
            let (x, got) = (f64::from(before[channel * items + item]), after[channel * items + item]);
            let want = a + (x - a) * factor(blend);
            let within = 4e-7 * x.abs().max(a.abs());
            assert!((f64::from(got) - want).abs() <= within, "{name}, item {item}, channel {channel}: {got}, {want}");
        }
    }
}

#[test]
fn payloads_come_nearer_by_ticks_and_by_rate() {
    for items in [1, 15, 255, 256, 257, 3000] {
        let (positions, before) = random(items, 3);
        for (name, engine) in engines::all() {
            for (strength, ticks) in [(1.0, 1), (0.25, 1), (0.1, 7), (0.0, 5), (0.5, 0), (1.0, u32::MAX)] {
                let mut after = before.clone();
                Anchors::default().relax(engine, &positions, &mut after, strength, ticks).expect("payloads");
                let factor = |blend: f64| (1.0 - f64::from(strength) * blend).powf(ticks.into());
                check(&format!("{name}, {ticks} ticks of {strength}"), &positions, &before, &after, factor);
                assert!(strength > 0.0 || after == before, "{name}: a strength of 0 moves nothing");
            }
            for (rate, seconds) in [(0.7, 0.3), (2.0, 1e-3), (1e30, 1e30), (0.0, 4.0)] {
                let mut after = before.clone();
                Anchors::default().relax_at_rate(engine, &positions, &mut after, rate, seconds).expect("payloads");
                let factor = |blend: f64| (-f64::from(rate) * blend * f64::from(seconds)).exp();
                check(&format!("{name}, {rate} for {seconds} s"), &positions, &before, &after, factor);
            }
        }
    }
}

#[test]
fn any_anchors_and_channels() {
    // Distances go round: from 8 to 1 are 3, from 8 to 4 are 4, from 6 to both 5 or 2.
    let anchors = Anchors::new(vec![(4, vec![5.0; 7]), (1, vec![-3.0; 7])]).expect("anchors");
    assert_eq!(anchors.channels(), 7);
    let positions = [8, 6, 4, 1, 0];
    let want = [(-3.0, 0.4), (5.0, 0.6), (5.0, 1.0), (-3.0, 1.0), (-3.0, 0.8)];
    for (name, engine) in engines::all() {
        let mut payload = [1.0; 35];
        anchors.relax(engine, &positions, &mut payload, 1.0, 1).expect("payloads");
        for (item, (anchor, blend)) in want.into_iter().enumerate() {
            for channel in 0..7 {
                let got = payload[5 * channel + item];
                assert!((got - (1.0 + blend * (anchor - 1.0))).abs() < 2e-6, "{name}, item {item}: {got}");
            }
        }
        // No channels, no items.
        Anchors::new(vec![(4, vec![])])
            .expect("an anchor")
            .relax(engine, &positions, &mut [], 1.0, 1)
            .expect("nothing");
        anchors.relax(engine, &[], &mut [], 1.0, 1).expect("nothing");
    }
}

#[test]
fn what_does_not_relax_stays_and_is_named() {
    let items = 700;
    let (mut positions, mut payload) = random(items, 3);
    for (name, engine) in engines::all() {
        (positions[600], payload[2 * items + 523]) = (10, f32::NAN);
        let mut after = payload.clone();
        let error = Anchors::default().relax(engine, &positions, &mut after, 0.5, 1).expect_err("a NaN").to_string();
        assert_eq!(error, "channel 2 of the payload of item 523 is NaN; payloads are finite", "{name}");
        for item in 0..items {
            let stays = (0..3).all(|c| after[c * items + item].to_bits() == payload[c * items + item].to_bits());
            assert_eq!(stays, [523, 600].contains(&item), "{name}, item {item}");
        }
        payload[2 * items + 523] = 0.0;
        let error =
            Anchors::default().relax(engine, &positions, &mut payload.clone(), 0.5, 1).expect_err("no position");
        assert_eq!(error.to_string(), "item 600 is at position 10; positions of the ring are 0 to 9", "{name}");
        let short = Anchors::default().relax(engine, &positions, &mut [0.0; 3], 0.5, 1).expect_err("too short");
        assert!(short.is_shape() && short.to_string() == "the payload has 3 entries where 2100 are needed", "{short}");
        for strength in [-0.1, 1.1, f32::NAN] {
            let error = Anchors::default().relax(engine, &positions, &mut after, strength, 1).expect_err("no strength");
            assert!(error.to_string().starts_with("the strength is"), "{error}");
        }
        for (rate, seconds) in [(-1.0, 1.0), (f32::NAN, 1.0), (1.0, -1.0), (1.0, f32::INFINITY)] {
            assert!(Anchors::default().relax_at_rate(engine, &positions, &mut after, rate, seconds).is_err());
        }
    }
    for (anchors, text) in [
        (vec![], "there is no anchor; give at least one"),
        (vec![(3, vec![1.0]), (3, vec![2.0])], "two anchors are at position 3; a position has one at most"),
        (vec![(10, vec![1.0])], "item 0 is at position 10; positions of the ring are 0 to 9"),
        (vec![(3, vec![1.0]), (6, vec![])], "the payload of the anchor at 6 has 0 entries where 1 are needed"),
        (vec![(3, vec![f32::INFINITY])], "channel 0 of the payload of item 0 is inf; payloads are finite"),
    ] {
        assert_eq!(Anchors::new(anchors).expect_err("no anchors").to_string(), text);
    }
}
