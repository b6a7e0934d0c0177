//! `bayes/information`: on every executor against sums in f64.

use consilience::{Engine, Result, bayes};

use crate::support::engines;
use crate::support::problem::Random;

/// Random distributions [C, B] of every sort: even, uneven, certain, with zeros.
fn random(random: &mut Random, classes: usize, items: usize) -> Vec<f32> {
    let mut planes = vec![0.0; classes * items];
    for item in 0..items {
        let (sort, certain) = (random.below(4), random.below(classes));
        let mut row: Vec<f64> = (0..classes)
            .map(|k| match sort {
                0 => 1.0,
                1 => f64::from(random.unit()).powi(8),
                2 => f64::from(u8::from(k == certain)),
                _ => f64::from(random.unit()) * f64::from(u8::from(k == certain || random.below(2) == 0)),
            })
            .collect();
        row[certain] += 1e-3;
        let sum: f64 = row.iter().sum();
        row.iter().enumerate().for_each(|(k, x)| planes[k * items + item] = (x / sum) as f32);
    }
    planes
}

fn row(planes: &[f32], items: usize, item: usize) -> Vec<f64> {
    planes.iter().skip(item).step_by(items.max(1)).map(|&x| f64::from(x)).collect()
}

fn x_ln_x(x: &f64) -> f64 {
    if *x > 0.0 { x * x.ln() } else { 0.0 }
}

fn entropy(p: &[f64]) -> f64 {
    -p.iter().map(x_ln_x).sum::<f64>()
}

fn cross_entropy(p: &[f64], q: &[f64]) -> f64 {
    -p.iter().zip(q).filter(|(p, _)| **p > 0.0).map(|(p, q)| p * q.ln()).sum::<f64>()
}

fn divergence(p: &[f64], q: &[f64]) -> f64 {
    cross_entropy(p, q) - entropy(p) - p.iter().sum::<f64>() + q.iter().sum::<f64>()
}

fn jensen_shannon(sources: &[Vec<f64>], weights: &[f64]) -> f64 {
    let mixture = |k: usize| sources.iter().zip(weights).map(|(p, w)| w * p[k]).sum::<f64>();
    let mixture: Vec<f64> = (0..sources[0].len()).map(mixture).collect();
    entropy(&mixture) - sources.iter().zip(weights).map(|(p, w)| w * entropy(p)).sum::<f64>()
}

fn mutual_information(joint: &[f64], columns: usize) -> f64 {
    let rows: Vec<f64> = joint.chunks(columns).map(|row| row.iter().sum()).collect();
    let columns: Vec<f64> = (0..columns).map(|j| joint.iter().skip(j).step_by(columns).sum()).collect();
    entropy(&rows) + entropy(&columns) - entropy(joint) + x_ln_x(&joint.iter().sum())
}

fn check(name: &str, got: &[f32], items: usize, want: impl Fn(usize) -> f64) {
    assert_eq!(got.len(), items, "{name}");
    for (item, &got) in got.iter().enumerate() {
        let (got, want) = (f64::from(got), want(item));
        let fine = got == want || (got - want).abs() <= 2e-6 + 2e-6 * want.abs();
        assert!(fine && got >= 0.0, "{name}, item {item}: {got}, not {want}");
    }
}

#[test]
fn measures_are_those_of_f64() {
    let mut draw = Random::new(41);
    for (classes, items) in [(1, 3), (2, 0), (2, 1), (3, 17), (10, 257), (33, 300), (1000, 40)] {
        let (p, q, r) =
            (random(&mut draw, classes, items), random(&mut draw, classes, items), random(&mut draw, classes, items));
        let weights = [0.2, 3.0, 0.8];
        for (name, engine) in engines::all() {
            let name = format!("{name}, {classes} classes");
            let of = |planes: &[f32], item| row(planes, items, item);
            let got = |result: Result<Vec<f32>>| result.expect("distributions");
            check(&name, &got(bayes::entropy(engine, classes, &p)), items, |item| entropy(&of(&p, item)));
            let crossed = got(bayes::cross_entropy(engine, classes, &p, &q));
            check(&name, &crossed, items, |item| cross_entropy(&of(&p, item), &of(&q, item)));
            let diverged = got(bayes::kl_divergence(engine, classes, &p, &q));
            check(&name, &diverged, items, |item| divergence(&of(&p, item), &of(&q, item)).max(0.0));
            check(&name, &got(bayes::kl_divergence(engine, classes, &p, &p)), items, |_| 0.0);
            let apart = got(bayes::jensen_shannon(engine, classes, &[&p, &q, &r], &weights));
            check(&name, &apart, items, |item| {
                jensen_shannon(&[of(&p, item), of(&q, item), of(&r, item)], &[0.05, 0.75, 0.2]).max(0.0)
            });
        }
    }
}

#[test]
fn tables() {
    let mut draw = Random::new(42);
    for (rows, columns, items) in [(1, 1, 2), (2, 3, 40), (5, 2, 300), (20, 30, 20)] {
        let joint = random(&mut draw, rows * columns, items);
        // Rows that tell nothing of columns.
        let (left, right) = (random(&mut draw, rows, items), random(&mut draw, columns, items));
        let cell = |place: usize| {
            let (plane, item) = (place / items, place % items);
            left[plane / columns * items + item] * right[plane % columns * items + item]
        };
        let apart: Vec<f32> = (0..rows * columns * items).map(cell).collect();
        for (name, engine) in engines::all() {
            let told = bayes::mutual_information(engine, rows, columns, &joint).expect("tables");
            check(name, &told, items, |item| mutual_information(&row(&joint, items, item), columns).max(0.0));
            let nothing = bayes::mutual_information(engine, rows, columns, &apart).expect("tables");
            check(name, &nothing, items, |_| 0.0);
        }
    }
}

