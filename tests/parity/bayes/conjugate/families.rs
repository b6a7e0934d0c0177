//! Every operation of every family.

use consilience::Engine;
use consilience::bayes::{
    BetaBernoulli, DirichletCategorical, NormalInverseGamma, NormalInverseGammaIntervals, NormalKnownPrecision, Samples,
};
use statrs::distribution::{Beta, Continuous, ContinuousCDF, InverseGamma, StudentsT};

use super::oracle;
use super::{Drawn, compare, count, decades};
use crate::support::engines;
use crate::support::problem::Random;

const SIZES: [usize; 7] = [0, 1, 7, 8, 9, 256, 1030];

fn shapes(random: &mut Random, len: usize) -> Vec<f32> {
    (0..len).map(|_| decades(random, -3.0, 4.5).max(0.001)).collect()
}

/// The planes' values of one item, in f64.
fn of(planes: &[f32], items: usize, item: usize) -> Vec<f64> {
    planes.iter().skip(item).step_by(items.max(1)).map(|&x| f64::from(x)).collect()
}

#[test]
fn dirichlet() {
    let mut random = Random::new(2);
    for (classes, items) in SIZES.into_iter().flat_map(|items| [(2, items), (3, items), (11, items)]) {
        let alpha = shapes(&mut random, classes * items);
        let other = shapes(&mut random, classes * items);
        let counts: Vec<f32> = (0..classes * items).map(|_| count(&mut random).min(5e4)).collect();
        let more: Vec<f32> = (0..classes * items).map(|_| count(&mut random).min(2e4)).collect();
        let prior = DirichletCategorical::new(classes, alpha.clone()).expect("parameters");
        let other = DirichletCategorical::new(classes, other).expect("parameters");
        for (name, engine) in engines::all() {
            let posterior = prior.update(engine, &counts).expect("counts");
            let exact: Vec<f32> = alpha.iter().zip(&counts).map(|(a, n)| a + n).collect();
            assert_eq!(posterior.alpha(), exact, "{name}");
            let second = prior.update(engine, &more).expect("counts");
            let merged = posterior.merge(engine, &second, &prior).expect("two posteriors");
            compare(name, merged.alpha(), items, |k, item| {
                let at = |planes: &[f32]| f64::from(planes[k * items + item]);
                oracle::dirichlet_merge(at(posterior.alpha()), at(second.alpha()), at(&alpha))
            });
            let moments = prior.moments(engine).expect("moments");
            for (place, got) in [&moments.mean, &moments.variance].into_iter().enumerate() {
                compare(name, got, items, |k, item| oracle::dirichlet_moments(&of(&alpha, items, item), k)[place]);
            }
            assert_eq!(prior.predictive(engine).expect("means"), moments.mean);
            let evidence = prior.log_evidence(engine, &counts).expect("counts");
            compare(name, &evidence, items, |_, item| {
                oracle::dirichlet_evidence(&of(&alpha, items, item), &of(&counts, items, item))
            });
            for other in [&other, &posterior] {
                let divergence = prior.divergence(engine, other).expect("two distributions");
                assert_eq!(divergence.len(), items);
                compare(name, &divergence, items, |_, item| {
                    oracle::dirichlet_divergence(&of(&alpha, items, item), &of(other.alpha(), items, item))
                });
            }
        }
    }
}

