//! Posterior mathematics over arrays that an engine holds.

use consilience::bayes::{
    self, BetaBernoulli, CellCounts, CellEvidence, DirichletCategorical, Gaussians, InverseModel, Least, LogOddsGrid,
    NormalInverseGamma, NormalKnownPrecision, ResidentBetaBernoulli, ResidentCellEvidence,
    ResidentDirichletCategorical, ResidentNormalKnownPrecision, Samples,
};
use consilience::{Engine, ResidentPlanes, Result};

use super::{SIZES, bits, own, refused, tight};
use crate::support::engines;
use crate::support::problem::Random;

/// Distributions over so many classes, plane by plane.
fn distributions(random: &mut Random, classes: usize, items: usize) -> Vec<f32> {
    let mut planes = random.list(classes * items, 0.01, 1.0);
    for item in 0..items {
        let sum: f32 = planes.iter().skip(item).step_by(items).sum();
        planes.iter_mut().skip(item).step_by(items).for_each(|share| *share /= sum);
    }
    planes
}

#[test]
fn conjugate_families_are_the_hosts_to_the_bit() -> Result<()> {
    for (name, engine) in engines::all() {
        for items in SIZES {
            let mut random = Random::new(items as u64);
            let mut planes = |least, most, count: usize| random.list(count * items, least, most);

            let [a, b, prior] = [planes(3.0, 9.0, 3), planes(3.0, 9.0, 3), planes(0.5, 2.0, 3)]
                .map(|alpha| DirichletCategorical::new(3, alpha).expect("parameters"));
            let counts = planes(0.0, 20.0, 3);
            let held = [a.upload(engine)?, b.upload(engine)?, prior.upload(engine)?];
            let held_counts = engine.upload_planes(&counts, 3)?;
            assert_eq!(
                held[0].update(engine, &held_counts)?.read(engine)?,
                a.update(engine, &counts)?,
                "{name}, {items}"
            );
            assert_eq!(
                held[0].merge(engine, &held[1], &held[2])?.read(engine)?,
                a.merge(engine, &b, &prior)?,
                "{name}"
            );
            let moments = a.moments(engine)?;
            bits(name, &held[0].moments(engine)?.read(engine)?, &[moments.mean, moments.variance].concat());
            let evidence = held[0].log_evidence(engine, &held_counts)?.read(engine)?;
            bits(name, &evidence, &a.log_evidence(engine, &counts)?);
            bits(name, &held[0].divergence(engine, &held[1])?.read(engine)?, &a.divergence(engine, &b)?);

            let beta = BetaBernoulli::new(&a.alpha()[..items], &a.alpha()[items..2 * items])?;
            let (successes, failures) = counts[..2 * items].split_at(items);
            let (held_successes, held_failures) = (engine.upload_array(successes)?, engine.upload_array(failures)?);
            let posterior = beta.upload(engine)?.update(engine, [&held_successes, &held_failures])?;
            let want = beta.update(engine, successes, failures)?;
            assert_eq!(posterior.read(engine)?, want, "{name}, {items}");
            let moments = posterior.moments(engine)?.read(engine)?;
            bits(name, &moments[..items], &want.moments(engine)?.mean);
            bits(name, &moments[2 * items..3 * items], &want.moments(engine)?.variance);
            let evidence = posterior.log_evidence(engine, held_counts.part(0..2)?)?.read(engine)?;
            bits(name, &evidence, &want.log_evidence(engine, successes, failures)?);
            let divergence = posterior.divergence(engine, &beta.upload(engine)?)?.read(engine)?;
            bits(name, &divergence, &want.divergence(engine, &beta)?);
            let merged = posterior.merge(engine, &posterior, &beta.upload(engine)?)?;
            assert_eq!(merged.read(engine)?, want.merge(engine, &want, &beta)?, "{name}, {items}");

            let samples = [planes(0.0, 30.0, 1), planes(-5.0, 5.0, 1), planes(0.0, 40.0, 1)];
            let [count, mean, squares] = &samples;
            let samples_held = engine.upload_planes(&samples.concat(), 3)?;
            let samples = Samples { count, mean, squares };
            let normal = NormalKnownPrecision::new(planes(-3.0, 3.0, 1), planes(0.1, 2.0, 1), 0.5)?;
            let held = normal.upload(engine)?;
            let (posterior, want) = (held.update(engine, &samples_held)?, normal.update(engine, &samples)?);
            assert_eq!(posterior.read(engine)?, want, "{name}, {items}");
            let merged = posterior.merge(engine, &posterior, &held)?.read(engine)?;
            assert_eq!(merged, want.merge(engine, &want, &normal)?, "{name}, {items}");
            let evidence = held.log_evidence(engine, &samples_held)?.read(engine)?;
            bits(name, &evidence, &normal.log_evidence(engine, &samples)?);
            bits(name, &posterior.divergence(engine, &held)?.read(engine)?, &want.divergence(engine, &normal)?);

            let prior = [planes(-3.0, 3.0, 1), planes(0.5, 2.0, 1), planes(3.0, 5.0, 1), planes(0.5, 4.0, 1)];
            let normal = NormalInverseGamma::new(prior)?;
            let held = normal.upload(engine)?;
            let (posterior, want) = (held.update(engine, &samples_held)?, normal.update(engine, &samples)?);
            assert_eq!(posterior.read(engine)?, want, "{name}, {items}");
            let merged = posterior.merge(engine, &posterior, &held)?.read(engine)?;
            assert_eq!(merged, want.merge(engine, &want, &normal)?, "{name}, {items}");
            let (moments, scale) = (want.moments(engine)?, want.predictive(engine)?.scale);
            let all = [moments.mean_variance, moments.variance_mean, moments.variance_variance, scale].concat();
            bits(name, &posterior.moments(engine)?.read(engine)?, &all);
            let evidence = held.log_evidence(engine, &samples_held)?.read(engine)?;
            bits(name, &evidence, &normal.log_evidence(engine, &samples)?);
            bits(name, &posterior.divergence(engine, &held)?.read(engine)?, &want.divergence(engine, &normal)?);
        }
    }
    Ok(())
}

