//! Requests and calls while they last. However they end, dropped futures and panics included, they are counted once.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Span, info_span};

use super::{Ending, Handles, Label};
use crate::orchestration::router::Way;
use crate::orchestration::{Cost, Stopped};

/// A request in flight. Dropped unfinished, it counts as [`Ending::Cancelled`].
#[derive(Debug)]
#[must_use = "a request ends when this is dropped"]
pub struct Request<F: Label> {
    pub(super) handles: Arc<Handles<F>>,
    pub(super) id: u64,
    pub(super) span: Span,
    pub(super) began: Instant,
    pub(super) ending: Ending,
}

impl<F: Label> Request<F> {
    /// Its number, which is in its span, too.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its span, to run it in.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// A call of a source begins: it is in flight until it is finished or dropped, and has a span within this one's.
    pub fn ask(&self, source: &str) -> SourceCall<F> {
        let span = info_span!(parent: &self.span, "source", name = source, fate = Empty);
        self.handles.calls_in_flight.increment(1.0);
        let fate = self.handles.dropped;
        SourceCall { handles: Arc::clone(&self.handles), span, began: Instant::now(), fate }
    }

    /// Counts what was spent on answers; how many there were, the calls themselves count.
    pub fn spent(&self, cost: Cost) {
        self.handles.tokens_in.increment(cost.tokens_in);
        self.handles.tokens_out.increment(cost.tokens_out);
        self.handles.spent_micros.increment(cost.micros);
    }

    /// It was routed, this way.
    pub fn routed(&self, way: Way) {
        self.handles.routed.count(way);
    }

    /// No source is waited for any longer, for this reason.
    pub fn stopped(&self, why: Stopped) {
        self.handles.stopped.count(why);
    }

    /// It ends.
    pub fn finish(mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl<F: Label> Drop for Request<F> {
    fn drop(&mut self) {
        self.span.record("ending", self.ending.name());
        self.handles.request_seconds.record(self.began.elapsed());
        self.handles.requests_in_flight.decrement(1.0);
        self.handles.requests.count(self.ending);
    }
}

/// A call of a source in flight.
#[derive(Debug)]
#[must_use = "a call ends when this is dropped"]
pub struct SourceCall<F: Label> {
    handles: Arc<Handles<F>>,
    span: Span,
    began: Instant,
    fate: F,
}

impl<F: Label> SourceCall<F> {
    /// Its span, to run it in.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// It ends.
    pub fn finish(mut self, fate: F) {
        self.fate = fate;
    }
}

impl<F: Label> Drop for SourceCall<F> {
    fn drop(&mut self) {
        self.span.record("fate", self.fate.name());
        self.handles.call_seconds.record(self.began.elapsed());
        self.handles.calls_in_flight.decrement(1.0);
        self.handles.calls.count(self.fate);
    }
}
