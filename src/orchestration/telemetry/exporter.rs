//! Metrics as text for Prometheus.

use std::fmt;
use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use super::series::Registry;

/// Gathers metrics and renders them in the text format of Prometheus; whoever serves HTTP answers a scrape with it.
///
/// Histograms have fixed buckets: [`SECONDS`](super::SECONDS) for those of seconds, which is what those without a unit are
/// taken for, and [`POWERS`](super::POWERS) for those of anything else. Rather than summaries, for the counts of buckets
/// lose nothing between two scrapes, add up over machines, and give any quantile over any window
/// (`histogram_quantile(0.99, rate(consilience_request_seconds_bucket[5m]))`). A sample is counted in its bucket at once,
/// so memory does not grow where nobody scrapes.
///
/// # Examples
///
/// *A histogram, rendered.*
///
/// ```
/// use consilience::orchestration::telemetry::Exporter;
///
/// let exporter = Exporter::new();
/// metrics::with_local_recorder(&exporter.recorder(), || metrics::histogram!("wait_seconds").record(0.02));
/// assert!(exporter.render().contains("wait_seconds_bucket{le=\"0.025\"} 1\n"));
/// ```
#[derive(Clone, Default)]
pub struct Exporter {
    registry: Arc<Registry>,
}

impl Exporter {
    /// An exporter that gathers nothing yet; see [`Exporter::install`] and [`Exporter::recorder`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes it the recorder of the whole process, for good; `false` where there was one already, and nothing is changed.
    #[must_use = "where there was a recorder already, this exporter sees nothing"]
    pub fn install(&self) -> bool {
        metrics::set_global_recorder(self.clone()).is_ok()
    }

    /// What gathers, for `metrics::with_local_recorder` or to be one of several recorders.
    #[must_use]
    pub fn recorder(&self) -> impl Recorder + Clone + Send + Sync + 'static {
        self.clone()
    }

    /// Everything gathered so far, by name.
    #[must_use]
    pub fn render(&self) -> String {
        self.registry.render()
    }
}

impl Recorder for Exporter {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.registry.describe(name.as_str(), unit, &help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.registry.describe(name.as_str(), unit, &help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.registry.describe(name.as_str(), unit, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.registry.counter(key).map_or_else(Counter::noop, Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.registry.gauge(key).map_or_else(Gauge::noop, Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.registry.histogram(key).map_or_else(Histogram::noop, Histogram::from_arc)
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}
