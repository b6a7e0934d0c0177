//! Complexity scores of texts, as literals.

use std::time::{Duration, Instant};

use consilience::orchestration::router::Complexity;
use proptest::prelude::*;

#[test]
fn scores_are_the_sums_they_are_said_to_be() {
    for (text, words, sentences, question, code, math, score) in [
        ("", 0, 0, false, false, false, 0.0),
        (" \t\n", 0, 0, false, false, false, 0.0),
        ("...", 0, 0, false, false, false, 0.0),
        ("hello", 1, 1, false, false, false, 0.11),
        ("One. Two! Three? Four.", 4, 3, true, false, false, 0.54),
        ("pi is 3.14 or so.", 5, 1, false, false, false, 0.15),
        ("He said \"Stop!\" and left", 5, 2, false, false, false, 0.25),
        ("为什么？因为。", 1, 2, true, false, false, 0.41),
        ("is `x` set", 3, 1, false, true, false, 0.43),
        ("what is 2 + 2", 4, 1, false, false, true, 0.34),
        ("why is x^2 = `y`?", 4, 1, true, true, true, 0.84),
    ] {
        let found = Complexity::of(text);
        assert_eq!(found, Complexity { words, sentences, question, code, math }, "{text}");
        assert_eq!(found.score(), score, "{text}");
    }
}

#[test]
fn the_largest_score_is_that_of_everything_at_once() {
    let text = "Why is `x` a = b? ".repeat(30);
    let found = Complexity::of(&text);
    assert_eq!(found, Complexity { words: 30, sentences: 3, question: true, code: true, math: true });
    assert_eq!(found.score(), Complexity::MOST);
    assert_eq!(Complexity { words: u32::MAX, sentences: u32::MAX, ..found }.score(), Complexity::MOST);
}

#[test]
fn code_is_told_from_words() {
    for code in [
        "a::b",
        "f() fails",
        "x -> y",
        "if a == b",
        "{\n",
        "let x = 1;\nrest",
        "def f",
        "see\n\tdef f",
        "#include <a>",
        "  fn f",
        "</p>",
        "a || b",
        "}",
    ] {
        assert!(Complexity::of(code).code, "{code}");
    }
    for words in ["a: b; c", "the function of the class is to return", "a - b", "f(x)", "either/or", "a | b", "#1 {a}."]
    {
        assert!(!Complexity::of(words).code, "{words}");
    }
}

#[test]
fn mathematics_is_told_from_words() {
    for math in ["∑ x", "x ≤ y", "3×4", "area πr", "\\frac{1}{2}", "1+1", "a = 3", "2 ^ 10", "f(x) = (y)", "n*m"]
    {
        assert!(Complexity::of(math).math, "{math}");
    }
    for words in ["C++ and C#", "2020-2024", "10/12", "name=value", "**bold**", "a == b", "+1", "x_1=_", "é=1", "café"]
    {
        assert!(!Complexity::of(words).math, "{words}");
    }
}

#[test]
fn ten_megabytes_are_read_in_no_time() {
    for unit in ["word ", "= ", " ", "é", "\n", "+", "a"] {
        let text = unit.repeat(10_000_000 / unit.len());
        let mut score = 0.0;
        let mut quick = |_| {
            let began = Instant::now();
            score = Complexity::of(&text).score();
            began.elapsed() < Duration::from_secs(1)
        };
        // Milliseconds; one second in one try of ten leaves room for a busy machine and a slow build.
        assert!((0..10).any(&mut quick), "{unit:?}");
        assert!(score <= 0.6, "{unit:?}: {score}");
    }
}

proptest! {
    #[test]
    fn scores_are_between_zero_and_the_largest(text in "([a-z]{1,5}|[ .?!`=+*^;{}]|[0-9]|\\PC|\n){0,80}") {
        let found = Complexity::of(&text);
        let part = |holds: bool, value: f64| if holds { value } else { 0.0 };
        let exact = (f64::from(found.words) / 100.0).min(0.3)
            + part(found.question, 0.2)
            + part(found.code, 0.3)
            + part(found.math, 0.2)
            + (0.1 * f64::from(found.sentences)).min(0.3);
        prop_assert!((found.score() - exact).abs() < 1e-12);
        prop_assert!((0.0..=Complexity::MOST).contains(&found.score()));
        prop_assert_eq!(found.question, text.chars().any(|c| matches!(c, '?' | '？' | '؟')));
    }
}