#[test]
fn information_is_the_hosts_to_the_bit() -> Result<()> {
    for (name, engine) in engines::all() {
        for items in SIZES {
            let mut random = Random::new(items as u64);
            let (p, q) = (distributions(&mut random, 4, items), distributions(&mut random, 4, items));
            let (held_p, held_q) = (engine.upload_planes(&p, 4)?, engine.upload_planes(&q, 4)?);
            bits(name, &bayes::entropy_resident(engine, &held_p)?.read(engine)?, &bayes::entropy(engine, 4, &p)?);
            let cross = bayes::cross_entropy_resident(engine, &held_p, &held_q)?.read(engine)?;
            bits(name, &cross, &bayes::cross_entropy(engine, 4, &p, &q)?);
            let divergence = bayes::kl_divergence_resident(engine, &held_p, &held_q)?.read(engine)?;
            bits(name, &divergence, &bayes::kl_divergence(engine, 4, &p, &q)?);
            let weights = [1.0, 3.0];
            let sources = [ResidentPlanes::from(&held_p), (&held_q).into()];
            let among = bayes::jensen_shannon_resident(engine, &sources, &weights)?.read(engine)?;
            bits(name, &among, &bayes::jensen_shannon(engine, 4, &[&p, &q], &weights)?);
            let mutual = bayes::mutual_information_resident(engine, 2, 2, &held_p)?.read(engine)?;
            bits(name, &mutual, &bayes::mutual_information(engine, 2, 2, &p)?);
        }
    }
    Ok(())
}

