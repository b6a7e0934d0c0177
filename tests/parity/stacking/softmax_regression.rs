//! Loss and gradient of the softmax regression: every executor against a naive sum in f64, and against the first.

use consilience::kernel::stacking::softmax_regression::{ADDITIONS, PROBABILITY, RELATIVE};
use consilience::stacking::{LabelledLoss, Objective, Stacked};
use consilience::{Answer, DeviceError, Engine, ErrorKind, Fusion};

use crate::support::engines;
use crate::support::problem::{Problem, Random};

/// Evidence, labels and a model.
struct Case {
    problem: Problem,
    labels: Vec<Option<u32>>,
    model: Stacked,
}

/// A number and what it may be off.
#[derive(Debug, Clone, Copy, Default)]
struct Near {
    value: f64,
    /// Sum of the squares of what each item's part may be off.
    square: f64,
    /// Sum of the sizes of the parts.
    size: f64,
}

impl Near {
    fn add(&mut self, part: f64, error: f64) {
        self.value += part;
        self.square += error * error;
        self.size += part.abs();
    }

    /// What the sum may be off: the items' roundings are random, and each addition rounds the sum.
    fn tolerance(self) -> f64 {
        self.square.sqrt() + ADDITIONS * self.size
    }
}

/// The loss, then the gradient in the order [N, C, C] and the biases.
struct Oracle(Vec<Near>);

impl Case {
    /// Sources of every form with holes; a third of the items is not labelled.
    fn random(sources: usize, items: usize, classes: usize, seed: u64) -> Self {
        let problem = Problem::mixed(sources, items, classes, seed).with_holes(seed);
        let mut random = Random::new(seed ^ 0x1234);
        let labels = (0..items).map(|_| (random.unit() > 0.33).then(|| random.below(classes) as u32)).collect();
        Self { problem, labels, model: Self::model(sources, classes, 0.6, &mut random) }
    }

    fn model(sources: usize, classes: usize, scale: f32, random: &mut Random) -> Stacked {
        let mut list = |n| random.list(n, -0.5 * scale, 0.5 * scale);
        let (weights, bias) = (list(sources * classes * classes), list(classes));
        Stacked::new(sources, classes, weights, bias).expect("a sound model")
    }

    fn at(&self, engine: &Engine) -> consilience::Result<Objective> {
        LabelledLoss::new(engine, &self.problem.evidence(), &self.labels)?.at(&self.model)
    }

    fn oracle(&self) -> Oracle {
        let evidence = self.problem.evidence();
        let (n, c) = (evidence.sources(), evidence.classes());
        let a = |source: usize, k: usize, j: usize| f64::from(self.model.weights()[(source * c + k) * c + j]);
        let mut sums = vec![Near::default(); 1 + n * c * c + c];
        let mut p = vec![0.0; c];
        for (item, label) in self.labels.iter().enumerate() {
            let Some(label) = *label else { continue };
            let mut x = vec![0.0; n * c];
            for source in 0..n {
                if evidence.opinion(source, item, &mut p).expect("valid") == Answer::Given {
                    let logs = p.iter().map(|&p| f64::from(p).clamp(1e-7, 1.0).ln());
                    x[source * c..][..c].iter_mut().zip(logs).for_each(|(x, log)| *x = log);
                }
            }
            let mut z: Vec<f64> = self.model.bias().iter().map(|&b| f64::from(b)).collect();
            let mut sizes: Vec<f64> = z.iter().map(|z| z.abs()).collect();
            for k in 0..c {
                for source in 0..n {
                    for j in 0..c {
                        z[k] += a(source, k, j) * x[source * c + j];
                        sizes[k] += (a(source, k, j) * x[source * c + j]).abs();
                    }
                }
            }
            let error = PROBABILITY + RELATIVE * sizes.iter().copied().fold(0.0, f64::max);
            let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = z.iter().map(|z| (z - most).exp()).sum();
            sums[0].add(sum.ln() + most - z[label as usize], error);
            for k in 0..c {
                let r = (z[k] - most).exp() / sum - if k == label as usize { 1.0 } else { 0.0 };
                sums[1 + n * c * c + k].add(r, error);
                for source in 0..n {
                    for j in 0..c {
                        let x = x[source * c + j];
                        sums[1 + (source * c + k) * c + j].add(r * x, error * x.abs());
                    }
                }
            }
        }
        Oracle(sums)
    }
}

