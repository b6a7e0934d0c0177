//! Which series there are, what each counts, and what quantiles come out.

use std::collections::BTreeSet;
use std::time::Duration;

use consilience::orchestration::gate::Expert;
use consilience::orchestration::ledger::Ledger;
use consilience::orchestration::telemetry::{Ending, Kind, Label, METRICS, POWERS, PerVariant, SECONDS, SOURCE_CALLS};
use consilience::orchestration::{Batcher, Cost, FusionProcess, Gate};
use consilience::{Error, LedgerError, RequestError, SourceError};
use rand::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use tokio::time::advance;

use super::super::engine::engine;
use super::exposition::Scrape;
use super::{Fate, telemetry};

#[test]
fn every_metric_is_there_at_zero_with_its_type_and_help() {
    let (exporter, _telemetry) = telemetry();
    let directory = tempfile::tempdir().unwrap();
    let _parts = metrics::with_local_recorder(&exporter.recorder(), || {
        let gate = Gate::new([Expert::new("a")], Default::default()).unwrap();
        let batcher = Batcher::builder(FusionProcess::new(engine())).build().unwrap();
        (gate, batcher, Ledger::open(directory.path().join("results.redb"), Default::default()).unwrap())
    });
    let scrape = Scrape::of(&exporter.render());
    let named: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(scrape.types.keys().map(String::as_str).collect::<BTreeSet<_>>(), named);
    for metric in METRICS {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        assert_eq!(scrape.types[metric.name], kind);
        assert_eq!(scrape.help[metric.name], metric.help);
        assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
    }
    assert!(scrape.series().all(|series| scrape.value(series) == 0.0));
    for ending in Ending::ALL {
        assert_eq!(scrape.count(&format!("consilience_requests_total{{ending=\"{}\"}}", ending.name())), 0);
    }
}

#[test]
fn what_happens_is_counted_once_under_its_name() {
    let (exporter, telemetry) = telemetry();
    let request = telemetry.begin();
    let (answered, failed) = (request.ask("a"), request.ask("b"));
    let dropped = request.ask("c");
    answered.finish(Fate::Answered);
    let scrape = Scrape::of(&exporter.render());
    assert_eq!(scrape.count("consilience_requests_in_flight"), 1);
    assert_eq!(scrape.count("consilience_source_calls_in_flight"), 2);
    assert_eq!(scrape.count("consilience_source_calls_total{fate=\"answered\"}"), 1);
    failed.finish(Fate::Failed);
    drop(dropped);
    request.spent(Cost { calls: 2, tokens_in: 30, tokens_out: 4, micros: 5 });
    request.finish(Ending::Answered);
    drop(telemetry.begin());
    let scrape = Scrape::of(&exporter.render());
    let expected = [
        ("consilience_requests_in_flight", 0),
        ("consilience_source_calls_in_flight", 0),
        ("consilience_requests_total{ending=\"answered\"}", 1),
        ("consilience_requests_total{ending=\"cancelled\"}", 1),
        ("consilience_requests_total{ending=\"failed\"}", 0),
        ("consilience_request_seconds_count", 2),
        ("consilience_source_calls_total{fate=\"answered\"}", 1),
        ("consilience_source_calls_total{fate=\"failed\"}", 1),
        ("consilience_source_calls_total{fate=\"censored\"}", 1),
        ("consilience_source_seconds_count", 3),
        ("consilience_tokens_in_total", 30),
        ("consilience_tokens_out_total", 4),
        ("consilience_spent_micros_total", 5),
    ];
    for (series, count) in expected {
        assert_eq!(scrape.count(series), count, "{series}");
    }
}

#[test]
fn a_panic_ends_a_request() {
    let (exporter, telemetry) = telemetry();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let request = telemetry.begin();
        let _call = request.ask("a");
        panic!("as it may");
    }));
    assert!(panicked.is_err());
    let scrape = Scrape::of(&exporter.render());
    assert_eq!(scrape.count("consilience_requests_in_flight"), 0);
    assert_eq!(scrape.count("consilience_source_calls_in_flight"), 0);
    assert_eq!(scrape.count("consilience_requests_total{ending=\"cancelled\"}"), 1);
    assert_eq!(scrape.count("consilience_source_calls_total{fate=\"censored\"}"), 1);
}

