//! Decisions under costs against enumeration in f64.

use consilience::Encoding;
use consilience::decision::{Ask, Candidate, Choice, CostMatrix};
use proptest::prelude::*;

use super::calibration::{refuses, saved};
use crate::support::cases::config;
use crate::support::problem::{Problem, Random};

/// Costs, a posterior of some items and candidates, owned.
#[derive(Debug, Clone)]
struct Case {
    classes: usize,
    decisions: usize,
    costs: Vec<f64>,
    reject: Option<f64>,
    posterior: Vec<f32>,
    /// Answers, confusion matrix, price.
    candidates: Vec<(usize, Vec<f64>, f64)>,
}

impl Case {
    fn random(classes: usize, decisions: usize, sources: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let rows = |items, columns, seed| {
            Problem::random(Encoding::Probabilities, 1, items, columns, seed).planes[0].f32s().to_vec()
        };
        let costs = (0..classes * decisions).map(|_| f64::from(random.unit()) * 4.0 - 1.0).collect();
        let reject = (random.unit() < 0.5).then(|| f64::from(random.unit()) * 2.0 - 0.5);
        let candidate = |source: usize| {
            let answers = 1 + random.below(5);
            let confusion = rows(classes, answers, seed ^ (source as u64 + 1));
            let row = |row: &[f32]| {
                let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
                row.iter().map(|&p| f64::from(p) / sum).collect::<Vec<_>>()
            };
            (answers, confusion.chunks(answers).flat_map(row).collect(), 0.1 * f64::from(random.unit()))
        };
        let candidates = (0..sources).map(candidate).collect();
        Self { classes, decisions, costs, reject, posterior: rows(6, classes, seed), candidates }
    }

    fn matrix(&self) -> CostMatrix {
        let matrix = CostMatrix::new(self.classes, self.decisions, &self.costs).expect("costs");
        self.reject.map_or(matrix.clone(), |cost| matrix.with_reject(cost).expect("a cost"))
    }

    fn sources(&self) -> Vec<Candidate> {
        let source = |(answers, confusion, price): &(usize, Vec<f64>, f64)| {
            Candidate::new(self.classes, *answers, confusion, *price).expect("a confusion matrix")
        };
        self.candidates.iter().map(source).collect()
    }

    /// The expected cost of every option under a distribution, that of rejecting last.
    fn options(&self, p: &[f64]) -> Vec<f64> {
        let of = |d: usize| (0..self.classes).map(|y| p[y] * self.costs[y * self.decisions + d]).sum();
        (0..self.decisions).map(of).chain(self.reject).collect()
    }

    fn least(&self, p: &[f64]) -> f64 {
        self.options(p).into_iter().fold(f64::INFINITY, f64::min)
    }

    /// The value of an answer: over the answers, each posterior by Bayes' rule.
    fn value(&self, p: &[f64], (answers, theta, _): &(usize, Vec<f64>, f64)) -> f64 {
        let mut after = 0.0;
        for a in 0..*answers {
            let of_answer: f64 = (0..self.classes).map(|y| p[y] * theta[y * answers + a]).sum();
            if of_answer > 0.0 {
                let posterior: Vec<f64> =
                    (0..self.classes).map(|y| p[y] * theta[y * answers + a] / of_answer).collect();
                after += of_answer * self.least(&posterior);
            }
        }
        self.least(p) - after
    }

    fn rows(&self) -> impl Iterator<Item = (&[f32], Vec<f64>)> {
        self.posterior.chunks(self.classes).map(|row| {
            let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
            (row, row.iter().map(|&p| f64::from(p) / sum).collect())
        })
    }
}