#[test]
fn special_functions_are_the_hosts_to_the_bit() -> Result<()> {
    type One = (fn(&Engine, &[f32]) -> Result<Vec<f32>>, fn(&Engine, &Held) -> Result<Held>);
    type Two = (fn(&Engine, &[f32], &[f32]) -> Result<Vec<f32>>, fn(&Engine, &Held, &Held) -> Result<Held>);
    type Three =
        (fn(&Engine, &[f32], &[f32], &[f32]) -> Result<Vec<f32>>, fn(&Engine, &Held, &Held, &Held) -> Result<Held>);
    type Held = consilience::ResidentArray<f32>;
    let one: [One; 2] = [
        (bayes::ln_gamma, |engine, x| bayes::ln_gamma_resident(engine, x)),
        (bayes::digamma, |engine, x| bayes::digamma_resident(engine, x)),
    ];
    let two: [Two; 4] = [
        (bayes::incomplete_gamma, |engine, a, x| bayes::incomplete_gamma_resident(engine, a, x)),
        (bayes::incomplete_gamma_upper, |engine, a, x| bayes::incomplete_gamma_upper_resident(engine, a, x)),
        (bayes::incomplete_gamma_inverse, |engine, a, x| bayes::incomplete_gamma_inverse_resident(engine, a, x)),
        (bayes::incomplete_gamma_upper_inverse, |engine, a, x| {
            bayes::incomplete_gamma_upper_inverse_resident(engine, a, x)
        }),
    ];
    let three: [Three; 2] = [
        (bayes::incomplete_beta, |engine, a, b, x| bayes::incomplete_beta_resident(engine, a, b, x)),
        (bayes::incomplete_beta_inverse, |engine, a, b, x| bayes::incomplete_beta_inverse_resident(engine, a, b, x)),
    ];
    for (name, engine) in engines::all() {
        for items in SIZES {
            let mut random = Random::new(items as u64);
            let (a, b, x) =
                (random.list(items, 0.5, 9.0), random.list(items, 0.5, 9.0), random.list(items, 0.01, 0.99));
            let [held_a, held_b, held_x] =
                [engine.upload_array(&a)?, engine.upload_array(&b)?, engine.upload_array(&x)?];
            for (host, resident) in one {
                bits(name, &resident(engine, &held_a)?.read(engine)?, &host(engine, &a)?);
            }
            if items > 1000 {
                // These are slow where nothing is optimised.
                continue;
            }
            for (host, resident) in two {
                bits(name, &resident(engine, &held_a, &held_x)?.read(engine)?, &host(engine, &a, &x)?);
            }
            for (host, resident) in three {
                bits(name, &resident(engine, &held_a, &held_b, &held_x)?.read(engine)?, &host(engine, &a, &b, &x)?);
            }
        }
    }
    Ok(())
}

#[test]
fn gaussians_are_the_hosts_to_the_bit() -> Result<()> {
    for (name, engine) in engines::all() {
        // These are slow where nothing is optimised.
        for items in SIZES.map(|items| items.min(1000)) {
            let mut random = Random::new(items as u64);
            let mut source = || {
                let mean = random.list(2 * items, -2.0, 2.0);
                let variances = [random.list(items, 1.0, 3.0), random.list(items, 1.0, 3.0)];
                let [first, second] = &variances;
                Gaussians::new(2, mean, [&first[..], &random.list(items, -0.4, 0.4), second].concat())
            };
            let sources = [source()?, source()?, source()?];
            let [a, b, c] = &sources;
            let held = [a.upload(engine)?, b.upload(engine)?, c.upload(engine)?];
            let [held_a, held_b, held_c] = &held;
            let fused = bayes::fuse_gaussians_resident(engine, &[held_a, held_b, held_c], &[1.0, 0.5, 0.7])?;
            let want = bayes::fuse_gaussians(engine, &[a, b, c], &[1.0, 0.5, 0.7])?;
            assert_eq!(fused.read(engine)?, want, "{name}, {items}");
            for least in [Least::Determinant, Least::Trace] {
                // What was fused has a plane behind its distribution, which is not to be read.
                let both = bayes::covariance_intersection_resident(engine, &[&fused, held_b, held_c], least)?;
                let want = bayes::covariance_intersection(engine, &[&want, b, c], least)?;
                assert_eq!(both.read(engine)?, want, "{name}, {items}");
            }
            let alone = bayes::covariance_intersection_resident(engine, &[held_a], Least::Trace)?.read(engine)?;
            assert_eq!(alone, bayes::covariance_intersection(engine, &[a], Least::Trace)?, "{name}, {items}");
        }
    }
    Ok(())
}

