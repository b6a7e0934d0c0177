//! Triplets against their formula, three by three.

use consilience::truth::{Annotations, Triplets};

use super::voting::one_coin;
use super::{Naive, Told, agree};
use crate::support::annotated::Annotated;

fn naive(method: &Triplets, crowd: &Annotated, told: &Told) -> Naive {
    let (n, classes) = (crowd.of_sources, crowd.classes as f64);
    // Items two met on, and agreed on.
    let mut met = vec![vec![[0.0; 2]; n]; n];
    let mut votes = vec![0.0; n];
    for row in crowd.table() {
        let mut row = row.clone();
        row.sort_unstable();
        for (place, a) in row.iter().enumerate() {
            votes[a.0] += 1.0;
            for b in row.iter().skip(place + 1).take(32) {
                for (one, other) in [(a, b), (b, a)] {
                    met[one.0][other.0][0] += 1.0;
                    met[one.0][other.0][1] += if one.1 == other.1 { 1.0 } else { 0.0 };
                }
            }
        }
    }
    let q = |i: usize, j: usize| (classes * met[i][j][1] / met[i][j][0] - 1.0) / (classes - 1.0);
    let everybody = |i: usize| (0..n).filter(|&j| met[i][j][0] > 0.0).collect::<Vec<usize>>();
    let sign = |i: usize| {
        let agrees: f64 = everybody(i).iter().map(|&j| met[i][j][0] * q(i, j)).sum();
        if agrees < 0.0 { -1.0 } else { 1.0 }
    };
    let u: Vec<Option<f64>> = (0..n)
        .map(|i| {
            let mut others = everybody(i);
            others.sort_by(|&j, &k| met[i][k][0].total_cmp(&met[i][j][0]));
            others.truncate(method.neighbours);
            let (mut above, mut below) = (0.0, 0.0);
            for &j in &others {
                for &k in others.iter().filter(|&&k| k < j && met[j][k][0] > 0.0) {
                    let weight = met[i][j][0].min(met[i][k][0]).min(met[j][k][0]);
                    above += weight * sign(j) * q(i, j) * sign(k) * q(i, k);
                    below += weight * sign(j) * sign(k) * q(j, k);
                }
            }
            (below > 0.0).then(|| sign(i) * (above / below).clamp(0.0, 1.0).sqrt())
        })
        .collect();
    let told_of: Vec<usize> = (0..n).filter(|&i| u[i].is_some()).collect();
    let sum = |of: &dyn Fn(usize) -> f64| told_of.iter().map(|&i| of(i)).sum::<f64>();
    let mean = if told_of.is_empty() { 0.5 } else { sum(&|i| votes[i] * u[i].unwrap_or(0.0)) / sum(&|i| votes[i]) };
    let accuracy = |u: f64| (1.0 + (classes - 1.0) * u) / classes;
    let smoothing = if told.counts.is_empty() { method.smoothing } else { 0.0 };
    let skill: Vec<f64> = (0..n)
        .map(|i| {
            let ([mut right, mut wrong], mut open) = (told.before(i, [0.0; 2]), 0.0);
            for (item, row) in crowd.table().iter().enumerate() {
                for vote in row.iter().filter(|vote| vote.0 == i) {
                    match told.class(item) {
                        None => open += 1.0,
                        Some(class) if class == vote.1 => right += 1.0,
                        Some(_) => wrong += 1.0,
                    }
                }
            }
            (open * accuracy(u[i].unwrap_or(mean)) + smoothing * accuracy(mean) + right)
                / (open + smoothing + right + wrong)
        })
        .collect();
    let (posterior, likelihood) = one_coin(crowd, told, &skill, &vec![1.0 / classes; crowd.classes]);
    Naive { posterior, skill, objective: likelihood }
}

#[test]
fn accuracies_are_those_of_triplets() {
    for (labels, sources, classes, seed) in [(800, 10, 2, 1), (1000, 20, 4, 2), (300, 40, 7, 3), (25, 9, 3, 4)] {
        let crowd = Annotated::crowd(labels, sources, classes, seed);
        for told in [Told::default(), Told::of(&crowd)] {
            for method in [Triplets::default(), Triplets { neighbours: 5, smoothing: 2.5 }] {
                let fit = method.fit_with(&crowd.annotations(), &told.known()).expect("a fit");
                agree("triplets", &fit, &naive(&method, &crowd, &told));
            }
        }
    }
}

/// On one item everybody voted, so that not all of them are compared.
#[test]
fn many_votes_are_compared_with_those_that_follow() {
    let mut crowd = Annotated::crowd(600, 50, 3, 5);
    let item = crowd.truth.len() as u32;
    crowd.truth.push(1);
    for source in 0..50 {
        crowd.items.push(item);
        crowd.sources.push(source);
        crowd.labels.push(u32::from(source % 4 > 0));
    }
    let method = Triplets::default();
    agree("triplets", &method.fit(&crowd.annotations()).expect("a fit"), &naive(&method, &crowd, &Told::default()));
}

/// Who met nobody, or one other, has the mean; if all are so, half of all there is.
#[test]
fn who_was_in_no_three_has_the_mean() {
    let annotations = Annotations::new(2, &[0, 1, 1], &[0, 1, 2], &[1, 0, 0]).expect("fine");
    let fit = Triplets::default().fit(&annotations).expect("a fit");
    assert_eq!(fit.skill(), [0.75; 3]);
    assert_eq!(fit.posterior()[..2], [0.25, 0.75]);
    assert_eq!(fit.posterior()[2..], [0.9, 0.1]);
}

#[test]
fn accuracies_are_found() {
    // Twenty items and twelve sources would be too few; these are right nine and six times of ten, and three times.
    let (mut items, mut sources, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for item in 0..2000_u32 {
        for source in 0..9_u32 {
            let drawn =
                (item.wrapping_mul(2_654_435_761) ^ source.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B) >> 16;
            let right = drawn % 10 < [9, 6, 9, 6, 9, 6, 9, 6, 3][source as usize];
            items.push(item);
            sources.push(source);
            labels.push((item + u32::from(!right) * (1 + drawn / 10 % 2)) % 3);
        }
    }
    let fit = Triplets::default().fit(&Annotations::new(3, &items, &sources, &labels).expect("fine")).expect("a fit");
    for (source, (skill, truth)) in fit.skill().iter().zip([0.9, 0.6, 0.9, 0.6, 0.9, 0.6, 0.9, 0.6, 0.3]).enumerate() {
        assert!((skill - truth).abs() < 0.05, "source {source}: {skill}, not {truth}");
    }
}

#[test]
fn options_out_of_range_are_refused() {
    let annotations = Annotations::new(2, &[0], &[0], &[0]).expect("fine");
    let said = |method: Triplets| method.fit(&annotations).expect_err("refused").to_string();
    let method = Triplets::default();
    let one = said(Triplets { neighbours: 1, ..method });
    assert_eq!(one, "the number of neighbours is 1; it must be between 2 and 1000");
    for smoothing in [-1.0, f64::NAN, f64::INFINITY] {
        let message = said(Triplets { smoothing, ..method });
        assert_eq!(message, format!("the smoothing is {smoothing}; it must be a finite number of at least 0"));
    }
}
