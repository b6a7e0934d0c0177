//! What is said of single distributions, on every executor against f64.

use consilience::beam::{Digits, Measure, Measured, measure, measure_into};

use crate::support::beams::{cut, entropy, item, near, normalised, random};
use crate::support::engines;
use crate::support::problem::Random;

fn check(name: &str, planes: &[f32], measured: &Measured) {
    let items = planes.len() / 9;
    for i in 0..items {
        let (given, want) = (item(planes, i), normalised(item(planes, i)));
        for (got, want) in item(measured.normalised(), i).into_iter().zip(want) {
            assert!(near(got, want, 3e-7), "{name}, item {i}: {got}, {want}");
        }
        let h = entropy(&want);
        assert!(near(measured.entropy()[i], h, 4e-6), "{name}, item {i}: {}, {h}", measured.entropy()[i]);
        let mass = 1.0 - h / 9_f64.ln();
        assert!(near(measured.mass()[i], mass, 2e-6), "{name}, item {i}: {}, {mass}", measured.mass()[i]);
        let mut sorted = want;
        sorted.sort_by(f64::total_cmp);
        let decided = sorted[8] - sorted[7];
        assert!(near(measured.decisiveness()[i], decided, 3e-7), "{name}, item {i}: {}", measured.decisiveness()[i]);
        let largest = given.into_iter().fold(0.0, f32::max);
        let dominant = given.iter().position(|x| *x == largest).expect("the largest is there") as u32 + 1;
        assert_eq!(measured.dominant()[i], dominant, "{name}, item {i}");
    }
}

#[test]
fn distributions_of_the_design() {
    let mut planes = vec![0.0; 36];
    for digit in 0..9 {
        planes[4 * digit] = 1.0 / 9.0;
        planes[4 * digit + 3] = if digit == 7 { 0.5 } else { 0.0625 };
    }
    // Certain of 3; two halves at 2 and 6.
    (planes[4 * 2 + 1], planes[4 + 2], planes[4 * 5 + 2]) = (1.0, 0.5, 0.5);
    for (name, engine) in engines::all() {
        let measured = measure(engine, Measure::all(), &Digits::new(&planes).expect("four items")).expect("fine");
        for (got, want) in measured.mass().iter().zip([0.0, 1.0, 0.684_535, 0.211_338]) {
            assert!(near(*got, want, 2e-6), "{name}: {:?}", measured.mass());
        }
        assert_eq!((measured.mass()[1], measured.entropy()[1]), (1.0, 0.0), "{name}");
        assert_eq!(measured.decisiveness(), [0.0, 1.0, 0.0, 0.4375], "{name}");
        assert_eq!(measured.dominant(), [1, 3, 2, 8], "{name}");
    }
}

#[test]
fn every_number_of_items_around_a_block() {
    for items in [0, 1, 15, 16, 17, 255, 256, 257, 2000] {
        let planes = random(items, &mut Random::new(items as u64));
        for (name, engine) in engines::all() {
            let digits = Digits::new(&planes).expect("nine planes");
            check(name, &planes, &measure(engine, Measure::all(), &digits).expect("distributions"));
        }
    }
}

#[test]
fn only_what_is_asked_for_is_there_and_the_same() {
    let planes = random(300, &mut Random::new(4));
    let digits = Digits::new(&planes).expect("nine planes");
    for (name, engine) in engines::all() {
        let all = measure(engine, Measure::all(), &digits).expect("distributions");
        let mut some = all.clone();
        for asked in 0..32 {
            let mut what = Measure::default();
            for (bit, ask) in [
                Measure::normalised as fn(Measure) -> Measure,
                Measure::entropy,
                Measure::mass,
                Measure::decisiveness,
                Measure::dominant,
            ]
            .into_iter()
            .enumerate()
            {
                what = if asked >> bit & 1 == 1 { ask(what) } else { what };
            }
            measure_into(engine, what, &digits, &mut some).expect("distributions");
            let want = |bit: u32, values: &[f32]| if asked >> bit & 1 == 1 { values.to_vec() } else { Vec::new() };
            assert_eq!(some.normalised(), want(0, all.normalised()), "{name}, {asked}");
            assert_eq!(some.entropy(), want(1, all.entropy()), "{name}, {asked}");
            assert_eq!(some.mass(), want(2, all.mass()), "{name}, {asked}");
            assert_eq!(some.decisiveness(), want(3, all.decisiveness()), "{name}, {asked}");
            assert_eq!(some.dominant(), if asked >> 4 == 1 { all.dominant() } else { &[] }, "{name}, {asked}");
        }
    }
}

#[test]
fn an_item_has_the_same_bits_in_any_batch() {
    let planes = random(600, &mut Random::new(5));
    for (name, engine) in engines::all() {
        let whole = measure(engine, Measure::all(), &Digits::new(&planes).expect("planes")).expect("distributions");
        for i in [0, 17, 255, 256, 599] {
            let alone = cut(&planes, i, 1);
            let one = measure(engine, Measure::all(), &Digits::new(&alone).expect("planes")).expect("a distribution");
            assert_eq!(one.normalised(), item(whole.normalised(), i), "{name}, item {i}");
            let of = |m: &Measured, i: usize| [m.entropy()[i], m.mass()[i], m.decisiveness()[i]].map(f32::to_bits);
            assert_eq!(of(&one, 0), of(&whole, i), "{name}, item {i}");
        }
        if name == "gpu" {
            // A block of 256 items takes 9 + 9 + 3 + 1 words each, and one.
            let small = engines::gpu(Some(25_000)).expect("the same device");
            let mut cut = Measured::default();
            let digits = Digits::new(&planes).expect("planes");
            let timing = measure_into(&small, Measure::all(), &digits, &mut cut).expect("distributions");
            assert_eq!((timing.chunks, cut == whole), (3, true));
        }
    }
}

#[test]
fn what_is_no_distribution_is_named() {
    for (value, text) in [
        (f32::NAN, "digit 5 of the beam, item 523, is NaN; digits are finite and at least 0"),
        (f32::INFINITY, "digit 5 of the beam, item 523, is inf; digits are finite and at least 0"),
        (-0.5, "digit 5 of the beam, item 523, is -0.5; digits are finite and at least 0"),
        (3e38, "the digits of the beam, item 523, sum to inf; a distribution has a finite sum above 0"),
        (0.0, "the digits of the beam, item 523, sum to 0; a distribution has a finite sum above 0"),
    ] {
        let mut planes = random(700, &mut Random::new(6));
        (0..9).for_each(|digit| planes[digit * 700 + 523] = if value == 3e38 { value } else { 0.0 });
        planes[4 * 700 + 523] = value;
        // Another one behind it, in another block.
        planes[2 * 700 + 699] = f32::NAN;
        for (name, engine) in engines::all() {
            let error = measure(engine, Measure::default().mass(), &Digits::new(&planes).expect("planes"))
                .expect_err("no distribution");
            assert_eq!((error.to_string().as_str(), error.is_beam()), (text, true), "{name}");
        }
    }
    let error = Digits::new(&[1.0; 10]).expect_err("no multiple of nine");
    assert_eq!((error.to_string().as_str(), error.is_shape()), ("digits has 10 entries where 9 are needed", true));
}
