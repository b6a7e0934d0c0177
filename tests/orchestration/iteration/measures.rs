//! How alike thoughts are, by definition.

use consilience::orchestration::iteration::{opinion_similarity, word_similarity};
use proptest::prelude::*;

/// Entropy of the middle less the mean entropy, in bits: another way to the same divergence.
fn by_entropies(p: &[f32], q: &[f32]) -> f64 {
    let entropy = |row: Vec<f64>| -> f64 { row.iter().filter(|x| **x > 0.0).map(|x| -x * x.log2()).sum() };
    let wide = |row: &[f32]| row.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
    let middle = p.iter().zip(q).map(|(p, q)| (f64::from(*p) + f64::from(*q)) / 2.0).collect();
    1.0 - entropy(middle) + (entropy(wide(p)) + entropy(wide(q))) / 2.0
}

fn distribution() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(prop_oneof![1 => Just(0.0_f32), 3 => 0.0_f32..1.0], 5)
        .prop_filter("some mass", |row| row.iter().sum::<f32>() > 0.1)
        .prop_map(|row| row.iter().map(|x| x / row.iter().sum::<f32>()).collect())
}

proptest! {
    #[test]
    fn similarity_of_opinions_is_by_entropies(p in distribution(), q in distribution()) {
        let similarity = opinion_similarity(&p, &q);
        prop_assert!((similarity - by_entropies(&p, &q)).abs() < 1e-6);
        prop_assert_eq!(similarity, opinion_similarity(&q, &p));
        prop_assert_eq!(opinion_similarity(&p, &p), 1.0);
    }
}

#[test]
fn a_class_that_one_lacks_has_no_probability_in_it() {
    assert_eq!(opinion_similarity(&[1.0], &[1.0, 0.0]), 1.0);
    assert_eq!(opinion_similarity(&[1.0], &[0.0, 1.0]), 0.0);
    assert_eq!(opinion_similarity(&[], &[]), 1.0);
}

#[test]
fn words_are_shared_or_not() {
    for (a, b, want) in [
        ("", "", 1.0),
        ("...", "", 1.0),
        ("a cat", "", 0.0),
        ("A cat, a CAT!", "cat a", 1.0),
        ("été 2024", "Été 2025", 1.0 / 3.0),
        ("one two three", "two three four five", 0.4),
    ] {
        assert_eq!(word_similarity(a, b), want, "{a} | {b}");
        assert_eq!(word_similarity(b, a), want, "{b} | {a}");
    }
}
