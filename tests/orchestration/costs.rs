//! What is spent, whoever fails.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::iteration::{self, Order, Thoughts};
use consilience::orchestration::ledger::{self, Ledger, Recorder};
use consilience::orchestration::parallel_fusion::{Fate, Hedge, Options};
use consilience::orchestration::router::{self, Group, Strategy};
use consilience::orchestration::service::{self, Recorded};
use consilience::orchestration::telemetry::{Exporter, Telemetry};
use consilience::orchestration::{Cost, Iteration, Opinion, ParallelFusion, Question, Reply, Service, Source, source};
use tokio::time::{Instant, sleep, timeout};

use super::engine::engine;

const SPENT: Cost = Cost { calls: 1, tokens_in: 10, tokens_out: 2, micros: 3 };

fn times(n: u64) -> Cost {
    (0..n).map(|_| SPENT).sum()
}

/// What a source does after it has spent something and waited.
#[derive(Clone, Copy)]
enum Then {
    Fail,
    Panic,
    Hang,
    /// Says what is no opinion, for a price that is the whole.
    Babble,
    /// Answers so, for a price that is the whole.
    Say(f32),
}

fn spender(name: &str, millis: u64, then: Then) -> Arc<dyn Source<str>> {
    Arc::new(source::of(name, move |question: Question<str>| async move {
        question.spend(SPENT);
        sleep(Duration::from_millis(millis)).await;
        match then {
            Then::Fail => Err(SourceError::failed("out of order")),
            Then::Panic => panic!("a test asked for this panic"),
            Then::Hang => pending().await,
            Then::Babble => Ok(Reply::from(Opinion::label(9)).cost(SPENT)),
            Then::Say(p) => Ok(Reply::from(Opinion::Binary(p)).cost(SPENT)),
        }
    }))
}

fn fusion(sources: Vec<Arc<dyn Source<str>>>, options: Options) -> ParallelFusion<str> {
    ParallelFusion::new(engine(), 2, sources, options).expect("a fusion")
}

/// Telemetry, and what it has counted as tokens in, tokens out and money.
fn counted() -> (Arc<Telemetry<Fate>>, impl Fn() -> [u64; 3]) {
    let exporter = Exporter::new();
    let telemetry = metrics::with_local_recorder(&exporter.recorder(), || Telemetry::new(Fate::Censored));
    let count = move || {
        let text = exporter.render();
        ["consilience_tokens_in_total ", "consilience_tokens_out_total ", "consilience_spent_micros_total "].map(
            |name| {
                let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a counter");
                line.parse().expect("a count")
            },
        )
    };
    (Arc::new(telemetry), count)
}

#[tokio::test(start_paused = true)]
async fn every_fate_has_its_cost() {
    super::faults::quiet_panics();
    let acts = [Then::Say(0.75), Then::Fail, Then::Panic, Then::Babble, Then::Hang];
    let sources = acts.iter().enumerate().map(|(n, then)| spender(&format!("s{n}"), 1, *then)).collect();
    let (telemetry, count) = counted();
    let fusion = fusion(sources, Options::parallel_fusion()).with_telemetry(telemetry);
    let outcome = fusion.ask("?").await.expect("an answer");
    let fates: Vec<_> = outcome.reports.iter().map(|report| report.fate).collect();
    assert_eq!(fates, [Fate::Answered, Fate::Failed, Fate::Panicked, Fate::Invalid, Fate::TimedOut]);
    assert!(outcome.reports.iter().all(|report| report.cost == SPENT), "{:?}", outcome.reports);
    assert_eq!(outcome.cost, times(5));
    assert_eq!(count(), [50, 10, 15]);
    assert!(fusion.tracks().iter().all(|track| track.cost() == SPENT));
}

#[tokio::test(start_paused = true)]
async fn nobody_answers_and_it_is_counted() {
    let (telemetry, count) = counted();
    let fusion = fusion(vec![spender("a", 1, Then::Fail), spender("b", 9, Then::Fail)], Options::parallel_fusion())
        .with_telemetry(telemetry);
    assert!(fusion.ask("?").await.is_err());
    assert_eq!(count(), [20, 4, 6]);
    // Given up by whoever asked, after one of the two had failed.
    assert!(timeout(Duration::from_millis(5), fusion.ask("?")).await.is_err());
    assert_eq!(count(), [40, 8, 12]);
}

#[tokio::test(start_paused = true)]
async fn both_of_two_hedged_calls_cost() {
    let hedge = Hedge { quantile: 0.9, before_known: Duration::from_millis(50), budget: 1.0 };
    let options = Options { hedge: Some(hedge), ..Options::parallel_fusion() };
    let outcome = fusion(vec![spender("slow", 80, Then::Say(0.75))], options).ask("?").await.expect("an answer");
    assert_eq!((outcome.reports[0].calls, outcome.cost), (2, times(2)));
}

