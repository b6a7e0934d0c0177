//! Distributions over nine digits: random ones of every sort, and what is said of them, in f64.

use consilience::beam::Beams;

use super::problem::Random;

/// Random distributions of every sort: flat, peaked, certain, with zeros, not summing to one. [9, B].
pub fn random(items: usize, random: &mut Random) -> Vec<f32> {
    let mut planes = vec![0.0; 9 * items];
    for item in 0..items {
        let (sort, peak, scale) = (random.below(5), random.below(9), 10_f32.powf(8.0 * random.unit() - 4.0));
        for digit in 0..9 {
            let x = random.unit();
            planes[digit * items + item] = scale
                * match sort {
                    0 => 1.0,
                    1 => x,
                    2 => x.powi(8) + if digit == peak { 1.0 } else { 0.0 },
                    3 => f32::from(u8::from(digit == peak)),
                    _ => {
                        if x < 0.5 && digit != peak {
                            0.0
                        } else {
                            x + 0.1
                        }
                    }
                };
        }
    }
    planes
}

/// Random beams at random positions.
pub fn beams(items: usize, random: &mut Random) -> Beams {
    let mut digits = self::random(items, random);
    for i in 0..items {
        let of_one = normalised(item(&digits, i));
        (0..9).for_each(|digit| digits[digit * items + i] = of_one[digit] as f32);
    }
    let (values, confidence) = (random.list(3 * items, 0.0, 9.0), random.list(items, 0.0, 1.0));
    let position: Vec<u32> = (0..items).map(|_| random.below(10) as u32).collect();
    Beams::new(&digits, &values, &confidence, &position).expect("beams")
}

/// An item's digits.
pub fn item(planes: &[f32], item: usize) -> [f32; 9] {
    let items = planes.len() / 9;
    std::array::from_fn(|digit| planes[digit * items + item])
}

/// So many items from a place on, as planes of their own.
pub fn cut(planes: &[f32], first: usize, len: usize) -> Vec<f32> {
    planes.chunks_exact((planes.len() / 9).max(1)).flat_map(|plane| &plane[first..first + len]).copied().collect()
}

/// Divided by their sum.
pub fn normalised(x: [f32; 9]) -> [f64; 9] {
    let sum: f64 = x.iter().map(|x| f64::from(*x)).sum();
    x.map(|x| f64::from(x) / sum)
}

/// -sum p ln p.
pub fn entropy(p: &[f64]) -> f64 {
    p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum()
}

/// The cosine of the angle between two.
pub fn cosine(a: [f32; 9], b: [f32; 9]) -> f64 {
    let (a, b) = (normalised(a), normalised(b));
    let dot = |a: &[f64; 9], b: &[f64; 9]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}

/// Whether a value is what it should be.
pub fn near(got: f32, want: f64, within: f64) -> bool {
    (f64::from(got) - want).abs() <= within
}

#[test]
fn helpers_see_a_poisoned_value() {
    assert!(near(0.5, 0.5 + 1e-9, 1e-8) && !near(0.5, 0.6, 0.01) && !near(f32::NAN, 0.5, 1.0));
    assert_eq!(normalised([2.0, 6.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])[..3], [0.25, 0.75, 0.0]);
    assert_eq!(entropy(&[0.5, 0.5, 0.0]), std::f64::consts::LN_2);
    let one_of = |digit: usize| std::array::from_fn(|k| if k == digit { 3.0 } else { 0.0 });
    assert_eq!((cosine(one_of(1), one_of(1)), cosine(one_of(1), one_of(2))), (1.0, 0.0));
    let planes: Vec<f32> = (0..27_u8).map(f32::from).collect();
    assert_eq!(item(&planes, 2), [2.0, 5.0, 8.0, 11.0, 14.0, 17.0, 20.0, 23.0, 26.0]);
    assert_eq!(cut(&planes, 1, 2)[..4], [1.0, 2.0, 4.0, 5.0]);
    assert!(random(100, &mut Random::new(1)).iter().all(|x| *x >= 0.0));
}