#[test]
fn a_variant_left_out_of_the_list_is_counted_all_the_same() {
    #[derive(Clone, Copy, PartialEq)]
    enum Forgetful {
        Listed,
        Forgotten,
    }
    impl Label for Forgetful {
        const KEY: &'static str = "fate";
        const ALL: &'static [Self] = &[Self::Listed];
        fn name(self) -> &'static str {
            if self == Self::Listed { "listed" } else { "forgotten" }
        }
    }
    let exporter = consilience::orchestration::telemetry::Exporter::new();
    metrics::with_local_recorder(&exporter.recorder(), || {
        let counters = PerVariant::new(&SOURCE_CALLS);
        counters.count(Forgetful::Forgotten);
        counters.count(Forgetful::Listed);
        counters.count(Forgetful::Forgotten);
    });
    let scrape = Scrape::of(&exporter.render());
    assert_eq!(scrape.count("consilience_source_calls_total{fate=\"forgotten\"}"), 2);
    assert_eq!(scrape.count("consilience_source_calls_total{fate=\"listed\"}"), 1);
}

#[test]
fn a_result_says_how_the_request_ended() {
    let of = |error: RequestError| Ending::of::<()>(&Err(error.into()));
    assert_eq!(Ending::of(&Ok::<_, Error>(7)), Ending::Answered);
    let causes = vec![("a".to_owned(), SourceError::TimedOut { after: Duration::from_secs(5) })];
    assert_eq!(of(RequestError::NothingArrived { causes }), Ending::NothingArrived);
    assert_eq!(of(RequestError::NoTime), Ending::Expired);
    assert_eq!(of(RequestError::Expired { waited: Duration::ZERO }), Ending::Expired);
    assert_eq!(of(RequestError::Full { what: "queue", retry_after: Duration::ZERO }), Ending::Rejected);
    assert_eq!(of(RequestError::Closed { what: "queue" }), Ending::Rejected);
    assert_eq!(of(RequestError::TooLarge { bytes: 2, limit: 1 }), Ending::Rejected);
    assert_eq!(of(RequestError::NoSources), Ending::Failed);
    let other = LedgerError::NotALedger { path: String::new(), why: String::new() };
    assert_eq!(Ending::of::<()>(&Err(other.into())), Ending::Failed);
}

/// The bucket that a quantile of the histogram lies in is the bucket of the quantile of what was measured.
#[tokio::test(start_paused = true)]
async fn quantiles_of_the_histogram_are_those_of_the_latencies() {
    let (exporter, telemetry) = telemetry();
    let mut rng = SplitMix64::seed_from_u64(3);
    let mut latencies: Vec<Duration> = Vec::new();
    for _ in 0..2000 {
        // From 100 us to 10 s, evenly over the decades; the paused clock goes in milliseconds.
        let latency = Duration::from_millis(10_f64.powf(rng.random_range(0.0..4.0)).round() as u64);
        let request = telemetry.begin();
        advance(latency).await;
        request.finish(Ending::Answered);
        latencies.push(latency);
    }
    latencies.sort_unstable();
    let scrape = Scrape::of(&exporter.render());
    let sum: f64 = latencies.iter().map(Duration::as_secs_f64).sum();
    assert!((scrape.value("consilience_request_seconds_sum") / sum - 1.0).abs() < 1e-9);
    for quantile in [0.5, 0.95, 0.99] {
        let exact = latencies[(quantile * 2000.0) as usize - 1].as_secs_f64();
        let (above, to) = scrape.bucket_of("consilience_request_seconds", quantile);
        assert!(above < exact && exact <= to, "P{}: {exact} is not in ({above}, {to}]", quantile * 100.0);
        assert!(to / above < 1.61, "({above}, {to}]");
    }
}

#[test]
fn buckets_rise_evenly() {
    for pair in SECONDS.windows(2) {
        assert!((1.55..1.61).contains(&(pair[1] / pair[0])), "{pair:?}");
    }
    assert_eq!((SECONDS[0], SECONDS[35]), (1e-5, 100.0));
    assert!(POWERS.iter().zip(0..).all(|(bound, power)| *bound == 2.0_f64.powi(power)));
}