#[tokio::test(start_paused = true)]
async fn a_meta_learner_that_fails_costs() {
    let (telemetry, count) = counted();
    let fusion = fusion(vec![spender("a", 1, Then::Say(0.75))], Options::parallel_fusion())
        .with_meta_learner(spender("meta", 1, Then::Fail), Duration::from_secs(1))
        .expect("a meta-learner")
        .with_telemetry(telemetry);
    let outcome = fusion.ask("?").await.expect("an answer");
    assert_eq!((outcome.reports[1].cost, outcome.cost, count()), (SPENT, times(2), [20, 4, 6]));
}

#[tokio::test(start_paused = true)]
async fn a_reply_says_the_whole() {
    // What was said before it is part of that.
    let cheap = source::of("cheap", async |question: Question<str>| {
        question.spend(SPENT);
        Ok(Reply::from(Opinion::label(0)).cost(Cost::default()))
    });
    let outcome = fusion(vec![Arc::new(cheap)], Options::parallel_fusion()).ask("?").await.expect("an answer");
    assert_eq!(outcome.cost, Cost::default());
}

fn thinking(
    name: &str,
    count: u32,
    thinker: Arc<dyn Source<str>>,
    synthesiser: Arc<dyn Source<str>>,
) -> Iteration<str> {
    let order = Order::Parallel { at_once: 12, speculate_at: None };
    let options = iteration::Options { thoughts: Thoughts::Fixed(count), order, ..iteration::Options::default() };
    Iteration::new(name, thinker, synthesiser, options)
}

#[tokio::test(start_paused = true)]
async fn thoughts_and_syntheses_that_fail_cost() {
    let turns = source::of("turns", |question: Question<str>| async move {
        question.spend(SPENT);
        if question.attempt == 0 { Err(SourceError::Closed) } else { Ok(Reply::from(Opinion::label(0)).cost(SPENT)) }
    });
    let asked = Question::new(Arc::from("?"), 2, Instant::now() + Duration::from_secs(1));
    let iteration = thinking("turns", 3, Arc::new(turns), spender("synthesiser", 1, Then::Fail));
    let outcome = iteration.think(asked).await.expect("an outcome");
    assert_eq!(outcome.cost, times(4));
    assert!(outcome.thoughts.iter().all(|thought| thought.cost == SPENT));
    assert_eq!(outcome.syntheses[0].cost, SPENT);
}

#[tokio::test(start_paused = true)]
async fn an_iteration_costs_whoever_asks_it_whatever_becomes_of_it() {
    let failing = thinking("failing", 4, spender("thinker", 1, Then::Fail), spender("synthesiser", 1, Then::Say(0.5)));
    let asked = Question::new(Arc::from("?"), 2, Instant::now() + Duration::from_secs(1));
    assert!(failing.think(asked.clone()).await.is_err());
    assert_eq!(asked.spent(), times(4));

    let late = thinking("late", 4, spender("thinker", 1, Then::Say(0.5)), spender("synthesiser", 1, Then::Hang));
    let sources: Vec<Arc<dyn Source<str>>> =
        vec![spender("table", 1, Then::Say(0.75)), Arc::new(failing), Arc::new(late)];
    // The answer is the thoughts' mean at the deadline, or the deadline comes first: all five calls were made.
    let outcome = fusion(sources, Options::parallel_fusion()).ask("?").await.expect("an answer");
    let costs: Vec<_> = outcome.reports.iter().map(|report| report.cost).collect();
    assert_eq!(costs, [times(1), times(4), times(5)]);
}

#[tokio::test]
async fn a_service_counts_the_steps_that_failed_and_records_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Ledger::open(folder.path().join("results.redb"), ledger::Options::default()).expect("a ledger");
    let kept = Arc::new(kept);
    let recorder = Arc::new(Recorder::start(Arc::clone(&kept)).expect("a recorder"));
    let (telemetry, count) = counted();
    let options = router::Options { strategy: Strategy::AiFirst, ..router::Options::default() };
    let service = Service::builder(engine(), 2)
        .options(service::Options { router: options, ..service::Options::default() })
        .group(Group::ai("models"), vec![spender("a", 1, Then::Fail), spender("b", 2, Then::Babble)])
        .group(Group::runtime("table"), vec![spender("c", 1, Then::Say(0.95))])
        .telemetry(telemetry)
        .recorder(recorder)
        .build()
        .expect("a service");
    let answer = service.ask("?").await.expect("an answer");
    let attempts: Vec<_> = answer.attempts.iter().map(|attempt| (attempt.success, attempt.cost)).collect();
    assert_eq!(attempts, [(false, times(2)), (true, times(1))]);
    assert_eq!((answer.outcome.cost, count()), (times(3), [30, 6, 9]));
    assert_eq!(service.router().track("models").expect("a track").cost(), times(2));
    let Recorded::As(id) = answer.recorded else { panic!("{:?}", answer.recorded) };
    assert_eq!(kept.get(id).expect("a ledger").expect("an entry").entry.cost, times(3));
}
