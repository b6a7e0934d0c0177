//! The full beam path on every executor against f64.

mod pooling;

use consilience::Engine;
use consilience::beam::{Beams, Channels, Fuse, GRADIENT, Map, fuse, fuse_into};

use crate::support::beams::{self, entropy, near};
use crate::support::engines;
use crate::support::problem::Random;

/// Nearer than this to a border a position may fall to either side, and nearer than the masses' rounding over their sum.
const BORDER: f64 = 1e-5;

/// One beam in f64, by the definition.
struct Oracle {
    digits: [f64; 9],
    values: [f64; 3],
    confidence: f64,
    agreement: f64,
    /// The position, and how far the nearest border is.
    position: (u32, f64),
}

fn oracle(how: Map, weights: [f32; 3], channels: [[f32; 9]; 3]) -> Oracle {
    let total: f64 = weights.iter().map(|w| f64::from(*w)).sum();
    let weights = weights.map(|w| f64::from(w) / total);
    let d = channels.map(beams::normalised);
    let digits: [f64; 9] = std::array::from_fn(|k| (0..3).map(|c| weights[c] * d[c][k]).sum());
    let entropies = d.map(|d| entropy(&d));
    let masses = entropies.map(|h| 1.0 - h / 9_f64.ln());
    let confidence = masses.iter().sum::<f64>() / 3.0;
    let divergence = entropy(&digits) - (0..3).map(|c| weights[c] * entropies[c]).sum::<f64>();
    let shares = masses.map(|m| m / masses.iter().sum::<f64>());
    let position = match how {
        Map::LabelMean => {
            let mean = 3.0 * shares[0] + 6.0 * shares[1] + 9.0 * shares[2];
            ((mean + 0.5).floor() as u32, ((mean + 0.5).fract() - 0.5).abs().mul_add(-1.0, 0.5))
        }
        Map::Gradient => gradient(shares, confidence),
    };
    let values = masses.map(|m| 9.0 * m);
    Oracle { digits, values, confidence, agreement: 1.0 - divergence / 3_f64.ln(), position }
}

fn gradient(shares: [f64; 3], confidence: f64) -> (u32, f64) {
    let mut order = [0, 1, 2];
    order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]).then(a.cmp(&b)));
    let [first, second, third] = order;
    let balance = shares.iter().map(|s| (s - 1.0 / 3.0).abs()).fold(0.0, f64::max) - 0.05;
    let dominance = shares[first] - 0.7;
    let position = if balance <= 0.0 {
        0
    } else if dominance > 0.0 {
        [3, 9, 6][first]
    } else {
        GRADIENT[first][second][usize::from(confidence > 0.6)]
    };
    let apart = [shares[first] - shares[second], shares[second] - shares[third], confidence - 0.6, balance, dominance];
    (position, apart.into_iter().map(f64::abs).fold(1.0, f64::min))
}

/// Random channels of every sort.
fn random(items: usize, seed: u64) -> [Vec<f32>; 3] {
    let mut random = Random::new(seed);
    std::array::from_fn(|_| beams::random(items, &mut random))
}

fn check(name: &str, how: Map, weights: [f32; 3], channels: &[Vec<f32>; 3], beams: &Beams) {
    let items = beams.items();
    let mut unsure = 0;
    for item in 0..items {
        let of = |c: usize| std::array::from_fn(|digit| channels[c][digit * items + item]);
        let want = oracle(how, weights, [of(0), of(1), of(2)]);
        for digit in 0..9 {
            let got = beams.digits()[digit * items + item];
            assert!(near(got, want.digits[digit], 3e-7), "{name}, item {item}, digit {digit}: {got}");
        }
        for c in 0..3 {
            let got = beams.values()[c * items + item];
            assert!(near(got, want.values[c], 1.8e-5), "{name}, item {item}, channel {c}: {got}, {}", want.values[c]);
        }
        let (confidence, agreement) = (beams.confidence()[item], beams.agreement()[item]);
        assert!(near(confidence, want.confidence, 2e-6), "{name}, item {item}: {confidence}, {}", want.confidence);
        assert!(near(agreement, want.agreement, 4e-6), "{name}, item {item}: {agreement}, {}", want.agreement);
        if want.position.1 > BORDER + 2e-6 / want.confidence.max(1e-9) {
            assert_eq!(beams.position()[item], want.position.0, "{name}, item {item}");
        } else {
            unsure += 1;
        }
    }
    // Certain channels, and those that know nothing, have shares that are equal, or a mean label of a whole and a half.
    assert!(items < 100 || unsure <= items / 2, "{unsure} of {items} positions are at a border");
}

