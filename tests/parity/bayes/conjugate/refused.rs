//! What no member of a family has, and what no data are.

use consilience::bayes::{BetaBernoulli, DirichletCategorical, NormalInverseGamma, NormalKnownPrecision, Samples};
use consilience::{Error, Result};

use crate::support::engines;

fn said<T: std::fmt::Debug>(result: Result<T>) -> String {
    let error: Error = result.expect_err("this must be refused");
    assert!(error.is_bayes() != error.is_shape(), "{error}");
    error.to_string()
}

#[test]
fn parameters() {
    for alpha in [0.0, -1.0, f32::NAN, f32::INFINITY, 2e6] {
        let want = format!("alpha of item 1 is {alpha}, it must be from 0.001 to 1000000");
        assert_eq!(said(BetaBernoulli::new(&[1.0, alpha], &[1.0, 1.0])), want);
        let want = format!("alpha of item 1 in plane 2 is {alpha}, it must be from 0.001 to 1000000");
        assert_eq!(said(DirichletCategorical::new(3, vec![1.0, 1.0, 1.0, 1.0, 1.0, alpha])), want);
        let want = format!("the shape of item 0 is {alpha}, it must be from 0.001 to 1000000");
        assert_eq!(said(NormalInverseGamma::new([vec![0.0], vec![1.0], vec![alpha], vec![1.0]])), want);
    }
    let want = "the sum of alpha of item 1 is 1200000, it must be at most 1000000";
    assert_eq!(said(BetaBernoulli::new(&[1.0, 6e5], &[1.0, 6e5])), want);
    assert_eq!(said(BetaBernoulli::new(&[1.0; 2], &[1.0; 3])), "beta has 3 entries where 2 are needed");
    assert_eq!(said(DirichletCategorical::new(3, vec![1.0; 7])), "alpha has 7 entries where 6 are needed");
    for classes in [0, 1, 1025] {
        let want = format!("the number of classes is {classes}, it must be from 2 to 1024");
        assert_eq!(said(DirichletCategorical::new(classes, vec![])), want);
    }
    for precision in [0.0, -1.0, f32::NAN, 1e10] {
        let want = format!("the precision of item 0 is {precision}, it must be from 1e-9 to 1e9");
        assert_eq!(said(NormalKnownPrecision::new(vec![0.0], vec![precision], 1.0)), want);
        let want = format!("the precision of an observation is {precision}, it must be from 1e-9 to 1e9");
        assert_eq!(said(NormalKnownPrecision::new(vec![0.0], vec![1.0], precision)), want);
    }
    let want = "the mean of item 0 is NaN, it must be from -1e9 to 1e9";
    assert_eq!(said(NormalKnownPrecision::new(vec![f32::NAN], vec![1.0], 1.0)), want);
}

#[test]
fn data_and_levels() {
    let (_, engine) = &engines::all()[0];
    let beta = BetaBernoulli::new(&[1.0; 2], &[1.0; 2]).expect("parameters");
    for count in [-1.0, f32::NAN, 2e6] {
        let want = format!("the number of failures of item 1 is {count}, it must be from 0 to 1000000");
        assert_eq!(said(beta.update(engine, &[1.0; 2], &[1.0, count])), want);
        assert_eq!(said(beta.log_evidence(engine, &[1.0; 2], &[1.0, count])), want);
    }
    let want = "the number of successes has 1 entries where 2 are needed";
    assert_eq!(said(beta.update(engine, &[1.0], &[1.0; 2])), want);
    let want = "alpha of item 0 in plane 0 is 1000001, it must be from 0.001 to 1000000";
    assert_eq!(said(beta.update(engine, &[1e6, 0.0], &[0.0; 2])), want);
    for level in [0.0, 1.0, -0.5, f64::NAN, 1.5] {
        let want = format!("the level is {level}, it must be above 0 and below 1");
        assert_eq!(said(beta.credible_interval(engine, level)), want);
    }
    let normal = NormalKnownPrecision::new(vec![0.0], vec![1.0], 1.0).expect("parameters");
    let want = "the sum of squares of item 0 is -1, it must be from 0 to 1e18";
    assert_eq!(said(normal.update(engine, &Samples { count: &[2.0], mean: &[0.0], squares: &[-1.0] })), want);
    let want = "the mean of the samples of item 0 is inf, it must be from -1e9 to 1e9";
    assert_eq!(said(normal.update(engine, &Samples { count: &[2.0], mean: &[f32::INFINITY], squares: &[1.0] })), want);
}

#[test]
fn merges_of_what_does_not_belong_together() {
    let (_, engine) = &engines::all()[0];
    let of = |a| BetaBernoulli::new(&[a], &[5.0]).expect("parameters");
    let want = "alpha of item 0 in plane 0 is -1, it must be from 0.001 to 1000000";
    assert_eq!(said(of(2.0).merge(engine, &of(3.0), &of(6.0))), want);
    let two = BetaBernoulli::new(&[1.0; 2], &[1.0; 2]).expect("parameters");
    assert_eq!(said(two.merge(engine, &of(3.0), &two)), "the other posterior has 2 entries where 4 are needed");
    assert!(said(two.divergence(engine, &of(3.0))).starts_with("the other distribution has"));
    let normal = |known| NormalKnownPrecision::new(vec![0.0], vec![1.0], known).expect("parameters");
    let want = "the precision of an observation elsewhere is 2, it must be what it is here";
    assert_eq!(said(normal(1.0).merge(engine, &normal(1.0), &normal(2.0))), want);
}
