//! A gate and its experts as one source.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::gate::{Expert, Mixture, Options, Score};
use consilience::orchestration::parallel_fusion::{self, Fate};
use consilience::orchestration::{Cost, Gate, Opinion, ParallelFusion, Question, Reply, Source, source};
use tokio::time::{Instant, sleep};

use super::super::engine::engine;
use super::super::faults::quiet_panics;
use super::super::scripted::{self, Act};

/// Experts a, b, c that do one thing each, behind a gate that lets all three through and scores them so.
fn mixture(acts: [Act; 3], scores: [f64; 3]) -> Mixture<str> {
    let names = ["a", "b", "c"];
    let options = Options { k: 3, margin: 2.0, least_confidence: 0.0, ..Options::default() };
    let gate = Gate::new(names.map(Expert::new), options);
    let experts = names.into_iter().zip(acts).map(|(name, act)| scripted::source(name, act)).collect();
    // In another order than the gate's.
    Mixture::new("experts", gate.unwrap(), experts, move |_: &str| {
        vec![Score::new("c", scores[2]), Score::new("a", scores[0]), Score::new("b", scores[1])]
    })
    .unwrap()
}

fn question(seconds: u64) -> Question<str> {
    Question::new(Arc::from("?"), 2, Instant::now() + Duration::from_secs(seconds))
}

fn close(reply: &Reply, p: f32) {
    let Opinion::Probabilities(row) = &reply.opinion else { panic!("{reply:?}") };
    assert!((row[0] - p).abs() < 1e-6 && (row[0] + row[1] - 1.0).abs() < 1e-6, "{row:?} where {p} is right");
}

#[tokio::test(start_paused = true)]
async fn opinions_are_weighed_by_the_gate() {
    let says = [Act::say(&[0.9, 0.1]), Act::Say(Opinion::Binary(0.5)), Act::Say(Opinion::label(1))];
    let reply = mixture(says, [0.4, 0.2, 0.2]).ask(question(1)).await.unwrap();
    close(&reply, (0.4 * 0.9 + 0.2 * 0.5) / 0.8);
    assert_eq!(reply.cost, Cost { calls: 3, ..Cost::default() });
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_no_opinion_is_left_out() {
    quiet_panics();
    let sure = || Act::say(&[0.9, 0.1]);
    let half = || Act::say(&[0.5, 0.5]);
    for other in [Act::Fail, Act::Panic, Act::Never, Act::Say(Opinion::Abstained), Act::say(&[f32::NAN, 1.0])] {
        let reply = mixture([sure(), other, half()], [0.3, 0.4, 0.1]).ask(question(1)).await.unwrap();
        close(&reply, (0.3 * 0.9 + 0.1 * 0.5) / 0.4);
        assert_eq!(reply.cost.calls, 3);
    }
    // The weights that are left are zero: equal shares.
    let reply = mixture([sure(), Act::Fail, half()], [0.0, 1.0, 0.0]).ask(question(1)).await.unwrap();
    close(&reply, 0.7);
}

#[tokio::test(start_paused = true)]
async fn nobody_left_is_an_error_with_each_cause_or_abstaining() {
    let never = Act::Never;
    let error = mixture([Act::Fail, never, Act::Say(Opinion::Abstained)], [0.5; 3]).ask(question(2)).await.unwrap_err();
    let said = error.to_string();
    for part in ["`a`: out of order", "`b`: no answer within 2s", "`c`: it abstained"] {
        assert!(said.contains(part), "{said}");
    }
    let abstained = || Act::Say(Opinion::Abstained);
    let reply = mixture([abstained(), abstained(), abstained()], [0.5; 3]).ask(question(1)).await.unwrap();
    assert_eq!((reply.opinion, reply.cost.calls), (Opinion::Abstained, 3));
}

#[tokio::test(start_paused = true)]
async fn only_those_chosen_are_asked_and_hold_their_place_until_they_have_answered() {
    let calls = Arc::new(AtomicUsize::new(0));
    let expert = |name: &str| -> Arc<dyn Source<str>> {
        let calls = Arc::clone(&calls);
        Arc::new(source::of(name, move |_: Question<str>| {
            calls.fetch_add(1, Ordering::Relaxed);
            async move {
                sleep(Duration::from_secs(1)).await;
                Ok(Reply::from(Opinion::Binary(0.75)).content("words"))
            }
        }))
    };
    let gate = Gate::new(["a", "b"].map(|name| Expert::new(name).at_once(1)), Options::default()).unwrap();
    // The first leads by the margin: it is asked alone.
    let experts = Mixture::new("experts", gate, vec![expert("b"), expert("a")], |_: &str| {
        vec![Score::new("a", 0.9), Score::new("b", 0.2)]
    });
    let experts = experts.unwrap();
    let busy_with = || ["a", "b"].map(|name| experts.gate().in_flight(name).unwrap());
    let later = async {
        sleep(Duration::from_millis(500)).await;
        assert_eq!(busy_with(), [1, 0]);
        // The first is busy, and the other is asked in its place; then there is nobody left.
        let (in_its_place, refused) = tokio::join!(experts.ask(question(5)), experts.ask(question(5)));
        close(&in_its_place.unwrap(), 0.75);
        refused
    };
    let (reply, refused) = tokio::join!(experts.ask(question(5)), later);
    assert_eq!(busy_with(), [0, 0]);
    let reply = reply.unwrap();
    close(&reply, 0.75);
    assert_eq!((reply.content.as_deref(), reply.cost.calls), (Some("words"), 1));
    assert!(matches!(refused, Err(SourceError::Busy { retry_after: Some(_) })), "{refused:?}");
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_mixture_is_a_source_like_any_other() {
    let experts = mixture([Act::say(&[0.9, 0.1]), Act::Never, Act::Fail], [0.5, 0.5, 0.5]);
    let sources: Vec<Arc<dyn Source<str>>> = vec![Arc::new(experts), scripted::source("alone", Act::say(&[0.7, 0.3]))];
    let options = parallel_fusion::Options::parallel_fusion();
    let fusion = ParallelFusion::new(engine(), 2, sources, options).unwrap();
    let outcome = fusion.ask("?").await.unwrap();
    assert_eq!(outcome.reports.iter().map(|report| report.fate).collect::<Vec<_>>(), [Fate::Answered; 2]);
    assert_eq!((outcome.decision, outcome.cost.calls), (0, 4));
    assert_eq!(outcome.elapsed, Duration::from_secs(5));
}

#[test]
fn experts_and_sources_go_by_the_same_names() {
    let refusal = |names: &[&str]| {
        let gate = Gate::new(["a", "b"].map(Expert::new), Options::default()).unwrap();
        let sources = names.iter().map(|name| scripted::source(name, Act::Fail)).collect();
        Mixture::new("experts", gate, sources, |_: &str| Vec::new()).unwrap_err().to_string()
    };
    assert_eq!(refusal(&["a", "c"]), "there is no expert named `c`; there are a, b");
    assert_eq!(refusal(&["b"]), "there is no source named `a`; there are b");
    assert_eq!(refusal(&["a", "b", "a"]), "there are two sources named `a`; names must differ");
}

#[tokio::test]
async fn scores_that_are_none_fail_the_source() {
    let says = || Act::say(&[0.9, 0.1]);
    let error = mixture([says(), says(), says()], [0.5, f64::NAN, 0.5]).ask(question(1)).await.unwrap_err();
    assert!(error.to_string().contains("the confidence of the expert `b` is NaN"), "{error}");
}