#[test]
fn normal_with_known_precision() {
    let mut random = Random::new(3);
    for (items, known) in SIZES.into_iter().zip([1.0, 0.01, 300.0, 2.5, 1e-3, 4.0, 0.7]) {
        let mean: Vec<f32> = (0..items).map(|_| (random.unit() - 0.5) * decades(&mut random, -2.0, 3.0)).collect();
        let precision: Vec<f32> = (0..items).map(|_| decades(&mut random, -4.0, 4.0)).collect();
        let prior = NormalKnownPrecision::new(mean, precision, known).expect("parameters");
        let (drawn, more) = (Drawn::random(&mut random, items), Drawn::random(&mut random, items));
        let at = |plane: &[f32], item: usize| f64::from(plane[item]);
        for (name, engine) in engines::all() {
            let posterior = prior.update(engine, &drawn.samples()).expect("samples");
            let known = f64::from(known);
            let with = |item| {
                [at(prior.mean(), item), at(prior.precision(), item), at(&drawn.count, item), at(&drawn.mean, item)]
            };
            compare(name, posterior.mean(), items, |_, item| oracle::normal_update(with(item), known)[0]);
            compare(name, posterior.precision(), items, |_, item| oracle::normal_update(with(item), known)[1]);
            let second = prior.update(engine, &more.samples()).expect("samples");
            let merged = posterior.merge(engine, &second, &prior).expect("two posteriors");
            let three = |item| {
                let [a, b, c] =
                    [&posterior, &second, &prior].map(|one| [at(one.mean(), item), at(one.precision(), item)]);
                [a[0], a[1], b[0], b[1], c[0], c[1]]
            };
            compare(name, merged.mean(), items, |_, item| oracle::normal_merge(three(item))[0]);
            compare(name, merged.precision(), items, |_, item| oracle::normal_merge(three(item))[1]);
            let evidence = prior.log_evidence(engine, &drawn.samples()).expect("samples");
            compare(name, &evidence, items, |_, item| {
                let [m, l, n, x] = with(item);
                oracle::normal_evidence([m, l, n, x, at(&drawn.squares, item)], known)
            });
            let divergence = posterior.divergence(engine, &second).expect("two distributions");
            compare(name, &divergence, items, |_, item| {
                let [a, b, c, d, ..] = three(item);
                oracle::normal_divergence([a, b, c, d])
            });
            let variance = prior.predictive().variance;
            assert!(variance.iter().zip(prior.precision()).all(|(v, l)| *v == 1.0 / l + 1.0 / known as f32));
        }
    }
}

fn random_gamma(random: &mut Random, items: usize) -> NormalInverseGamma {
    let mean = (0..items).map(|_| (random.unit() - 0.5) * decades(random, -2.0, 3.0)).collect();
    let [count, rate] = [(); 2].map(|()| (0..items).map(|_| decades(random, -3.0, 4.0)).collect());
    NormalInverseGamma::new([mean, count, shapes(random, items), rate]).expect("parameters")
}

fn parameters(of: &NormalInverseGamma, item: usize) -> [f64; 4] {
    [of.mean(), of.count(), of.shape(), of.rate()].map(|plane| f64::from(plane[item]))
}

#[test]
fn normal_inverse_gamma() {
    let mut random = Random::new(4);
    for items in SIZES {
        let (prior, other) = (random_gamma(&mut random, items), random_gamma(&mut random, items));
        let (drawn, more) = (Drawn::random(&mut random, items), Drawn::random(&mut random, items));
        let with = |item| {
            let [m, k, a, b] = parameters(&prior, item);
            let [n, x, s] = [&drawn.count, &drawn.mean, &drawn.squares].map(|plane| f64::from(plane[item]));
            [m, k, a, b, n, x, s]
        };
        for (name, engine) in engines::all() {
            let posterior = prior.update(engine, &drawn.samples()).expect("samples");
            let second = prior.update(engine, &more.samples()).expect("samples");
            let merged = posterior.merge(engine, &second, &prior).expect("two posteriors");
            let planes = |of: &NormalInverseGamma| [of.mean(), of.count(), of.shape(), of.rate()].map(<[f32]>::to_vec);
            for (plane, (updated, merged)) in planes(&posterior).iter().zip(&planes(&merged)).enumerate() {
                compare(&format!("{name}, update {plane}"), updated, items, |_, item| {
                    oracle::gamma_update(with(item))[plane]
                });
                compare(&format!("{name}, merge {plane}"), merged, items, |_, item| {
                    let [a, b, prior] = [&posterior, &second, &prior].map(|one| parameters(one, item));
                    oracle::gamma_merge(a, b, prior)[plane]
                });
            }
            let moments = prior.moments(engine).expect("moments");
            let next = prior.predictive(engine).expect("a predictive distribution");
            let all = [moments.mean_variance, moments.variance_mean, moments.variance_variance, next.scale];
            for (plane, got) in all.iter().enumerate() {
                compare(name, got, items, |_, item| oracle::gamma_moments(parameters(&prior, item))[plane]);
            }
            let evidence = prior.log_evidence(engine, &drawn.samples()).expect("samples");
            compare(name, &evidence, items, |_, item| oracle::gamma_evidence(with(item)));
            for other in [&other, &posterior] {
                let divergence = prior.divergence(engine, other).expect("two distributions");
                compare(name, &divergence, items, |_, item| {
                    oracle::gamma_divergence(parameters(&prior, item), parameters(other, item))
                });
            }
        }
    }
}

