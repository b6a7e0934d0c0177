//! Requests from the door to the record.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use consilience::learning::State;
use consilience::orchestration::batcher::Shutdown;
use consilience::orchestration::ledger::{Ledger, Recorder};
use consilience::orchestration::parallel_fusion::{self, Event, Fate};
use consilience::orchestration::router::{self, Complexity, Group, Mode, Strategy, Way, Worth};
use consilience::orchestration::service::{Builder, Learned, Observer, Options, Recorded};
use consilience::orchestration::telemetry::{Exporter, Telemetry};
use consilience::orchestration::{Opinion, Question, Service, Source, source};
use consilience::{ErrorKind, RequestError, SourceError};
use tokio::time::{Instant, advance, sleep, timeout};

use super::engine::engine;
use super::scripted::{self, Act};

fn routed(strategy: Strategy) -> Options {
    Options { router: router::Options { strategy, ..router::Options::default() }, ..Options::default() }
}

/// A model and a table, two sources each, that do as told.
fn two_groups(strategy: Strategy, model: [Act; 2], table: [Act; 2]) -> Builder<str> {
    let named = |group: &str, acts: [Act; 2]| -> Vec<Arc<dyn Source<str>>> {
        acts.into_iter().enumerate().map(|(n, act)| scripted::source(&format!("{group} {n}"), act)).collect()
    };
    Service::builder(engine(), 2)
        .options(routed(strategy))
        .group(Group::ai("model"), named("model", model))
        .group(Group::runtime("table"), named("table", table))
}

fn says(p: f32) -> Act {
    Act::Say(Opinion::Binary(p))
}

#[tokio::test(start_paused = true)]
async fn a_step_that_brings_nothing_leads_to_the_next_within_its_share_of_the_time() {
    let service = two_groups(Strategy::AiFirst, [Act::Never, Act::Fail], [says(0.9), says(0.8)]).build().unwrap();
    let began = Instant::now();
    let answer = service.ask("?").await.unwrap();
    // Half of five seconds for the first of two steps.
    assert_eq!(began.elapsed(), Duration::from_millis(2_500));
    assert_eq!(answer.outcome.decision, 0);
    let attempts: Vec<_> =
        answer.attempts.iter().map(|attempt| (&attempt.group[..], attempt.success, attempt.latency)).collect();
    assert_eq!(attempts, [("model", false, Duration::from_millis(2_500)), ("table", true, Duration::ZERO)]);
    let names: Vec<_> = answer.outcome.reports.iter().map(|report| report.name.to_string()).collect();
    assert_eq!(names, ["table 0", "table 1"]);
    assert_eq!(service.router().track("model").unwrap().successes(), 0);

    let nobody = two_groups(Strategy::AiFirst, [Act::Never, Act::Fail], [Act::Fail, Act::Fail]).build().unwrap();
    let error = nobody.ask("?").await.unwrap_err();
    let ErrorKind::Request(RequestError::NothingArrived { causes }) = error.kind() else { panic!("{error}") };
    let names: Vec<_> = causes.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names, ["model 0", "model 1", "table 0", "table 1"]);
    assert_eq!((nobody.stats().failed, nobody.stats().under_way), (1, 0));
}

/// Its thread was busy with something else.
#[tokio::test(start_paused = true)]
async fn a_step_that_takes_all_the_time_leaves_its_causes() {
    let late: Arc<dyn Source<str>> = Arc::new(source::of("late", async |_: Question<str>| {
        advance(Duration::from_secs(6)).await;
        Err(SourceError::failed("out of order"))
    }));
    let service = Service::builder(engine(), 2)
        .options(routed(Strategy::AiFirst))
        .group(Group::ai("model"), vec![late])
        .group(Group::runtime("table"), vec![scripted::source("table", says(0.9))])
        .build()
        .unwrap();
    assert_eq!(service.ask("?").await.unwrap_err().to_string(), "no source answered: `late`: out of order");
}

#[tokio::test(start_paused = true)]
async fn all_at_once_is_one_fusion() {
    let service = two_groups(Strategy::ParallelFusion, [says(0.9), says(0.9)], [says(0.2), says(0.2)]).build().unwrap();
    let answer = service.ask("?").await.unwrap();
    assert_eq!(answer.outcome.reports.len(), 4);
    assert_eq!(answer.choice.way, Way::AtOnce);
    assert!((answer.outcome.reports[3].weight - 0.25).abs() < 1e-6);
}

