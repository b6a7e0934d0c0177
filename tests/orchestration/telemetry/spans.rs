//! Spans: one per request with its number, one within it per call with the name of the source.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use consilience::orchestration::telemetry::Ending;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::{Fate, telemetry};

#[derive(Debug, Default, Clone, PartialEq)]
struct Seen {
    name: &'static str,
    parent: Option<u64>,
    fields: BTreeMap<&'static str, String>,
    closed: bool,
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

/// Keeps every span, by the order of its beginning, from 1.
#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<Vec<Seen>>>);

impl Keeper {
    fn at(&self, id: &Id, change: impl FnOnce(&mut Seen)) {
        change(&mut self.0.lock().unwrap()[id.into_u64() as usize - 1]);
    }
}

impl Subscriber for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut seen =
            Seen { name: span.metadata().name(), parent: span.parent().map(Id::into_u64), ..Seen::default() };
        span.record(&mut seen);
        let mut spans = self.0.lock().unwrap();
        spans.push(seen);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.at(span, |seen| values.record(seen));
    }

    fn try_close(&self, span: Id) -> bool {
        self.at(&span, |seen| seen.closed = true);
        true
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_request_has_a_span_and_its_calls_have_spans_in_it() {
    let keeper = Keeper::default();
    tracing::subscriber::with_default(keeper.clone(), || {
        let (_exporter, telemetry) = telemetry();
        drop(telemetry.begin());
        let request = telemetry.begin();
        assert_eq!(request.id(), 1);
        let call = request.ask("a");
        drop(request.ask("b"));
        call.finish(Fate::Answered);
        request.finish(Ending::Answered);
    });
    let span = |name, parent, fields: &[(&'static str, &str)]| Seen {
        name,
        parent,
        fields: fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        closed: true,
    };
    let seen = keeper.0.lock().unwrap().clone();
    assert_eq!(seen[0], span("request", None, &[("id", "0"), ("ending", "cancelled")]));
    assert_eq!(seen[1], span("request", None, &[("id", "1"), ("ending", "answered")]));
    assert_eq!(seen[2], span("source", Some(2), &[("name", "a"), ("fate", "answered")]));
    assert_eq!(seen[3], span("source", Some(2), &[("name", "b"), ("fate", "censored")]));
    assert_eq!(seen.len(), 4);
}