/// Where a function that rises from below `want` to above it is there.
fn root(rises: impl Fn(f64) -> f64, want: f64, most: f64) -> f64 {
    let (mut low, mut high) = (0.0, most);
    for _ in 0..300 {
        let middle = f64::midpoint(low, high);
        if rises(middle) < want { low = middle } else { high = middle }
    }
    low
}

#[test]
fn intervals_end_at_quantiles() {
    let mut random = Random::new(6);
    let items = 150;
    let some = |random: &mut Random| (0..items).map(|_| decades(random, -1.0, 3.0)).collect::<Vec<f32>>();
    let (alpha, rest) = (some(&mut random), some(&mut random));
    let beta = BetaBernoulli::new(&alpha, &rest).expect("parameters");
    let [mean, count, shape, rate] = [(); 4].map(|()| some(&mut random));
    let gamma = NormalInverseGamma::new([mean, count, shape, rate]).expect("parameters");
    for level in [0.5, 0.95, 0.999] {
        let tail = 0.5 * (1.0 - level);
        let exact = |item: usize| {
            let share = Beta::new(f64::from(alpha[item]), f64::from(rest[item])).expect("parameters");
            let [m, k, a, b] = parameters(&gamma, item);
            let student = StudentsT::new(0.0, 1.0, 2.0 * a).expect("parameters");
            let width = (b / (a * k)).sqrt() * root(|t| -student.sf(t), -tail, 1e60);
            let variance = InverseGamma::new(a, b).expect("parameters");
            let [low, high] = [root(|x| share.cdf(x), tail, 1.0), root(|x| -share.sf(x), -tail, 1.0)];
            [
                low,
                high,
                m - width,
                m + width,
                root(|x| variance.cdf(x), tail, 1e60),
                root(|x| -variance.sf(x), -tail, 1e60),
            ]
        };
        let exact: Vec<[f64; 6]> = (0..items).map(exact).collect();
        for (name, engine) in engines::all() {
            let shares = beta.credible_interval(engine, level).expect("a level");
            let NormalInverseGammaIntervals { mean, variance } =
                gamma.credible_interval(engine, level).expect("a level");
            let got = [shares.lower, shares.upper, mean.lower, mean.upper, variance.lower, variance.upper];
            for (end, got) in got.iter().enumerate() {
                for (item, got) in got.iter().enumerate() {
                    let (got, want) = (f64::from(*got), exact[item][end]);
                    let size = if end == 2 || end == 3 { exact[item][3] - exact[item][2] } else { 0.0 };
                    let fine = (got - want).abs() <= 2e-6 * (want.abs() + size) || want < 1e-37 && got == 0.0;
                    assert!(
                        fine || want > 3e38 && got.is_infinite(),
                        "{name}: end {end} of item {item} is {got:e}, not {want:e}"
                    );
                }
            }
        }
    }
    let (_, engine) = &engines::all()[0];
    let normal = NormalKnownPrecision::new(vec![1.0], vec![4.0], 1.0).expect("parameters");
    let ends = normal.credible_interval(engine, 0.95).expect("a level");
    assert!((f64::from(ends.upper[0]) - 1.0 - 0.979_981_992_3).abs() < 1e-6, "{ends:?}");
    assert!((f64::from(ends.lower[0]) - 1.0 + 0.979_981_992_3).abs() < 1e-6, "{ends:?}");
}