#[test]
fn grids_are_the_hosts_to_the_bit() -> Result<()> {
    for (name, engine) in engines::all() {
        let own = own(engine);
        let engine = own.as_ref().unwrap_or(engine);
        for items in SIZES {
            let mut random = Random::new(items as u64);
            let counts: Vec<CellCounts> =
                (0..items).map(|_| CellCounts::new(random.below(9) as u16, random.below(9) as u16)).collect();
            let (log_odds, shares) = (random.list(items, -3.0, 3.0), random.list(items, 0.0, 1.0));
            let model = InverseModel { hit: 0.8, miss: 0.4 };
            let mut grid = LogOddsGrid::new(items).with_prior(0.3)?.with_limits(-8.0, 8.0)?;
            let mut held = grid.upload(engine)?;
            let held_counts = engine.upload_array(&counts)?;
            let (held_log_odds, held_shares) = (engine.upload_array(&log_odds)?, engine.upload_array(&shares)?);
            let before = engine.submissions();
            let first = [
                ResidentCellEvidence::Counts { counts: &held_counts, model },
                ResidentCellEvidence::Probabilities((&held_shares).into()),
            ];
            held.update(engine, &first)?;
            held.update(engine, &[ResidentCellEvidence::LogOdds((&held_log_odds).into())])?;
            held.update(engine, &[])?;
            let probabilities = held.probabilities(engine)?;
            engine.flush()?;
            assert_eq!(engine.submissions() - before, u64::from(engine.is_gpu()), "{name}, {items}");
            grid.update(
                engine,
                &[CellEvidence::Counts { counts: &counts, model }, CellEvidence::Probabilities(&shares)],
            )?;
            grid.update(engine, &[CellEvidence::LogOdds(&log_odds)])?;
            bits(name, held.read(engine)?.log_odds(), grid.log_odds());
            bits(name, &probabilities.read(engine)?, &grid.probabilities(engine)?);
        }
    }
    Ok(())
}

#[test]
fn a_chain_of_posteriors_is_one_submission() -> Result<()> {
    for (name, engine) in engines::all() {
        let own = own(engine);
        let engine = own.as_ref().unwrap_or(engine);
        let mut random = Random::new(1);
        let items = 700;
        let alpha = random.list(2 * items, 1.0, 2.0);
        let counts = random.list(2 * items, 0.0, 9.0);
        let prior = DirichletCategorical::new(2, alpha)?;
        let (held, held_counts) = (prior.upload(engine)?, engine.upload_planes(&counts, 2)?);
        let before = engine.submissions();
        let posterior = held.update(engine, &held_counts)?.update(engine, &held_counts)?;
        let moments = posterior.moments(engine)?;
        // The means are a distribution; the variances behind them are not read.
        let entropy = bayes::entropy_resident(engine, moments.part(0..2)?)?;
        // Planes from the third on, which a device has to copy first.
        let variance = ResidentPlanes::from(&moments).and(moments.part(3..4)?);
        assert_eq!((variance.planes(), variance.items()), (5, items));
        let digamma = bayes::digamma_resident(engine, moments.part(3..4)?)?;
        engine.flush()?;
        assert_eq!(engine.submissions() - before, u64::from(engine.is_gpu()), "{name}");
        let want = prior.update(engine, &counts)?.update(engine, &counts)?.moments(engine)?;
        bits(name, &entropy.read(engine)?, &bayes::entropy(engine, 2, &want.mean)?);
        bits(name, &digamma.read(engine)?, &bayes::digamma(engine, &want.variance[items..])?);
    }
    Ok(())
}

