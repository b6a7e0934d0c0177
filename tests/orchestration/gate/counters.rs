//! The gate's counters, by a recorder that keeps them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use consilience::orchestration::Gate;
use consilience::orchestration::gate::{Expert, Options, Reason, Score};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

#[derive(Default)]
struct Kept(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Kept {
    fn counts(&self) -> Vec<(String, u64)> {
        self.0.lock().unwrap().iter().map(|(key, count)| (key.clone(), count.load(Ordering::Relaxed))).collect()
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Counter::from_arc(Arc::clone(self.0.lock().unwrap().entry(name).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn every_reason_has_a_counter_from_the_start_and_every_decision_is_counted() {
    let kept = Kept::default();
    let experts = ["a", "b"].map(|name| Expert::new(name).at_once(1));
    let gate = metrics::with_local_recorder(&kept, || Gate::new(experts, Options::default()).unwrap());
    let counted = |found: &[(Reason, u64)]| {
        let count = |reason| found.iter().find(|(counted, _)| *counted == reason).map_or(0, |&(_, count)| count);
        let mut all: Vec<(String, u64)> = Reason::ALL
            .map(|reason| (format!("consilience_gate_decisions_total{{reason={}}}", reason.name()), count(reason)))
            .to_vec();
        all.sort();
        all
    };
    assert_eq!(kept.counts(), counted(&[]));
    let both = [Score::new("a", 0.5), Score::new("b", 0.5)];
    let held = gate.choose(&both).unwrap();
    for _ in 0..3 {
        gate.choose(&both).unwrap_err();
    }
    drop(held);
    gate.choose(&[Score::new("a", 0.9), Score::new("b", 0.2)]).unwrap();
    gate.choose(&[Score::new("z", 0.9)]).unwrap_err();
    assert_eq!(kept.counts(), counted(&[(Reason::Top, 1), (Reason::Full, 3), (Reason::Lead, 1)]));
}
