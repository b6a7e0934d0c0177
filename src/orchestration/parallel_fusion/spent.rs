//! What a request costs, told to telemetry however it ends.

use std::ops::Deref;

use super::outcome::Fate;
use crate::orchestration::Meter;
use crate::orchestration::telemetry::Request;

/// What the calls of a request cost. Dropped, it is counted: once, with what the request was dropped with among it.
pub(super) struct Spent<'a> {
    pub meter: Meter,
    pub request: Option<&'a Request<Fate>>,
}

impl Deref for Spent<'_> {
    type Target = Meter;

    fn deref(&self) -> &Meter {
        &self.meter
    }
}

impl Drop for Spent<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request {
            request.spent(self.meter.total());
        }
    }
}