#[test]
fn whoever_reads_is_told_of_an_argument_outside_its_domain() -> Result<()> {
    for (name, engine) in engines::all() {
        let bad = |at: usize, value: f32| {
            let mut values = vec![0.5_f32; 900];
            values[at] = value;
            engine.upload_array(&values)
        };
        let fine = bad(0, 0.5)?;
        // Through a chain: digamma of what no ln gamma is of.
        let ln_gammas = bayes::ln_gamma_resident(engine, &bad(700, -1.0)?)?;
        let after = bayes::incomplete_gamma_resident(engine, &fine, &ln_gammas)?;
        refused(name, after.read(engine), "bayes/special", 700);
        let prior = BetaBernoulli::new(&[1.0; 900], &[1.0; 900])?.upload(engine)?;
        let posterior = prior.update(engine, [&fine, &bad(257, f32::NAN)?])?.update(engine, [&fine, &fine])?;
        refused(name, posterior.read(engine), "bayes/conjugate", 257);
        refused(name, posterior.moments(engine)?.read(engine), "bayes/conjugate", 257);
        // Each of these is a count, and their sum is too much.
        let many = engine.upload_array(&[1e6_f32; 3])?;
        let prior = BetaBernoulli::new(&[1.0; 3], &[1.0; 3])?.upload(engine)?;
        refused(name, prior.update(engine, [&many, &many])?.read(engine), "bayes/conjugate", 0);
        let sum = engine.upload_planes(&[5e5_f32, 6e5, 5e5, 4.1e5], 2)?;
        refused(name, ResidentBetaBernoulli::new(engine, sum)?.read(engine), "bayes/conjugate", 1);
        let normal = engine.upload_planes(&[0.0_f32, 0.0, 1.0, 1e10], 2)?;
        let normal = ResidentNormalKnownPrecision::new(engine, normal, 1.0)?;
        refused(name, normal.divergence(engine, &normal)?.read(engine), "bayes/conjugate", 1);
        let normal =
            NormalInverseGamma::new([vec![0.0; 3], vec![1.0; 3], vec![1.0; 3], vec![1.0; 3]])?.upload(engine)?;
        let samples = engine.upload_planes(&[1.0_f32, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0], 3)?;
        refused(name, normal.log_evidence(engine, &samples)?.read(engine), "bayes/conjugate", 1);
        let p = engine.upload_planes(&[0.5_f32, 0.5, 0.5, 0.6], 2)?;
        refused(name, bayes::entropy_resident(engine, &p)?.read(engine), "bayes/information", 1);
        let none = Gaussians::new(1, vec![0.0, 0.0], vec![1.0, -1.0])?.upload(engine)?;
        let fused = bayes::fuse_gaussians_resident(engine, &[&none], &[1.0])?;
        let both = bayes::covariance_intersection_resident(engine, &[&fused, &fused], Least::Trace)?;
        refused(name, both.read(engine), "bayes/gaussian", 1);
        let mut grid = LogOddsGrid::new(900).upload(engine)?;
        grid.update(engine, &[ResidentCellEvidence::Probabilities((&bad(300, 1.5)?).into())])?;
        grid.update(engine, &[ResidentCellEvidence::Probabilities((&fine).into())])?;
        refused(name, grid.read(engine), "bayes/log_odds", 300);
        refused(name, grid.probabilities(engine)?.read(engine), "bayes/log_odds", 300);
    }
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused_at_once() -> Result<()> {
    for (name, engine) in engines::all() {
        let three = engine.upload_planes(&[0.5_f32; 6], 3)?;
        let one = engine.upload_array(&[0.5_f32; 3])?;
        let prior = DirichletCategorical::new(2, vec![1.0; 6])?.upload(engine)?;
        let beta = BetaBernoulli::new(&[1.0; 2], &[1.0; 2])?.upload(engine)?;
        let normal = NormalKnownPrecision::new(vec![0.0; 2], vec![1.0; 2], 1.0)?.upload(engine)?;
        let other = NormalKnownPrecision::new(vec![0.0; 2], vec![1.0; 2], 2.0)?.upload(engine)?;
        let mut grid = LogOddsGrid::new(2).upload(engine)?;
        let gaussian = Gaussians::new(1, vec![0.0; 2], vec![1.0; 2])?.upload(engine)?;
        let shapes = [
            prior.update(engine, &three).map(|_| ()),
            prior.update(engine, [&one, &one, &one]).map(|_| ()),
            prior.divergence(engine, &DirichletCategorical::new(3, vec![1.0; 9])?.upload(engine)?).map(|_| ()),
            beta.update(engine, [&one, &one]).map(|_| ()),
            normal.update(engine, three.part(0..2)?).map(|_| ()),
            bayes::kl_divergence_resident(engine, &three, three.part(1..3)?).map(|_| ()),
            bayes::kl_divergence_resident(engine, &one, three.part(1..2)?).map(|_| ()),
            bayes::mutual_information_resident(engine, 2, 2, &three).map(|_| ()),
            bayes::ln_gamma_resident(engine, &three).map(|_| ()),
            bayes::incomplete_gamma_resident(engine, &one, three.part(0..1)?).map(|_| ()),
            bayes::entropy_resident(engine, [&three, &one]).map(|_| ()),
            grid.update(engine, &[ResidentCellEvidence::LogOdds((&one).into())]),
            grid.update(engine, &[ResidentCellEvidence::LogOdds((&three).into())]),
            bayes::fuse_gaussians_resident(engine, &[&gaussian], &[1.0; 2]).map(|_| ()),
            three.part(2..4).map(|_| ()),
            three.part(std::ops::Range { start: 2, end: 1 }).map(|_| ()),
        ];
        for (number, outcome) in shapes.into_iter().enumerate() {
            let error = outcome.expect_err("it does not fit");
            assert!(error.is_shape(), "{name}, {number}: {error}");
        }
        let settings = [
            normal.merge(engine, &other, &normal).map(|_| ()),
            bayes::fuse_gaussians_resident(engine, &[], &[]).map(|_| ()),
            bayes::jensen_shannon_resident(engine, &[(&one).into()], &[0.0]).map(|_| ()),
            ResidentDirichletCategorical::new(engine, engine.upload_array(&[1.0_f32])?).map(|_| ()),
        ];
        for (number, outcome) in settings.into_iter().enumerate() {
            let error = outcome.expect_err("it is none");
            assert!(matches!(error.kind(), consilience::ErrorKind::Bayes(_)), "{name}, {number}: {error}");
        }
    }
    Ok(())
}

#[test]
fn the_budget_bounds_what_is_made() -> Result<()> {
    for (name, engine) in engines::all() {
        let tight = tight(engine, 4000);
        let p = tight.upload_planes(&[0.25_f32; 800], 4)?;
        let mut grid = LogOddsGrid::new(100).upload(&tight)?;
        let evidence = tight.upload_array(&[1.0_f32; 60])?;
        let error = bayes::entropy_resident(&tight, &p).expect_err("no room for 200 entropies").to_string();
        assert!(error.contains("of 4000 are taken"), "{name}: {error}");
        drop(evidence);
        let evidence = tight.upload_array(&[1.0_f32; 100])?;
        // The second copy of the cells has no room, and they are as they were.
        let error = grid.update(&tight, &[ResidentCellEvidence::LogOdds((&evidence).into())]).expect_err("no room");
        assert!(error.to_string().contains("of 4000 are taken"), "{name}: {error}");
        assert_eq!(grid.read(&tight)?.log_odds(), [0.0; 100], "{name}");
        drop(p);
        grid.update(&tight, &[ResidentCellEvidence::LogOdds((&evidence).into())])?;
        assert_eq!(grid.read(&tight)?.log_odds(), [1.0; 100], "{name}");
        drop((evidence, grid));
        assert_eq!((tight.resident().handles, tight.resident().bytes), (0, 0), "{name}");
    }
    Ok(())
}

/// Within 3e-6 of the want, or of the distance given.
fn ends(what: &str, got: &[f32], want: &[f32], near: impl Fn(usize) -> f32) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (item, (&got, &want)) in got.iter().zip(want).enumerate() {
        let tolerance = 3e-6 * near(item) + 2e-7 * want.abs();
        assert!(got == want || (got - want).abs() <= tolerance, "{what}, item {item}: {got:e}, not {want:e}");
    }
}