#[tokio::test(start_paused = true)]
async fn complexity_chooses_who_goes_first() {
    let service = two_groups(Strategy::Hybrid, [says(0.9), says(0.9)], [says(0.2), says(0.2)]).build().unwrap();
    for (question, group) in [("cat?", "table"), ("Why does `a = b` move b? Explain.", "model")] {
        assert_eq!(service.ask(question).await.unwrap().attempts[0].group, group);
    }
    let by_length = |input: &[u8]| Complexity { words: input.len() as u32, code: true, ..Complexity::default() };
    let source = |name: &str| -> Arc<dyn Source<[u8]>> {
        Arc::new(source::of(name, async |_: Question<[u8]>| Ok(Opinion::Binary(0.5).into())))
    };
    let service = Service::builder_by(engine(), 2, by_length)
        .group(Group::ai("model"), vec![source("m")])
        .group(Group::runtime("table"), vec![source("t")])
        .build()
        .unwrap();
    for (length, group) in [(19, "table"), (20, "model")] {
        assert_eq!(service.ask(vec![0; length]).await.unwrap().attempts[0].group, group);
    }
}

#[tokio::test(start_paused = true)]
async fn who_finds_it_full_is_told_when_to_come_back() {
    let slow = || Act::say_after(1_000, &[0.1, 0.9]);
    let options = Options { most_at_once: 2, ..routed(Strategy::AiFirst) };
    let service = two_groups(Strategy::AiFirst, [slow(), slow()], [Act::Fail, Act::Fail]).options(options).build();
    let service = Arc::new(service.unwrap());
    let ask = || {
        let service = Arc::clone(&service);
        tokio::spawn(async move { service.ask("?").await })
    };
    let (first, second) = (ask(), ask());
    sleep(Duration::from_millis(1)).await;
    let error = service.ask("?").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_millis(50)));
    assert_eq!(error.to_string(), "the service is full; try again in 50ms");
    for taken in [first, second] {
        assert_eq!(taken.await.unwrap().unwrap().outcome.decision, 1);
    }
    // By now it is known how long a request takes.
    let (third, fourth) = (ask(), ask());
    sleep(Duration::from_millis(1)).await;
    assert_eq!(service.ask("?").await.unwrap_err().retry_after(), Some(Duration::from_millis(500)));
    assert!(third.await.unwrap().is_ok() && fourth.await.unwrap().is_ok());
    let stats = service.stats();
    assert_eq!((stats.answered, stats.refused, stats.under_way), (4, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_those_inside_finish_or_sends_them_away() {
    for how in [Shutdown::Drain, Shutdown::Reject] {
        let slow = || Act::say_after(1_000, &[0.1, 0.9]);
        let service = two_groups(Strategy::AiFirst, [slow(), slow()], [Act::Fail, Act::Fail]).build().unwrap();
        let service = Arc::new(service);
        let inside = {
            let service = Arc::clone(&service);
            tokio::spawn(async move { service.ask("?").await })
        };
        sleep(Duration::from_millis(10)).await;
        let began = Instant::now();
        service.shutdown(how).await;
        let answer = inside.await.unwrap();
        assert_eq!(service.stats().under_way, 0);
        if matches!(how, Shutdown::Drain) {
            assert_eq!(began.elapsed(), Duration::from_millis(990));
            assert_eq!(answer.unwrap().outcome.decision, 1);
        } else {
            assert_eq!(began.elapsed(), Duration::ZERO);
            assert_eq!(answer.unwrap_err().to_string(), "the service is shut down and takes no more requests");
        }
        let late = service.ask("?").await.unwrap_err();
        assert!(matches!(late.kind(), ErrorKind::Request(RequestError::Closed { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_no_longer_is_counted_and_makes_room() {
    let service = two_groups(Strategy::AiFirst, [Act::Never, Act::Never], [Act::Fail, Act::Fail]).build().unwrap();
    assert!(timeout(Duration::from_secs(1), service.ask("?")).await.is_err());
    let stats = service.stats();
    assert_eq!((stats.dropped, stats.under_way), (1, 0));
}

#[tokio::test]
async fn answers_are_on_record_before_they_are_given() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Arc::new(Ledger::open(directory.path().join("results.redb"), Default::default()).unwrap());
    let recorder = Arc::new(Recorder::start(Arc::clone(&ledger)).unwrap());
    let sure = two_groups(Strategy::AiFirst, [says(0.9), Act::Fail], [Act::Fail, Act::Fail]);
    let answer = sure.recorder(Arc::clone(&recorder)).build().unwrap().ask("?").await.unwrap();
    let Recorded::As(id) = answer.recorded else { panic!("{:?}", answer.recorded) };
    let entry = ledger.get(id).unwrap().unwrap().entry;
    assert_eq!(entry.decision, 0);
    assert!((entry.confidence - 0.81).abs() < 1e-6, "{entry:?}");
    let fates: Vec<_> = entry.sources.iter().map(|source| (&source.name[..], &source.fate[..])).collect();
    assert_eq!(fates, [("model 0", "answered"), ("model 1", "failed")]);

    let unsure = two_groups(Strategy::AiFirst, [says(0.55), says(0.55)], [Act::Fail, Act::Fail]);
    let service = unsure.recorder(recorder).build().unwrap();
    assert!(matches!(service.ask("?").await.unwrap().recorded, Recorded::Below));
    service.shutdown(Shutdown::Drain).await;
    assert_eq!(ledger.count(&Default::default()).unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_truth_teaches_the_router_and_the_fusion() {
    let worth = Worth { second: 0.1, million: 0.0 };
    let options = Options { worth, ..routed(Strategy::Adaptive) };
    let acts = || [Act::say_after(1_000, &[0.9, 0.1]), says(0.3)];
    let service = two_groups(Strategy::Adaptive, acts(), acts()).options(options).build().unwrap();
    for _ in 0..12 {
        let answer = service.ask("?").await.unwrap();
        let before = service.router().rewards(answer.choice.context, answer.choice.way);
        service.learn(&answer, 0).unwrap();
        assert!(service.router().rewards(answer.choice.context, answer.choice.way) > before);
        assert!(service.learn(&answer, 2).unwrap_err().is_label());
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_counted_once_however_many_steps_it_takes() {
    let exporter = Exporter::new();
    let telemetry = metrics::with_local_recorder(&exporter.recorder(), || Telemetry::new(Fate::Censored));
    let service = two_groups(Strategy::AiFirst, [Act::Fail, Act::Fail], [says(0.9), Act::Never])
        .telemetry(Arc::new(telemetry))
        .build()
        .unwrap();
    assert_eq!(service.ask("?").await.unwrap().attempts.len(), 2);
    let text = exporter.render();
    for line in [
        "consilience_requests_total{ending=\"answered\"} 1\n",
        "consilience_requests_routed_total{way=\"ai_first\"} 1\n",
        "consilience_requests_stopped_total{stopped=\"complete\"} 1\n",
        "consilience_requests_stopped_total{stopped=\"deadline\"} 1\n",
        "consilience_source_calls_total{fate=\"failed\"} 2\n",
        "consilience_source_calls_total{fate=\"answered\"} 1\n",
        "consilience_source_calls_total{fate=\"timed_out\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let refusal = |builder: Builder<str>| builder.build().unwrap_err().to_string();
    let one = |name: &str| vec![scripted::source(name, Act::Fail)];
    let begun = || Service::builder(engine(), 2);
    assert!(refusal(begun()).contains("no sources"));
    assert!(refusal(begun().group(Group::ai("a"), one("x"))).contains("role"));
    let twice = begun().group(Group::ai("a"), one("x")).group(Group::runtime("b"), one("x"));
    assert_eq!(refusal(twice), "there are two sources named `x`; names must differ");
    let empty = begun().group(Group::ai("a"), one("x")).group(Group::runtime("b"), Vec::new());
    assert!(refusal(empty).contains("no sources"));
    let groups = vec![Group::ai("a"), Group::runtime("c")];
    let router = router::Router::new(groups, router::Options::default()).unwrap();
    let other = begun().group(Group::ai("a"), one("x")).group(Group::runtime("b"), one("y")).router(router);
    assert!(refusal(other).contains("there is no group named `b`"));
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_what_the_sources_of_each_step_do() {
    let late = Act::say_after(10, &[0.2, 0.8]);
    let service = two_groups(Strategy::AiFirst, [Act::Fail, Act::Fail], [says(0.6), late]).build().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let observer: Observer = {
        let told = Arc::clone(&told);
        Arc::new(move |names: &[Arc<str>], event| {
            let line = match event {
                Event::Failed { source, fate, .. } => format!("{} {fate:?}", names[source]),
                Event::Arrived { source, posterior, decision, .. } => {
                    format!("{} {decision} {:?}", names[source], posterior[0])
                }
                other => format!("{other:?}"),
            };
            told.lock().unwrap().push(line);
        })
    };
    let answer = service.ask_observed("?", Instant::now() + Duration::from_secs(1), Some(observer)).await.unwrap();
    let posterior = answer.outcome.posterior[0];
    let told = told.lock().unwrap();
    let expected = [
        "model 0 Failed",
        "model 1 Failed",
        "Stopped(Complete)",
        "table 0 0 0.6",
        &format!("table 1 1 {posterior:?}"),
        "Stopped(Complete)",
    ];
    assert_eq!(*told, expected);
}

#[tokio::test(start_paused = true)]
async fn what_was_learned_goes_on_in_another_service() {
    let build = |strategy| two_groups(strategy, [says(0.9), says(0.1)], [says(0.8), says(0.7)]).build().unwrap();
    let teacher = build(Strategy::ParallelFusion);
    for _ in 0..12 {
        let answer = teacher.ask("?").await.unwrap();
        teacher.learn(&answer, 0).unwrap();
    }
    let both = ["model", "table"].map(str::to_owned);
    let weights = |service: &Service<str>| {
        let step = service.steps().into_iter().find(|step| step.groups == both).unwrap();
        let named = step.sources.iter().map(ToString::to_string).zip(step.weights.unwrap());
        named.collect::<Vec<_>>()
    };
    let taught = weights(&teacher);
    // Of four one was always wrong; weights move by a tenth from the tenth lesson on.
    assert!(taught[1].1 < 0.25 && taught[0].1 > 0.25, "{taught:?}");
    let pupil = build(Strategy::Hybrid);
    pupil.resume(Learned::from_text(&teacher.learned().to_text().unwrap()).unwrap()).unwrap();
    assert_eq!(weights(&pupil), taught);
    assert_eq!(pupil.router().track("model").unwrap().observations(), 12);
    // Whom to ask is not learned but said.
    assert_eq!(pupil.router().options().strategy, Strategy::Hybrid);

    let other = Service::builder(engine(), 2)
        .group(Group::ai("model"), vec![scripted::source("m", says(0.9))])
        .group(Group::runtime("program"), vec![scripted::source("p", says(0.9))])
        .build()
        .unwrap();
    let error = other.resume(teacher.learned()).unwrap_err().to_string();
    assert!(error.contains("groups") && error.contains("program"), "{error}");
    let fewer = two_groups(Strategy::Hybrid, [says(0.9), says(0.1)], [says(0.8), says(0.7)]);
    let fewer = fewer.options(Options {
        fusion: parallel_fusion::Options { learning: None, ..Default::default() },
        ..Options::default()
    });
    fewer.build().unwrap().resume(teacher.learned()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn how_many_and_how_are_set_while_it_runs() {
    let slow = || Act::say_after(1_000, &[0.1, 0.9]);
    let service = Arc::new(two_groups(Strategy::AiFirst, [slow(), slow()], [slow(), slow()]).build().unwrap());
    assert_eq!(service.most_at_once(), 1000);
    service.set_most_at_once(0);
    assert_eq!(service.most_at_once(), 1);
    let first = {
        let service = Arc::clone(&service);
        tokio::spawn(async move { service.ask("?").await })
    };
    sleep(Duration::from_millis(1)).await;
    assert!(service.ask("?").await.unwrap_err().retry_after().is_some());
    service.set_most_at_once(2);
    service.set_strategy(Strategy::ParallelFusion, Mode::Fixed);
    assert_eq!(service.ask("?").await.unwrap().choice.way, Way::AtOnce);
    assert_eq!(first.await.unwrap().unwrap().choice.way, Way::AiFirst);
    assert_eq!(service.router().options().mode, Mode::Fixed);
    let sources = [("model", "model 0"), ("model", "model 1"), ("table", "table 0"), ("table", "table 1")];
    assert_eq!(service.sources(), sources);
}
