//! Cosines between distributions, on every executor against f64.

use consilience::beam::{Digits, similarity, similarity_into};

use crate::support::beams::{cosine, cut, item, near, random};
use crate::support::engines;
use crate::support::problem::Random;

#[test]
fn every_number_of_items_around_a_block() {
    for items in [0, 1, 15, 16, 17, 255, 256, 257, 2000] {
        let mut seeds = Random::new(items as u64);
        let (first, second) = (random(items, &mut seeds), random(items, &mut seeds));
        for (name, engine) in engines::all() {
            let digits = [&first, &second].map(|planes| Digits::new(planes).expect("nine planes"));
            let got = similarity(engine, &digits[0], &digits[1]).expect("distributions");
            assert_eq!(got.len(), items);
            for (i, got) in got.into_iter().enumerate() {
                let want = cosine(item(&first, i), item(&second, i));
                assert!(near(got, want, 1e-6) && got <= 1.0, "{name}, item {i}: {got}, {want}");
            }
        }
    }
}

#[test]
fn directions_are_alike_whatever_their_length() {
    let planes = random(300, &mut Random::new(2));
    let longer: Vec<f32> = planes.iter().map(|x| 1e30 * x).collect();
    let (a, b) = (Digits::new(&planes).expect("planes"), Digits::new(&longer).expect("planes"));
    for (name, engine) in engines::all() {
        let got = similarity(engine, &a, &b).expect("distributions");
        assert!(got.iter().all(|s| near(*s, 1.0, 1e-6)), "{name}: {got:?}");
        let (there, back) = (similarity(engine, &a, &b), similarity(engine, &b, &a));
        assert_eq!(there.expect("distributions"), back.expect("distributions"), "{name}");
    }
}

fn of(planes: &[f32]) -> Digits<'_> {
    Digits::new(planes).expect("nine planes")
}

#[test]
fn an_item_has_the_same_bits_in_any_batch() {
    let mut seeds = Random::new(3);
    let (first, second) = (random(600, &mut seeds), random(600, &mut seeds));
    for (name, engine) in engines::all() {
        let whole = similarity(engine, &of(&first), &of(&second)).expect("distributions");
        for i in [0, 17, 255, 256, 599] {
            let (a, b) = (cut(&first, i, 1), cut(&second, i, 1));
            assert_eq!(similarity(engine, &of(&a), &of(&b)).expect("one pair"), [whole[i]], "{name}, item {i}");
        }
        if name == "gpu" {
            // A block of 256 items takes 9 + 9 + 1 words each, and one.
            let small = engines::gpu(Some(21_000)).expect("the same device");
            let mut cut = vec![0.0; 600];
            let timing = similarity_into(&small, &of(&first), &of(&second), &mut cut).expect("distributions");
            assert_eq!((timing.chunks, cut == whole), (3, true));
        }
    }
}

#[test]
fn what_has_no_direction_is_named() {
    let fine = random(700, &mut Random::new(6));
    for (value, text) in [
        (f32::NAN, "digit 5 of the second beam, item 523, is NaN; digits are finite and at least 0"),
        (-0.5, "digit 5 of the second beam, item 523, is -0.5; digits are finite and at least 0"),
        (0.0, "the digits of the second beam, item 523, sum to 0; a distribution has a finite sum above 0"),
    ] {
        let mut bad = fine.clone();
        (0..9).for_each(|digit| bad[digit * 700 + 523] = 0.0);
        bad[4 * 700 + 523] = value;
        bad[699] = f32::NAN;
        let (fine, bad) = (Digits::new(&fine).expect("planes"), Digits::new(&bad).expect("planes"));
        for (name, engine) in engines::all() {
            let error = similarity(engine, &fine, &bad).expect_err("no direction");
            assert_eq!((error.to_string().as_str(), error.is_beam()), (text, true), "{name}");
            let error = similarity(engine, &bad, &fine).expect_err("no direction").to_string();
            assert_eq!(error, text.replace("second", "first"), "{name}");
        }
    }
    let (_, engine) = &engines::all()[0];
    let (two, one) = (Digits::new(&[1.0; 18]).expect("two"), Digits::new(&[1.0; 9]).expect("one"));
    assert!(similarity(engine, &two, &one).expect_err("another length").is_shape());
    assert!(similarity_into(engine, &two, &two, &mut [0.0]).expect_err("another length").is_shape());
}