prop_compose! {
    fn cases()(classes in 1..6_usize, decisions in 1..6_usize, sources in 0..4_usize, seed: u64) -> Case {
        Case::random(classes, decisions, sources, seed)
    }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn no_option_is_cheaper(case in cases()) {
        let matrix = case.matrix();
        let choices = matrix.decide_all(&case.posterior).expect("distributions");
        for ((row, p), choice) in case.rows().zip(choices) {
            prop_assert_eq!(matrix.decide(row).expect("a row"), choice);
            let options = case.options(&p);
            let chosen = choice.decision.map_or(case.decisions, |d| d as usize);
            prop_assert!((options[chosen] - choice.expected_cost).abs() < 1e-12, "{:?} of {:?}", choice, options);
            prop_assert!((case.least(&p) - choice.expected_cost).abs() < 1e-12, "{:?} of {:?}", choice, options);
        }
    }

    #[test]
    fn asking_is_worth_what_enumeration_says(case in cases()) {
        let (matrix, sources) = (case.matrix(), case.sources());
        let values = matrix.values_of_asking(&case.posterior, &sources).expect("distributions");
        let asks = matrix.next_to_ask(&case.posterior, &sources).expect("distributions");
        prop_assert_eq!((values.len(), asks.len()), (6 * sources.len(), 6));
        for (item, (row, p)) in case.rows().enumerate() {
            let mut best = 0.0_f64;
            for (n, source) in sources.iter().enumerate() {
                let (got, want) = (values[item * sources.len() + n], case.value(&p, &case.candidates[n]));
                prop_assert!(got >= 0.0 && (got - want).abs() < 1e-12, "{} not {}", got, want);
                prop_assert_eq!(matrix.value_of_asking(row, source).expect("a row"), got);
                best = best.max(want - case.candidates[n].2);
            }
            let net = asks[item].map_or(0.0, |ask| ask.net);
            prop_assert!((net - best).abs() < 1e-12 && asks[item].is_none_or(|ask| ask.net > 0.0), "{} not {}", net, best);
            if let Some(Ask { candidate, value, net }) = asks[item] {
                prop_assert_eq!(value, values[item * sources.len() + candidate]);
                prop_assert_eq!(net, value - case.candidates[candidate].2);
            }
        }
    }

    #[test]
    fn saved_and_loaded(case in cases()) {
        prop_assert_eq!(saved(&case.matrix()), case.matrix());
        prop_assert_eq!(saved(&case.sources()), case.sources());
    }
}

#[test]
fn rejecting_where_it_is_cheaper() {
    let costs = CostMatrix::zero_one(2).and_then(|costs| costs.with_reject(0.25)).expect("costs");
    let decide = |row: [f32; 2]| costs.decide(&row).expect("a row");
    // At equal cost it is not rejected.
    assert_eq!(decide([0.25, 0.75]), Choice { decision: Some(1), expected_cost: 0.25 });
    assert_eq!(decide([0.375, 0.625]), Choice { decision: None, expected_cost: 0.25 });
    // Of two decisions at equal cost, the lower one.
    let level = CostMatrix::zero_one(2).expect("costs").decide(&[0.5, 0.5]).expect("a row");
    assert_eq!(level, Choice { decision: Some(0), expected_cost: 0.5 });
    let one = CostMatrix::zero_one(1).expect("costs").decide(&[1.0]).expect("a row");
    assert_eq!(one, Choice { decision: Some(0), expected_cost: 0.0 });
}

#[test]
fn a_row_within_the_tolerance_counts_as_normalised() {
    let costs = CostMatrix::new(2, 2, &[-8.0, 0.0, 0.0, -8.0]).expect("costs");
    let choice = costs.decide(&[0.500_25, 0.500_25]).expect("within the tolerance");
    assert_eq!(choice.expected_cost, -4.0);
    let coin = Candidate::new(2, 2, &[0.5004, 0.5004, 0.4996, 0.4996], 0.0).expect("within the tolerance");
    assert_eq!(costs.value_of_asking(&[0.500_25, 0.500_25], &coin).expect("a row"), 0.0);
}

#[test]
fn a_better_source_is_worth_more_and_a_dear_one_is_not_asked() {
    let costs = CostMatrix::zero_one(2).expect("costs");
    let source = |right: f64, price| {
        Candidate::new(2, 2, &[right, 1.0 - right, 1.0 - right, right], price).expect("a confusion matrix")
    };
    let values: Vec<f64> = [0.5, 0.75, 0.875, 1.0]
        .iter()
        .map(|&right| costs.value_of_asking(&[0.625, 0.375], &source(right, 0.0)).expect("a row"))
        .collect();
    assert_eq!(values, [0.0, 0.125, 0.25, 0.375]);
    let next = |sources: &[Candidate]| costs.next_to_ask(&[0.625, 0.375], sources).expect("a row")[0];
    let ask = next(&[source(0.75, 0.0), source(1.0, 0.3125), source(0.875, 0.0625)]);
    assert_eq!(ask, Some(Ask { candidate: 2, value: 0.25, net: 0.1875 }));
    let tied = next(&[source(0.875, 0.125), source(0.75, 0.0)]);
    assert_eq!(tied.map(|ask| ask.candidate), Some(0), "the lower one of two");
    assert_eq!(next(&[source(0.75, 0.125), source(0.5, 0.0)]), None, "a price as high as the value is too high");
    assert_eq!(next(&[]), None);
}

