//! What cannot be set up, and what comes too late.

use std::error::Error as _;
use std::time::Duration;

use consilience::orchestration::parallel_fusion::Options;
use consilience::orchestration::{ParallelFusion, Stop};
use consilience::{Fusion, Rule, SourceError, Weighting};
use tokio::time::Instant;

use super::super::engine::engine;
use super::super::scripted::{self, Act, cast, fusion};
use super::{options, refusal};

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_no_time_is_refused_before_anybody_is_asked() {
    let asked = fusion(2, &[Act::say(&[0.5, 0.5])], options());
    for deadline in [Instant::now(), Instant::now() - Duration::from_secs(1)] {
        let error = asked.ask_until("?", deadline).await.expect_err("no time");
        assert!(error.is_deadline() && error.is_request());
        assert!(error.to_string().contains("the deadline had passed"));
    }
    assert_eq!(asked.tracks()[0].observations(), 0);
    let none = ParallelFusion::new(engine(), 2, cast(&[Act::Fail]), options().deadline(Duration::ZERO));
    assert!(none.expect_err("no time").is_deadline());
}

#[test]
fn what_cannot_be_set_up_is_refused() {
    let new = |acts: &[Act], options| ParallelFusion::new(engine(), 2, cast(acts), options);
    assert_eq!(refusal(new(&[], options())), "there are no sources; add at least one");
    let twice = vec![scripted::source("a", Act::Fail), scripted::source("a", Act::Fail)];
    let twice = ParallelFusion::new(engine(), 2, twice, options());
    assert_eq!(refusal(twice), "there are two sources named `a`; names must differ");
    let three = [Act::Fail, Act::Fail, Act::Fail];
    let median = options().fusion(Fusion::new(Rule::Median)).stop(Stop::LOCKED);
    assert!(refusal(new(&three, median)).contains("`median`"));
    let short = options().fusion(Fusion::new(Rule::Linear).weighting(Weighting::Fixed(vec![1.0])));
    assert!(refusal(new(&three, short)).contains("has 1 entries, the evidence has 3 sources"));
    let sure = options().stop(Stop { confidence: Some(1.5), ..Stop::default() });
    assert!(refusal(new(&three, sure)).contains("in (0, 1]"));
    assert!(refusal(new(&three, Options { penalty: f32::NAN, ..options() })).contains("in [0, 1]"));
    let none = ParallelFusion::<str>::new(engine(), 0, cast(&three), options());
    assert!(refusal(none).contains("no classes"));
}

#[test]
fn a_meta_learner_has_a_name_and_a_time_of_its_own() {
    let asked = || fusion(2, &[Act::Fail, Act::Fail], options());
    let judge = |name: &str| scripted::source(name, Act::Fail);
    assert!(refusal(asked().with_meta_learner(judge("b"), Duration::from_secs(1))).contains("two sources named `b`"));
    for time in [Duration::ZERO, Duration::from_secs(5)] {
        assert!(asked().with_meta_learner(judge("judge"), time).expect_err("no time").is_deadline());
    }
}

#[test]
fn a_source_error_keeps_its_cause() {
    let error = SourceError::caused_by(std::io::Error::other("the wire"));
    assert_eq!(error.to_string(), "the wire");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("the wire"));
}