#[test]
fn the_beam_of_the_design() {
    let ethos = [0.6, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05];
    let logos = [0.2, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05];
    let pathos = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let third = 0.1 / 3.0;
    let digits = [0.266_667, 0.083_333, 0.083_333, 0.05, 0.05, third, third, third, 0.366_667];
    for (name, engine) in engines::all() {
        let channels = Channels::new(&ethos, &logos, &pathos).expect("one item");
        let beams = fuse(engine, &Fuse::default(), &channels).expect("three distributions");
        let all = |got: &[f32], want: &[f64]| {
            got.len() == want.len() && got.iter().zip(want).all(|(&g, &w)| near(g, w, 2e-6))
        };
        assert!(all(beams.values(), &[2.836_272, 0.704_109, 9.0]), "{name}: {:?}", beams.values());
        assert!(all(beams.digits(), &digits), "{name}: {:?}", beams.digits());
        assert!(all(beams.confidence(), &[0.464_459]), "{name}: {:?}", beams.confidence());
        // (3 x .315141 + 6 x .078234 + 9) / 1.393375 = 7.47.
        assert_eq!((beams.position(), beams.agreement()), (&[7][..], &[][..]), "{name}");
    }
}

#[test]
fn masses_of_the_design() {
    let uniform = [1.0 / 9.0; 9];
    let mut halves = [0.0; 9];
    (halves[0], halves[4]) = (0.5, 0.5);
    let mut peaked = [0.0625; 9];
    peaked[7] = 0.5;
    for (name, engine) in engines::all() {
        let channels = Channels::new(&uniform, &halves, &peaked).expect("one item");
        let beams = fuse(engine, &Fuse::default(), &channels).expect("three distributions");
        for (got, want) in beams.values().iter().zip([0.0, 9.0 * 0.684_535, 9.0 * 0.211_338]) {
            assert!(near(*got, want, 9e-6), "{name}: {got}, {want}");
        }
    }
}

#[test]
fn every_number_of_items_around_a_block() {
    for items in [0, 1, 15, 16, 17, 255, 256, 257, 2000] {
        let channels = random(items, items as u64);
        for (how, weights) in [(Map::LabelMean, [1.0; 3]), (Map::Gradient, [0.5, 3.0, 0.0])] {
            for (name, engine) in engines::all() {
                let fuse_how = Fuse::default().map(how).weights(weights).agreement(true);
                let given = Channels::new(&channels[0], &channels[1], &channels[2]).expect("three channels");
                let beams = fuse(engine, &fuse_how, &given).expect("distributions");
                assert_eq!(beams.items(), items);
                check(name, how, weights, &channels, &beams);
            }
        }
    }
}

/// Channels whose shares are given: certainty mixed with ignorance has any mass.
fn of_shares(shares: [f64; 3], confidence: f64) -> [Vec<f32>; 3] {
    shares.map(|share| {
        let mass = (3.0 * confidence * share).min(1.0);
        // The share of certainty whose mass is this one, by bisection.
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle: f64 = (low + high) / 2.0;
            let p: [f64; 9] = std::array::from_fn(|k| (1.0 - middle) / 9.0 + if k == 2 { middle } else { 0.0 });
            if 1.0 - entropy(&p) / 9_f64.ln() < mass { low = middle } else { high = middle }
        }
        (0..9).map(|k| ((1.0 - low) / 9.0 + if k == 2 { low } else { 0.0 }) as f32).collect()
    })
}

#[test]
fn every_case_of_the_gradient_map() {
    for (shares, confidence, position) in [
        ([0.333, 0.333, 0.334], 0.5, 0),
        ([0.37, 0.33, 0.30], 0.3, 0),
        ([0.8, 0.1, 0.1], 0.3, 3),
        ([0.1, 0.8, 0.1], 0.3, 9),
        ([0.1, 0.1, 0.8], 0.3, 6),
        ([0.5, 0.3, 0.2], 0.5, 1),
        ([0.5, 0.3, 0.2], 0.62, 2),
        ([0.5, 0.2, 0.3], 0.5, 2),
        ([0.5, 0.2, 0.3], 0.62, 4),
        ([0.3, 0.5, 0.2], 0.5, 8),
        ([0.2, 0.5, 0.3], 0.5, 7),
        ([0.3, 0.2, 0.5], 0.5, 5),
        ([0.2, 0.3, 0.5], 0.5, 7),
    ] {
        let [e, l, p] = of_shares(shares, confidence);
        for (name, engine) in engines::all() {
            let beams =
                fuse(engine, &Fuse::default().map(Map::Gradient), &Channels::new(&e, &l, &p).expect("one item"));
            assert_eq!(beams.expect("distributions").position(), [position], "{name}: {shares:?}, {confidence}");
        }
    }
}

