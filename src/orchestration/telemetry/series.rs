//! The series an exporter has, and their text.
//!
//! The format is version 0.0.4 of Prometheus's text exposition: for each family `# HELP` and `# TYPE`, then its samples.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::atomics::AtomicU64;
use metrics::{Key, Unit};

use super::buckets::{Buckets, POWERS, SECONDS};
use super::metric::Kind;

/// Families by name. The lock is held to register, to describe and to render, never to count.
#[derive(Default)]
pub(super) struct Registry(Mutex<BTreeMap<String, Family>>);

/// The series of one name; each by its labels as they are written.
#[derive(Default)]
struct Family {
    unit: Option<Unit>,
    help: Option<String>,
    /// What its first series is; none of another kind joins it.
    kind: Option<Kind>,
    counters: BTreeMap<String, Arc<AtomicU64>>,
    /// The bits of a float each.
    gauges: BTreeMap<String, Arc<AtomicU64>>,
    histograms: BTreeMap<String, Arc<Buckets>>,
}

impl Registry {
    pub(super) fn describe(&self, name: &str, unit: Option<Unit>, help: &str) {
        let mut families = self.families();
        let family = families.entry(legal(name)).or_default();
        family.unit = unit;
        family.help = Some(help.replace('\\', "\\\\").replace('\n', "\\n"));
    }

    /// `None` where the name is that of metrics of another kind, which one text cannot hold.
    pub(super) fn counter(&self, key: &Key) -> Option<Arc<AtomicU64>> {
        self.register(key, Kind::Counter, |family, labels| Arc::clone(family.counters.entry(labels).or_default()))
    }

    pub(super) fn gauge(&self, key: &Key) -> Option<Arc<AtomicU64>> {
        self.register(key, Kind::Gauge, |family, labels| Arc::clone(family.gauges.entry(labels).or_default()))
    }

    pub(super) fn histogram(&self, key: &Key) -> Option<Arc<Buckets>> {
        self.register(key, Kind::Histogram, |family, labels| {
            let bounds: &'static [f64] = match family.unit {
                None | Some(Unit::Seconds) => &SECONDS,
                Some(_) => &POWERS,
            };
            Arc::clone(family.histograms.entry(labels).or_insert_with(|| Arc::new(Buckets::new(bounds))))
        })
    }

    fn register<T>(&self, key: &Key, kind: Kind, series: impl FnOnce(&mut Family, String) -> T) -> Option<T> {
        let name = legal(key.name());
        let mut families = self.families();
        let family = families.entry(name).or_default();
        let first = *family.kind.get_or_insert(kind);
        if first != kind {
            tracing::warn!(
                name = key.name(),
                ?first,
                ?kind,
                "a metric of another kind has this name; it is not exported"
            );
            return None;
        }
        Some(series(family, labels(key)))
    }

    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        for (name, family) in self.families().iter() {
            let Some(kind) = family.kind else { continue };
            if let Some(help) = &family.help {
                line(&mut text, format_args!("# HELP {name} {help}"));
            }
            line(&mut text, format_args!("# TYPE {name} {}", kind.name()));
            for (labels, count) in &family.counters {
                line(&mut text, format_args!("{name}{} {}", braced(labels), count.load(Ordering::Acquire)));
            }
            for (labels, bits) in &family.gauges {
                let value = f64::from_bits(bits.load(Ordering::Acquire));
                line(&mut text, format_args!("{name}{} {value}", braced(labels)));
            }
            for (labels, buckets) in &family.histograms {
                let comma = if labels.is_empty() { "" } else { "," };
                let mut all = 0;
                for (bound, count) in buckets.cumulative() {
                    let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
                    line(&mut text, format_args!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}"));
                    all = count;
                }
                line(&mut text, format_args!("{name}_sum{} {}", braced(labels), buckets.sum()));
                line(&mut text, format_args!("{name}_count{} {all}", braced(labels)));
            }
        }
        text
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<String, Family>> {
        // Nothing is left half done where the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line(text: &mut String, line: impl Display) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{line}");
}

fn braced(labels: &str) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") }
}

/// The labels of a key as they are written, by name.
fn labels(key: &Key) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut labels: Vec<String> =
        key.labels().map(|label| format!("{}=\"{}\"", legal(label.key()), escaped(label.value()))).collect();
    labels.sort_unstable();
    labels.join(",")
}

/// The name with an underscore for whatever Prometheus does not have in names.
fn legal(name: &str) -> String {
    let right = |(at, c): (usize, char)| {
        let is = c.is_ascii_alphabetic() || c == '_' || (at > 0 && c.is_ascii_digit());
        if is { c } else { '_' }
    };
    name.chars().enumerate().map(right).collect()
}