fn numbers(answer: &Objective) -> impl Iterator<Item = f64> {
    [answer.value].into_iter().chain(answer.weights.iter().copied()).chain(answer.bias.iter().copied())
}

fn bits(answer: &Objective) -> Vec<u64> {
    numbers(answer).map(f64::to_bits).collect()
}

impl Oracle {
    /// The first number that is off by more than it may, and how many there are.
    fn against(&self, got: &Objective, first: &Objective) -> Result<(), String> {
        assert_eq!(numbers(got).count(), self.0.len());
        let mut wrong = Vec::new();
        for (place, ((got, first), want)) in numbers(got).zip(numbers(first)).zip(&self.0).enumerate() {
            let tolerance = want.tolerance();
            // A NaN is near nothing.
            let is_near = |x: f64| (got - x).abs() <= tolerance;
            if !is_near(want.value) || !is_near(first) {
                wrong.push(format!("{place} is {got}, not {} +- {tolerance:e} ({first} elsewhere)", want.value));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(format!("{} wrong: {}", wrong.len(), wrong[0])) }
    }
}

/// All executors on one case: the first difference.
fn difference(case: &Case) -> Result<(), String> {
    let oracle = case.oracle();
    let first = case.at(&engines::all()[0].1).map_err(|error| error.to_string())?;
    for (name, engine) in engines::all() {
        let shape = (case.problem.planes.len(), case.problem.items(), case.problem.classes);
        let got = case.at(engine).map_err(|error| format!("{name}, {shape:?}: {error}"))?;
        oracle.against(&got, &first).map_err(|difference| format!("{name}, {shape:?}: {difference}"))?;
    }
    Ok(())
}

const ITEMS: [usize; 7] = [0, 1, 15, 16, 17, 257, 5000];

#[test]
fn every_number_of_classes_sources_and_items() {
    let mut seen = [false; 65];
    for classes in 1..=20 {
        for (i, items) in ITEMS.into_iter().enumerate() {
            let place = classes * ITEMS.len() + i;
            let sources = place * 37 % 64 + 1;
            seen[sources] = true;
            assert_eq!(difference(&Case::random(sources, items, classes, place as u64)), Ok(()));
        }
    }
    assert!(seen[1..].iter().all(|&seen| seen));
}

/// Where a device changes from one path to the other, and whole sides of its tiles.
#[test]
fn around_the_edges_of_the_paths() {
    for (sources, classes) in [
        (1023, 1),
        (1024, 1),
        (8191, 1),
        (8192, 1),
        (511, 2),
        (512, 2),
        (15, 16),
        (16, 16),
        (111, 16),
        (112, 16),
        (1, 17),
        (50, 20),
        (51, 20),
        (11, 32),
        (12, 32),
        (1, 33),
        (1, 63),
        (1, 64),
        (1, 65),
        (2, 128),
        (3, 129),
        (1, 300),
    ] {
        for items in [1, 63, 64, 65, 300] {
            let seed = (sources * 1000 + items) as u64;
            assert_eq!(difference(&Case::random(sources, items, classes, seed)), Ok(()));
        }
    }
}

/// Runs of more than one group, and blocks of more than one run: of few parameters there are 256 blocks, of 600 x 601 two.
#[test]
fn many_runs() {
    for (sources, items, classes) in [(1, 270_003, 2), (2, 20_003, 18), (1, 20_003, 40), (1, 2_100, 600)] {
        assert_eq!(difference(&Case::random(sources, items, classes, 5)), Ok(()));
    }
}

#[test]
fn items_without_a_label_add_nothing() {
    for items in ITEMS {
        for (sources, classes) in [(3, 4), (2, 40)] {
            let mut case = Case::random(sources, items, classes, 3);
            case.labels.fill(None);
            for (name, engine) in engines::all() {
                let got = case.at(engine).expect("valid");
                assert!(numbers(&got).all(|x| x == 0.0), "{name}: {items} items, {got:?}");
            }
            let Some(item) = items.checked_sub(1) else { continue };
            case.labels[item] = Some(1);
            assert_eq!(difference(&case), Ok(()));
        }
    }
}

#[test]
fn the_most_parameters_and_no_more() {
    for (sources, classes) in [(1, 2047), (64, 255), (16_383, 16)] {
        assert_eq!(difference(&Case::random(sources, 17, classes, 9)), Ok(()));
    }
    for (sources, classes) in [(1, 2048), (65, 255), (16_384, 16)] {
        let problem = Problem::mixed(sources, 1, classes, 1);
        for (name, engine) in engines::all() {
            let error = LabelledLoss::new(engine, &problem.evidence(), &[Some(0)]).expect_err("too many");
            let why =
                format!("{sources} sources x {classes} x {classes} weights are more than the 4194304 a fit takes on");
            assert!(error.is_fit() && error.to_string() == why, "{name}: {error}");
        }
    }
}

#[test]
fn weights_of_any_size() {
    for (sources, classes) in [(3, 4), (2, 40)] {
        for scale in [0.0, 1e-30, 1e4, 1e30] {
            let mut case = Case::random(sources, 100, classes, 4);
            case.model = Case::model(sources, classes, scale, &mut Random::new(2));
            assert_eq!(difference(&case), Ok(()), "{scale}");
        }
    }
}

#[test]
fn a_label_that_is_another_is_seen() {
    let mut case = Case::random(8, 5000, 10, 6);
    let (oracle, labelled) = (case.oracle(), case.labels.iter().rposition(Option::is_some).expect("a labelled item"));
    case.labels[labelled] = case.labels[labelled].map(|label| (label + 1) % 10);
    for (name, engine) in engines::all() {
        let got = case.at(engine).expect("valid");
        assert!(oracle.against(&got, &got).is_err(), "{name}");
    }
}

/// The bits depend neither on what else the device does nor on how much of it may be used.
#[test]
fn bits_are_those_of_the_shape_alone() {
    for (sources, classes) in [(4, 10), (2, 40)] {
        let case = Case::random(sources, 5000, classes, 8);
        let evidence = case.problem.evidence();
        for (name, engine) in engines::all() {
            let want = bits(&case.at(engine).expect("valid"));
            let mut loss = LabelledLoss::new(engine, &evidence, &case.labels).expect("valid");
            let mut other = LabelledLoss::new(engine, &evidence, &vec![Some(0); 5000]).expect("valid");
            for _ in 0..3 {
                assert_ne!(bits(&other.at(&case.model).expect("valid")), want, "{name}");
                engine.fuse(&Fusion::default(), &evidence).expect("valid");
                assert_eq!(bits(&loss.at(&case.model).expect("valid")), want, "{name}");
            }
        }
        let Some((_, engine)) = engines::all().iter().find(|(name, _)| name == "gpu") else { continue };
        let want = bits(&case.at(engine).expect("valid"));
        let at = |budget| case.at(&engines::gpu(Some(budget)).expect("there is one"));
        let least = match at(1).expect_err("no room").kind() {
            ErrorKind::Device(DeviceError::FitTooLarge { needed, allowed: 1 }) => *needed,
            other => panic!("{other}"),
        };
        for budget in [least, least + least / 8, 2 * least, 4 * least] {
            assert_eq!(bits(&at(budget).expect("room")), want, "{budget} bytes");
        }
        assert!(at(least - 1).expect_err("no room").is_device());
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let case = Case::random(2, 20, 3, 1);
    let evidence = case.problem.evidence();
    for (name, engine) in engines::all() {
        let refused = |labels: &[Option<u32>]| LabelledLoss::new(engine, &evidence, labels).expect_err("refused");
        let error = refused(&case.labels[1..]);
        assert!(error.is_shape() && error.to_string().contains("19 entries"), "{name}: {error}");
        let mut labels = case.labels.clone();
        labels[7] = Some(3);
        let error = refused(&labels);
        assert!(error.is_label() && error.to_string().contains("the label of item 7 is 3"), "{name}: {error}");
        let mut loss = LabelledLoss::new(engine, &evidence, &case.labels).expect("valid");
        let error = loss.at(&Case::model(3, 3, 1.0, &mut Random::new(1))).expect_err("another shape");
        assert!(error.is_shape() && error.to_string().contains("the list of sources"), "{name}: {error}");
    }
}