#[test]
fn channels_that_know_nothing_are_defined() {
    let uniform = [0.25; 9];
    for (name, engine) in engines::all() {
        for (how, position) in [(Map::LabelMean, 6), (Map::Gradient, 0)] {
            let channels = Channels::new(&uniform, &uniform, &uniform).expect("one item");
            let beams = fuse(engine, &Fuse::default().map(how).agreement(true), &channels).expect("distributions");
            assert!(beams.confidence()[0] < 2e-6 && beams.agreement()[0] > 1.0 - 4e-6, "{name}: {beams:?}");
            // Masses are of a rounding's size, so that shares mean nothing unless all are 0.
            if beams.confidence()[0] == 0.0 {
                assert_eq!(beams.position(), [position], "{name}");
            }
        }
    }
}

#[test]
fn what_is_no_distribution_is_named() {
    let items = 700;
    for (value, text) in [
        (f32::NAN, "digit 5 of logos, item 523, is NaN; digits are finite and at least 0"),
        (f32::INFINITY, "digit 5 of logos, item 523, is inf; digits are finite and at least 0"),
        (-0.5, "digit 5 of logos, item 523, is -0.5; digits are finite and at least 0"),
        (3e38, "the digits of logos, item 523, sum to inf; a distribution has a finite sum above 0"),
        (0.0, "the digits of logos, item 523, sum to 0; a distribution has a finite sum above 0"),
    ] {
        let [e, mut l, mut p] = random(items, 3);
        let rest = if value == 3e38 { value } else { 0.0 };
        (0..9).for_each(|digit| l[digit * items + 523] = rest);
        l[4 * items + 523] = value;
        // Another one behind it, in another block.
        p[2 * items + 699] = f32::NAN;
        for (name, engine) in engines::all() {
            let channels = Channels::new(&e, &l, &p).expect("channels of one length");
            let error = fuse(engine, &Fuse::default(), &channels).expect_err("no distribution");
            assert_eq!((error.to_string().as_str(), error.is_beam()), (text, true), "{name}");
        }
    }
}

#[test]
fn lengths_and_weights_that_do_not_fit_are_named() {
    let (nine, ten) = ([1.0; 9], [1.0; 10]);
    let error = Channels::new(&nine, &ten, &nine).expect_err("ten digits");
    assert_eq!(error.to_string(), "logos has 10 entries where 9 are needed");
    assert!(error.is_shape());
    assert!(Channels::new(&ten, &ten, &ten).expect_err("not a multiple of nine").is_shape());
    let channels = Channels::new(&nine, &nine, &nine).expect("one item");
    let (_, engine) = &engines::all()[0];
    for weights in [[0.0; 3], [1.0, f32::NAN, 1.0], [1.0, -1.0, 1.0], [f32::INFINITY, 1.0, 1.0], [3e38; 3]] {
        let error = fuse(engine, &Fuse::default().weights(weights), &channels).expect_err("no weights");
        assert!(error.to_string().starts_with("the weights [") && error.is_beam(), "{error}");
    }
}

#[test]
fn a_beam_has_the_same_bits_in_any_batch() {
    let items = 600;
    let channels = random(items, 5);
    let how = Fuse::default().map(Map::Gradient).agreement(true);
    let bits = |engine: &Engine, items: usize, [e, l, p]: [&[f32]; 3]| {
        let mut beams = Beams::default();
        let timing = fuse_into(engine, &how, &Channels::new(e, l, p).expect("channels"), &mut beams).expect("beams");
        let of = |item: usize| {
            let floats =
                beams.digits().iter().skip(item).step_by(items).chain(beams.values().iter().skip(item).step_by(items));
            let mut bits: Vec<u32> = floats.map(|x| x.to_bits()).collect();
            bits.extend([
                beams.confidence()[item].to_bits(),
                beams.agreement()[item].to_bits(),
                beams.position()[item],
            ]);
            bits
        };
        (timing.chunks, (0..items).map(of).collect::<Vec<_>>())
    };
    let alone =
        |item: usize| channels.each_ref().map(|c| c.iter().skip(item).step_by(items).copied().collect::<Vec<f32>>());
    for (name, engine) in engines::all() {
        let (_, whole) = bits(engine, items, channels.each_ref().map(Vec::as_slice));
        for item in [0, 17, 255, 256, 599] {
            let one = alone(item);
            assert_eq!(bits(engine, 1, one.each_ref().map(Vec::as_slice)).1[0], whole[item], "{name}, item {item}");
        }
        if name == "gpu" {
            // A block of 256 items takes 27 + 9 + 5 + 1 words each, and nine.
            let small = engines::gpu(Some(50_000)).expect("the same device");
            let (chunks, cut) = bits(&small, items, channels.each_ref().map(Vec::as_slice));
            assert_eq!((chunks, cut == whole), (3, true));
        }
    }
}
