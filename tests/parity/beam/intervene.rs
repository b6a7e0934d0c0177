//! Interventions, on every executor against f64.

use consilience::beam::{ANCHORS, Beams, Interventions, Operation};

use crate::support::beams::{beams, item, near};
use crate::support::engines;
use crate::support::problem::Random;

/// A beam's digits, values and confidence after a list of operations.
fn oracle(position: u32, list: &[Operation], digits: [f32; 9], scalars: [f32; 4]) -> ([f64; 9], [f64; 4]) {
    let (mut d, mut s) = (digits.map(f64::from), scalars.map(f64::from));
    for operation in list {
        match *operation {
            Operation::Pull(share) => {
                let (share, anchor) = (f64::from(share), ANCHORS[position as usize] as usize - 1);
                d = d.map(|d| (1.0 - share) * d);
                d[anchor] += share;
            }
            Operation::Sharpen(power) => {
                let largest = d.into_iter().fold(0.0, f64::max);
                let powers = d.map(|d| (d / largest).powf(f64::from(power)));
                d = powers.map(|p| p / powers.iter().sum::<f64>());
            }
            Operation::Ethos(factor) => s[0] = (s[0] * f64::from(factor)).min(9.0),
            Operation::Logos(factor) => s[1] = (s[1] * f64::from(factor)).min(9.0),
            Operation::Pathos(factor) => s[2] = (s[2] * f64::from(factor)).min(9.0),
            Operation::Confidence(factor) => s[3] = (s[3] * f64::from(factor)).min(1.0),
        }
    }
    (d, s)
}

/// What is done at each position of these tests.
fn lists() -> Vec<Vec<Operation>> {
    use Operation::{Confidence, Ethos, Logos, Pathos, Pull, Sharpen};
    vec![
        vec![],
        vec![Pull(0.3)],
        vec![Sharpen(2.5)],
        vec![Sharpen(0.25), Pull(1.0)],
        vec![Confidence(3.0), Ethos(0.5), Logos(100.0), Pathos(0.0)],
        vec![Pull(0.5), Sharpen(3.0), Pull(0.25), Confidence(0.1)],
        vec![Ethos(f32::MAX)],
        vec![Pull(0.0), Sharpen(1.0)],
        vec![Sharpen(64.0)],
        vec![Sharpen(1.0 / 64.0), Sharpen(64.0)],
    ]
}

fn table(lists: &[Vec<Operation>]) -> Interventions {
    let mut table = Interventions::default();
    for (position, list) in (0..).zip(lists) {
        for operation in list {
            table = table.at(position, *operation).expect("a position and a value in their ranges");
        }
    }
    table
}

#[test]
fn every_operation_at_every_position() {
    let lists = lists();
    let table = table(&lists);
    for items in [0, 1, 15, 16, 17, 255, 256, 257, 2000] {
        let beams = beams(items, &mut Random::new(items as u64));
        for (name, engine) in engines::all() {
            let changed = table.apply(engine, &beams).expect("beams");
            assert_eq!((changed.items(), changed.position()), (items, beams.position()));
            for i in 0..items {
                let position = beams.position()[i];
                let list = &lists[position as usize];
                let scalars =
                    |b: &Beams| [0, 1, 2, 3].map(|s| if s < 3 { b.values()[s * items + i] } else { b.confidence()[i] });
                let (digits, want) = oracle(position, list, item(beams.digits(), i), scalars(&beams));
                let within = if position >= 8 { 1e-4 } else { 1e-5 };
                for (got, want) in item(changed.digits(), i).into_iter().zip(digits) {
                    assert!(near(got, want, within), "{name}, item {i} at {position}: {got}, {want}");
                }
                for (got, want) in scalars(&changed).into_iter().zip(want) {
                    assert!(near(got, want, 1e-6), "{name}, item {i} at {position}: {got}, {want}");
                }
                if list.is_empty() {
                    assert_eq!(item(changed.digits(), i), item(beams.digits(), i), "{name}, item {i}");
                }
            }
        }
    }
}

#[test]
fn nothing_is_done_unless_said() {
    let beams = beams(300, &mut Random::new(1));
    assert!(Interventions::default().is_empty() && !table(&lists()).is_empty());
    for (name, engine) in engines::all() {
        assert_eq!(Interventions::default().apply(engine, &beams).expect("beams"), beams, "{name}");
    }
}