#[test]
fn what_was_never_expected_costs_infinitely_much() {
    let (p, q) = ([0.5, 0.0, 0.5, 1.0], [1.0, 0.0, 0.0, 1.0]);
    for (name, engine) in engines::all() {
        let infinity = f32::INFINITY;
        assert_eq!(bayes::cross_entropy(engine, 2, &p, &q).expect("distributions"), [infinity, 0.0], "{name}");
        assert_eq!(bayes::kl_divergence(engine, 2, &p, &q).expect("distributions"), [infinity, 0.0], "{name}");
        let back = bayes::kl_divergence(engine, 2, &q, &p).expect("distributions");
        assert!((back[0] - 2_f32.ln()).abs() < 2e-6 && back[1] == 0.0, "{name}: {back:?}");
        let apart = bayes::jensen_shannon(engine, 2, &[&p, &q], &[1.0, 1.0]).expect("distributions");
        assert!(apart[0] > 0.2 && apart[0] < 2_f32.ln() && apart[1] == 0.0, "{name}: {apart:?}");
        let certain = bayes::jensen_shannon(engine, 2, &[&p, &q], &[0.0, 5.0]).expect("distributions");
        assert_eq!(certain, [0.0, 0.0], "{name}");
    }
}

#[test]
fn an_item_has_the_same_bits_in_any_batch() {
    let mut draw = Random::new(43);
    let planes = [random(&mut draw, 5, 600), random(&mut draw, 5, 600)];
    let all = |engine: &Engine, from: usize, to: usize| {
        let part =
            |planes: &Vec<f32>| planes.chunks(600).flat_map(|plane| plane[from..to].to_vec()).collect::<Vec<f32>>();
        let [p, q] = planes.each_ref().map(part);
        [
            bayes::kl_divergence(engine, 5, &p, &q).expect("distributions"),
            bayes::jensen_shannon(engine, 5, &[&p, &q], &[1.0, 2.0]).expect("distributions"),
            bayes::mutual_information(engine, 1, 5, &p).expect("tables"),
        ]
    };
    for (name, engine) in engines::all() {
        let whole = all(engine, 0, 600);
        for (from, to) in [(0, 1), (5, 22), (255, 257), (599, 600)] {
            for (part, whole) in all(engine, from, to).iter().zip(&whole) {
                assert_eq!(part, &whole[from..to], "{name}: items {from} to {to}");
            }
        }
    }
}

#[test]
fn what_is_no_distribution_is_named() {
    let good = [vec![0.25; 300], vec![0.75; 300]].concat();
    let with = |value: f32| {
        let mut bad = good.clone();
        bad[300 + 270] = value;
        bad[299] = f32::NAN;
        bad
    };
    for (value, want) in [
        (f32::NAN, "the share of item 270 in plane 3 is NaN, it must be from 0 to 1"),
        (-0.1, "the share of item 270 in plane 3 is -0.1, it must be from 0 to 1"),
        (1.5, "the share of item 270 in plane 3 is 1.5, it must be from 0 to 1"),
        (0.5, "the sum of the shares of item 270, source 1, is 0.75, it must be within 0.001 of 1"),
    ] {
        let bad = with(value);
        for (name, engine) in engines::all() {
            for result in [
                bayes::kl_divergence(engine, 2, &good, &bad),
                bayes::cross_entropy(engine, 2, &good, &bad),
                bayes::jensen_shannon(engine, 2, &[&good, &bad], &[1.0; 2]),
            ] {
                let error = result.expect_err("no distribution");
                assert_eq!((error.to_string().as_str(), error.is_bayes()), (want, true), "{name}");
            }
            let alone = want.replace("plane 3", "plane 1").replace("source 1", "source 0");
            for result in [bayes::entropy(engine, 2, &bad), bayes::mutual_information(engine, 2, 1, &bad)] {
                assert_eq!(result.expect_err("no distribution").to_string(), alone, "{name}");
            }
        }
    }
}

#[test]
fn shapes_and_weights_that_do_not_fit() {
    let (_, engine) = &engines::all()[0];
    let p = [0.5; 4];
    assert!(bayes::entropy(engine, 3, &p).expect_err("no whole planes").is_shape());
    assert!(bayes::kl_divergence(engine, 2, &p, &[0.5; 2]).expect_err("a short plane").is_shape());
    assert!(bayes::mutual_information(engine, 2, 3, &[0.1; 7]).expect_err("no whole tables").is_shape());
    assert!(bayes::jensen_shannon(engine, 2, &[&p], &[1.0; 2]).expect_err("a long list").is_shape());
    for classes in [0, 8193] {
        let error = bayes::entropy(engine, classes, &[]).expect_err("no classes").to_string();
        assert_eq!(error, format!("the number of planes is {classes}, it must be from 1 to 8192"));
    }
    for weight in [-1.0, f32::NAN, f32::INFINITY] {
        let error = bayes::jensen_shannon(engine, 2, &[&p, &p], &[1.0, weight]).expect_err("no weight").to_string();
        assert_eq!(error, format!("the weight in plane 1 is {weight}, it must be at least 0 and finite"));
    }
    let error = bayes::jensen_shannon(engine, 2, &[&p, &p], &[0.0; 2]).expect_err("no weight").to_string();
    assert_eq!(error, "the sum of the weights is 0, it must be above 0");
}
