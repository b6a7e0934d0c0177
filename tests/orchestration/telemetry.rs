//! What is exported is what happened.

mod exporter;
mod exposition;
mod handles;
mod load;
mod parts;
mod spans;

use consilience::orchestration::parallel_fusion::Fate;
use consilience::orchestration::telemetry::{Exporter, Telemetry};

/// A recorder of its own, so that tests do not see each other.
fn telemetry() -> (Exporter, Telemetry<Fate>) {
    let exporter = Exporter::new();
    let telemetry = metrics::with_local_recorder(&exporter.recorder(), || Telemetry::new(Fate::Censored));
    (exporter, telemetry)
}
