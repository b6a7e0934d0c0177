//! GLAD: at the end of a fit the posterior is the formula's, and nothing near it is better.

use consilience::truth::{Annotations, Glad, Known};

use super::{Told, agree};
use crate::algorithms::truth::Naive;
use crate::support::annotated::Annotated;

/// The posterior of items and the objective, by the formula.
fn naive(glad: &Glad, crowd: &Annotated, told: &Told, alpha: &[f64], easiness: &[f64]) -> (Vec<Vec<f64>>, f64) {
    let classes = crowd.classes as f64;
    let right = |alpha: f64, beta: f64| 1.0 / (1.0 + (-alpha * beta).exp());
    let (mut objective, mut posterior) = (0.0, Vec::new());
    for (item, votes) in crowd.table().iter().enumerate() {
        let of = |class: usize| {
            let of = |&(source, label): &(usize, usize)| {
                let p = right(alpha[source], easiness[item]);
                if label == class { p } else { (1.0 - p) / (classes - 1.0) }
            };
            let possible = told.class(item).is_none_or(|known| known == class);
            if possible { votes.iter().map(of).product::<f64>() / classes } else { 0.0 }
        };
        let joint: Vec<f64> = (0..crowd.classes).map(of).collect();
        let all: f64 = joint.iter().sum();
        objective += all.ln() - ((easiness[item].ln() - glad.easiness[0]) / glad.easiness[1]).powi(2) / 2.0;
        posterior.push(joint.iter().map(|p| p / all).collect());
    }
    for (source, &alpha) in alpha.iter().enumerate() {
        let [often, seldom] = told.before(source, [0.0; 2]);
        let p = right(alpha, glad.easiness[0].exp());
        objective += often * p.ln() + seldom * (1.0 - p).ln();
        objective -= ((alpha - glad.skill[0]) / glad.skill[1]).powi(2) / 2.0;
    }
    (posterior, objective)
}

#[test]
fn a_fit_is_a_maximum_of_the_posterior_of_skills_and_easiness() {
    for (labels, sources, classes, seed) in [(200, 8, 2, 1), (150, 10, 4, 2), (25, 9, 3, 4)] {
        let crowd = Annotated::crowd(labels, sources, classes, seed);
        for told in [Told::default(), Told::of(&crowd)] {
            let (skill, easiness) = ([0.8, 1.2], [0.4, 0.7]);
            let glad = Glad { skill, easiness, max_iterations: 5000, tolerance: 0.0 };
            let fit = glad.fit_with(&crowd.annotations(), &told.known()).expect("a fit");
            let (mut alpha, mut beta) = (fit.skill().to_vec(), fit.easiness().expect("it finds that").to_vec());
            let (posterior, objective) = naive(&glad, &crowd, &told, &alpha, &beta);
            agree("glad", &fit, &Naive { posterior, skill: alpha.clone(), objective });
            let height = |alpha: &[f64], beta: &[f64]| naive(&glad, &crowd, &told, alpha, beta).1;
            for source in 0..alpha.len() {
                let at = alpha[source];
                let sides = [-1e-4, 1e-4].map(|step| {
                    alpha[source] = at + step;
                    height(&alpha, &beta)
                });
                alpha[source] = at;
                let slope = (sides[1] - sides[0]) / 2e-4;
                assert!(slope.abs() < 1e-3, "seed {seed}: source {source} at {at} rises by {slope}");
            }
            for item in (0..beta.len()).step_by(3) {
                let at = beta[item];
                let sides = [-1e-4_f64, 1e-4].map(|step| {
                    beta[item] = at * step.exp();
                    height(&alpha, &beta)
                });
                beta[item] = at;
                let slope = (sides[1] - sides[0]) / 2e-4;
                assert!(slope.abs() < 1e-3, "seed {seed}: item {item} of ease {at} rises by {slope}");
            }
        }
    }
}

#[test]
fn every_iteration_raises_the_objective() {
    for seed in 0..4 {
        let crowd = Annotated::crowd(400, 20, 4, seed);
        // A prior that says little, so that steps are long.
        for glad in [Glad::default(), Glad { skill: [0.0, 30.0], easiness: [2.0, 5.0], ..Glad::default() }] {
            let glad = Glad { tolerance: 0.0, max_iterations: 60, ..glad };
            let fit = glad.fit(&crowd.annotations()).expect("a fit");
            for pair in fit.objective().windows(2) {
                assert!(pair[1] >= pair[0] - 1e-12 * pair[0].abs(), "fell from {} to {}", pair[0], pair[1]);
            }
            assert!(fit.objective()[fit.objective().len() - 1] > fit.objective()[0] + 1.0);
        }
    }
}

#[test]
fn a_fit_goes_on_from_another() {
    let annotations = Annotated::crowd(500, 20, 3, 5).annotations();
    let glad = Glad { tolerance: 1e-8, max_iterations: 2000, ..Glad::default() };
    let cold = glad.fit(&annotations).expect("a fit");
    let warm = glad.fit_with(&annotations, &Known { warm: Some(&cold), ..Known::default() }).expect("a fit");
    assert!(warm.iterations() < cold.iterations(), "{} {}", warm.iterations(), cold.iterations());
    assert_eq!(warm.decision(), cold.decision());
}

#[test]
fn hard_items_are_found() {
    // Six that always agree, but on every fourth item.
    let items: Vec<u32> = (0..40).flat_map(|item| [item; 6]).collect();
    let sources: Vec<u32> = (0..40).flat_map(|_| 0..6).collect();
    let labels: Vec<u32> = (items.iter().zip(&sources))
        .map(|(item, source)| if item % 4 == 0 && source % 3 == item / 4 % 3 { (item + 1) % 2 } else { item % 2 })
        .collect();
    let fit = Glad::default().fit(&Annotations::new(2, &items, &sources, &labels).expect("fine")).expect("a fit");
    let easiness = fit.easiness().expect("it finds that");
    for item in 0..40 {
        assert_eq!(easiness[item] < easiness[1] - 0.1, item % 4 == 0, "item {item}: {}", easiness[item]);
    }
}

#[test]
fn options_out_of_range_are_refused() {
    let annotations = Annotations::new(2, &[0], &[0], &[0]).expect("fine");
    let said = |glad: Glad| glad.fit(&annotations).expect_err("refused").to_string();
    let glad = Glad::default();
    assert_eq!(said(Glad { max_iterations: 0, ..glad }), "the number of iterations is 0; it must be at least 1");
    let must = "it must be a finite number of at least 0";
    assert_eq!(said(Glad { tolerance: -1.0, ..glad }), format!("the tolerance is -1; {must}"));
    for value in [f64::NAN, 11.0] {
        let must = format!("is {value}; it must be between -10 and 10");
        assert_eq!(said(Glad { skill: [value, 1.0], ..glad }), format!("the mean skill {must}"));
        assert_eq!(said(Glad { easiness: [value, 1.0], ..glad }), format!("the mean of ln easiness {must}"));
    }
    for value in [f64::NAN, 0.0] {
        let must = format!("is {value}; it must be between 1e-3 and 1e6");
        assert_eq!(said(Glad { skill: [1.0, value], ..glad }), format!("the deviation of skills {must}"));
        assert_eq!(said(Glad { easiness: [1.0, value], ..glad }), format!("the deviation of ln easiness {must}"));
    }
}