#[test]
fn evidence_is_the_product_of_what_was_predicted() {
    let observed = [1.5_f32, -0.25, 4.0, 2.0, 2.5];
    for (name, engine) in engines::all() {
        let mut posterior = NormalInverseGamma::new([vec![0.5], vec![2.0], vec![1.5], vec![3.0]]).expect("parameters");
        let prior = posterior.clone();
        let mut sum = 0.0;
        for x in observed {
            let next = posterior.predictive(engine).expect("a predictive distribution");
            let [m, s, v] = [&next.mean, &next.scale, &next.degrees].map(|plane| f64::from(plane[0]));
            sum += StudentsT::new(m, s, v).expect("parameters").ln_pdf(f64::from(x));
            posterior = posterior.update(engine, &Samples { count: &[1.0], mean: &[x], squares: &[0.0] }).expect("one");
        }
        let mean = observed.iter().sum::<f32>() / 5.0;
        let squares = observed.iter().map(|x| (x - mean).powi(2)).sum();
        let all =
            prior.log_evidence(engine, &Samples { count: &[5.0], mean: &[mean], squares: &[squares] }).expect("all");
        assert!((f64::from(all[0]) - sum).abs() < 1e-5, "{name}: {all:?}, not {sum}");
    }
}

#[test]
fn a_divergence_is_the_integral() {
    let (p, q) = (Beta::new(9.0, 3.0).expect("parameters"), Beta::new(2.0, 2.5).expect("parameters"));
    let steps = 200_000;
    let at = |i: i32| (f64::from(i) + 0.5) / f64::from(steps);
    let integral = (0..steps).map(at).map(|x| p.pdf(x) * (p.ln_pdf(x) - q.ln_pdf(x))).sum::<f64>() / f64::from(steps);
    for (name, engine) in engines::all() {
        let of = |a, b| BetaBernoulli::new(&[a], &[b]).expect("parameters");
        let got = of(9.0, 3.0).divergence(engine, &of(2.0, 2.5)).expect("two distributions")[0];
        assert!((f64::from(got) - integral).abs() < 1e-5, "{name}: {got}, not {integral}");
        assert_eq!(of(9.0, 3.0).divergence(engine, &of(9.0, 3.0)).expect("one distribution"), [0.0], "{name}");
        // Of eight heads and two tails in order: 1 / (11 choose(10, 2)).
        let evidence = of(1.0, 1.0).log_evidence(engine, &[8.0], &[2.0]).expect("counts")[0];
        assert!((f64::from(evidence) + 495_f64.ln()).abs() < 1e-5, "{name}: {evidence}");
    }
}

#[test]
fn an_item_has_the_same_bits_in_any_batch() {
    let mut random = Random::new(9);
    let (prior, drawn) = (random_gamma(&mut random, 700), Drawn::random(&mut random, 700));
    let results = |engine: &Engine, from: usize, to: usize| {
        let part = |plane: &[f32]| plane[from..to].to_vec();
        let prior =
            NormalInverseGamma::new([part(prior.mean()), part(prior.count()), part(prior.shape()), part(prior.rate())]);
        let (prior, [n, x, s]) =
            (prior.expect("parameters"), [&drawn.count, &drawn.mean, &drawn.squares].map(|plane| part(plane)));
        let samples = Samples { count: &n, mean: &x, squares: &s };
        let posterior = prior.update(engine, &samples).expect("samples");
        let evidence = prior.log_evidence(engine, &samples).expect("samples");
        [posterior.mean().to_vec(), evidence, prior.divergence(engine, &posterior).expect("two distributions")]
    };
    for (name, engine) in engines::all() {
        let whole = results(engine, 0, 700);
        for (from, to) in [(3, 4), (0, 9), (250, 260), (699, 700)] {
            for (part, whole) in results(engine, from, to).iter().zip(&whole) {
                assert_eq!(part, &whole[from..to], "{name}: items {from} to {to}");
            }
        }
    }
}