#[test]
fn credible_intervals_are_the_hosts() -> Result<()> {
    for (name, engine) in engines::all() {
        for (items, level) in [(1, 0.5), (33, 0.95)] {
            let mut random = Random::new(items as u64);
            // From parameters that leave nearly all mass at the ends to such as leave it in the middle.
            let mut planes = |count: usize, least: f32, most: f32| -> Vec<f32> {
                random.list(count * items, least.ln(), most.ln()).iter().map(|x| x.exp()).collect()
            };
            let dirichlet = DirichletCategorical::new(3, planes(3, 0.05, 300.0))?;
            let got = dirichlet.upload(engine)?.credible_interval(engine, level)?.read(engine)?;
            let want = dirichlet.credible_interval(engine, level)?;
            let (lower, upper) = got.split_at(3 * items);
            ends(name, lower, &want.lower, |place| want.lower[place]);
            ends(name, upper, &want.upper, |place| want.upper[place]);

            let beta = BetaBernoulli::new(&planes(1, 0.05, 300.0), &planes(1, 0.05, 300.0))?;
            let got = beta.upload(engine)?.credible_interval(engine, level)?.read(engine)?;
            let want = beta.credible_interval(engine, level)?;
            ends(name, &got[..items], &want.lower, |item| want.lower[item]);
            ends(name, &got[2 * items..3 * items], &want.upper, |item| want.upper[item]);
            // What one end leaves is the other's of failure.
            for item in 0..items {
                assert!((got[item] + got[3 * items + item] - 1.0).abs() < 1e-6, "{name}, {item}");
            }

            let normal = NormalKnownPrecision::new(planes(1, 0.1, 1e3), planes(1, 1e-3, 1e3), 1.0)?;
            let got = normal.upload(engine)?.credible_interval(engine, level)?.read(engine)?;
            let want = normal.credible_interval(engine, level)?;
            let width = |item: usize| want.upper[item] - want.lower[item];
            ends(name, &got[..items], &want.lower, width);
            ends(name, &got[items..], &want.upper, width);

            let (mean, count) = (planes(1, 0.1, 1e3), planes(1, 0.1, 1e3));
            let normal = NormalInverseGamma::new([mean, count, planes(1, 0.05, 300.0), planes(1, 0.1, 1e3)])?;
            let got = normal.upload(engine)?.credible_interval(engine, level)?.read(engine)?;
            let want = normal.credible_interval(engine, level)?;
            let width = |item: usize| (want.mean.upper[item] - want.mean.lower[item]).min(f32::MAX);
            ends(name, &got[..items], &want.mean.lower, width);
            ends(name, &got[items..2 * items], &want.mean.upper, width);
            ends(name, &got[2 * items..3 * items], &want.variance.lower, |item| want.variance.lower[item]);
            ends(name, &got[3 * items..], &want.variance.upper, |item| want.variance.upper[item]);
        }
    }
    Ok(())
}