#[test]
fn what_is_refused() {
    let says = |error: Option<consilience::Error>, text: &str| {
        let error = error.expect("this must be refused").to_string();
        assert!(error.contains(text), "{error}");
    };
    let matrix = |classes, decisions, costs: &[f64]| CostMatrix::new(classes, decisions, costs).err();
    says(matrix(0, 2, &[]), "the number of classes is 0, it must be at least one");
    says(matrix(2, 0, &[]), "the number of decisions is 0");
    says(matrix(usize::MAX, 2, &[]), "the number of classes is");
    says(matrix(2, 2, &[0.0; 3]), "the cost matrix has 3 entries, 4 are needed");
    let nan = matrix(2, 3, &[0.0, 0.0, 0.0, 0.0, 0.0, f64::NAN]);
    says(nan, "the cost of decision 2 where class 1 is true is NaN, it must be a number in [-1e30, 1e30]");
    says(matrix(1, 1, &[f64::INFINITY]), "is inf");
    says(CostMatrix::zero_one(0).err(), "the number of classes is 0");
    says(CostMatrix::zero_one(usize::MAX).err(), "at most 4096");
    let costs = CostMatrix::zero_one(2).expect("costs");
    says(costs.clone().with_reject(f64::NAN).err(), "the cost of rejecting is NaN");
    says(costs.decide(&[0.5]).err(), "a row has 1 entries, 2 are needed");
    says(costs.decide(&[f32::NAN, 0.5]).err(), "item 0, class 0: NaN is no probability");
    says(costs.decide_all(&[0.5, 0.5, 0.5, 0.75]).err(), "item 1: the probabilities sum to 1.25");
    says(costs.decide_all(&[0.5; 3]).err(), "no multiple of 2 classes");

    let candidate = |answers, confusion: &[f64], price| Candidate::new(2, answers, confusion, price).err();
    says(candidate(0, &[], 0.0), "the number of answers is 0");
    says(candidate(2, &[0.5; 3], 0.0), "the confusion matrix has 3 entries, 4 are needed");
    says(candidate(2, &[0.5, 0.5, 0.5, f64::NAN], 0.0), "the probability of answer 1 where class 1 is true is NaN");
    says(candidate(2, &[1.5, -0.5, 0.5, 0.5], 0.0), "the probability of answer 1 where class 0 is true is -0.5");
    says(candidate(2, &[0.5, 0.5, 0.5, 0.25], 0.0), "row 1 is 0.75, it must be 1 within 0.001");
    says(candidate(2, &[0.5; 4], -1.0), "the price of asking is -1");
    says(candidate(2, &[0.5; 4], f64::NAN), "the price of asking is NaN");
    let three = Candidate::new(3, 1, &[1.0; 3], 0.0).expect("a confusion matrix");
    let text = "the list of classes of a candidate has 3 entries, 2 are needed";
    says(costs.value_of_asking(&[0.5, 0.5], &three).err(), text);
    says(costs.next_to_ask(&[0.5, 0.5], std::slice::from_ref(&three)).err(), text);
    says(costs.value_of_asking(&[0.5, 0.75], &three).err(), "sum to 1.25");

    let cases = [
        ("\"decisions\":2", "\"decisions\":3", "has 4 entries, 6 are needed"),
        ("\"reject\":null", "\"reject\":1e31", "the cost of rejecting is"),
    ];
    refuses(&costs, &cases);
    refuses(&three, &[("[1.0,1.0,1.0]", "[1.0,1.0,0.5]", "row 2 is 0.5")]);
}