#[test]
fn anchors_are_the_nearest_on_the_ring_of_ten() {
    for position in 0..10_u32 {
        let away = |anchor: u32| {
            let steps = position.abs_diff(anchor);
            steps.min(10 - steps)
        };
        let nearest = [3, 6, 9].into_iter().min_by_key(|anchor| (away(*anchor), *anchor));
        assert_eq!(Some(ANCHORS[position as usize]), nearest, "position {position}");
    }
}

#[test]
fn a_beam_has_the_same_bits_in_any_batch() {
    let table = table(&lists());
    let whole = beams(600, &mut Random::new(5));
    for (name, engine) in engines::all() {
        let changed = table.apply(engine, &whole).expect("beams");
        for i in [0, 17, 255, 256, 599] {
            let values: Vec<f32> = whole.values().iter().skip(i).step_by(600).copied().collect();
            let (confidence, position) = ([whole.confidence()[i]], [whole.position()[i]]);
            let one = Beams::new(&item(whole.digits(), i), &values, &confidence, &position).expect("a beam");
            let one = table.apply(engine, &one).expect("a beam");
            assert_eq!(one.digits(), item(changed.digits(), i), "{name}, item {i}");
            assert_eq!(one.confidence()[0], changed.confidence()[i], "{name}, item {i}");
        }
        if name == "gpu" {
            // A block of 256 items takes 9 + 4 + 1 + 9 + 4 words each.
            let small = engines::gpu(Some(30_000)).expect("the same device");
            let mut cut = Beams::default();
            let timing = table.apply_into(&small, &whole, &mut cut).expect("beams");
            assert_eq!((timing.chunks, cut == changed), (3, true));
        }
    }
}

#[test]
fn what_a_table_cannot_hold_is_named() {
    let refused = |position, operation| {
        let error = Interventions::default().at(position, operation).expect_err("no such entry");
        assert!(error.is_beam());
        error.to_string()
    };
    assert_eq!(refused(10, Operation::Pull(0.5)), "position 10 is not on the ring; positions are 0 to 9");
    for (operation, text) in [
        (Operation::Pull(1.5), "the share of a pull is 1.5; it is at least 0 and at most 1"),
        (Operation::Pull(f32::NAN), "the share of a pull is NaN; it is at least 0 and at most 1"),
        (Operation::Sharpen(0.0), "the power of the digits is 0; it is at least 1/64 and at most 64"),
        (Operation::Confidence(-1.0), "the factor of the confidence is -1; it is finite and at least 0"),
        (Operation::Ethos(f32::INFINITY), "the factor of ethos is inf; it is finite and at least 0"),
    ] {
        assert_eq!(refused(3, operation), text);
    }
    let full = table(&[vec![Operation::Pull(0.1); 4]]);
    let error = full.at(0, Operation::Pull(0.1)).expect_err("a fifth").to_string();
    assert_eq!(error, "more than 4 operations on position 0; a table holds 4 on each");
}

#[test]
fn what_is_no_beam_is_named() {
    let (digits, values) = ([0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0]);
    let refused = |digits: &[f32], values: &[f32], confidence: f32, position: u32| {
        Beams::new(digits, values, &[confidence], &[position]).expect_err("no beam").to_string()
    };
    assert!(Beams::new(&digits, &values, &[0.5], &[9]).is_ok());
    assert_eq!(refused(&digits, &values, 0.5, 10), "the position, item 0, is 10; it is at most 9");
    assert_eq!(refused(&digits, &values, 1.5, 0), "the confidence, item 0, is 1.5; it is at least 0 and at most 1");
    let text = "the value of logos, item 0, is NaN; it is at least 0 and at most 9";
    assert_eq!(refused(&digits, &[1.0, f32::NAN, 1.0], 0.5, 0), text);
    let text = "the sum of the digits, item 0, is 2; it is 1; `measure` normalises";
    assert_eq!(refused(&digits.map(|d| 2.0 * d), &values, 0.5, 0), text);
    let mut negative = digits;
    (negative[0], negative[2]) = (1.0, -0.5);
    let text = "digit 3 of the beam, item 0, is -0.5; digits are finite and at least 0";
    assert_eq!(refused(&negative, &values, 0.5, 0), text);
    assert!(Beams::new(&digits, &values, &[0.5, 0.5], &[1]).expect_err("two").is_shape());
}