#[test]
fn credible_intervals_are_part_of_the_chain_and_tell_of_what_led_to_them() -> Result<()> {
    for (name, engine) in engines::all() {
        let own = own(engine);
        let engine = own.as_ref().unwrap_or(engine);
        let prior = BetaBernoulli::new(&[1.0; 30], &[1.0; 30])?.upload(engine)?;
        let counts = engine.upload_planes(&[[8.0_f32; 30], [2.0; 30]].concat(), 2)?;
        let before = engine.submissions();
        let interval = prior.update(engine, &counts)?.credible_interval(engine, 0.95)?;
        let normal = NormalKnownPrecision::new(vec![2.0], vec![4.0], 1.0)?.upload(engine)?;
        let after = engine.submissions() - before;
        let of_mean = normal.credible_interval(engine, 0.95)?;
        engine.flush()?;
        // An upload stands between them, and hands over what waits or not: the rest is one.
        assert_eq!(engine.submissions() - before - after, u64::from(engine.is_gpu()), "{name}");
        let got = interval.read(engine)?;
        assert!((got[29] - 0.482_244_1).abs() < 2e-6 && (got[89] - 0.939_782_3).abs() < 2e-6, "{name}: {}", got[89]);
        let got = of_mean.read(engine)?;
        // Two less and more 1.959964 halves.
        assert!((got[0] - 1.020_018).abs() < 3e-6 && (got[1] - 2.979_982).abs() < 3e-6, "{name}: {got:?}");

        let mut some = [8.0_f32; 60];
        some[25] = -1.0;
        let counts = engine.upload_planes(&some, 2)?;
        let interval = prior.update(engine, &counts)?.credible_interval(engine, 0.9)?;
        refused(name, interval.read(engine), "bayes/conjugate", 25);
        for level in [0.0, 1.0, f64::NAN] {
            let error = prior.credible_interval(engine, level).expect_err("no level").to_string();
            assert!(error.contains("the level"), "{name}: {error}");
            assert!(normal.credible_interval(engine, level).is_err(), "{name}");
        }
        let narrow = tight(engine, 30 * 8 + 100);
        let prior = BetaBernoulli::new(&[1.0; 30], &[1.0; 30])?.upload(&narrow)?;
        let error = prior.credible_interval(&narrow, 0.9).expect_err("no room").to_string();
        assert!(error.contains("resident_bytes"), "{name}: {error}");
    }
    Ok(())
}
