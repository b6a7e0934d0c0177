//! A request followed from outside while it runs.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures_util::Stream;
use futures_util::stream::poll_fn;
use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use super::ParallelFusion;
use super::outcome::{Fate, Outcome};
use crate::error::{Error, SourceError};
use crate::orchestration::Opinion;
use crate::orchestration::stop::Stopped;

/// Something that happened to a request. Sources go by their index.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A source is not done but says what it holds so far. Of several such reports not yet looked at, the latest.
    Partial {
        /// Which source.
        source: usize,
        /// What it holds.
        opinion: Opinion,
    },
    /// A source gave its opinion.
    Arrived {
        /// Which source.
        source: usize,
        /// What it says.
        opinion: Opinion,
        /// All opinions so far, fused.
        posterior: Vec<f32>,
        /// The class with the largest posterior so far.
        decision: u32,
        /// The largest posterior so far.
        confidence: f32,
    },
    /// A source will give no opinion.
    Failed {
        /// Which source.
        source: usize,
        /// What became of it.
        fate: Fate,
        /// Why.
        error: SourceError,
    },
    /// A source is slow and was asked a second time.
    Hedged {
        /// Which source.
        source: usize,
    },
    /// No source is waited for any longer.
    Stopped(Stopped),
    /// The request is answered.
    Answered(Box<Outcome>),
    /// The request failed.
    Refused(Error),
}

/// Who is told of events, as they happen: it returns soon.
pub(crate) type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// Where events wait to be looked at.
#[derive(Debug, Default)]
struct Listener {
    events: Mutex<VecDeque<Event>>,
    waker: AtomicWaker,
}

impl Listener {
    fn push(&self, event: Event) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Event::Partial { source, .. } = event {
            // At most as many partial reports wait as there are sources.
            events.retain(|waiting| !matches!(waiting, Event::Partial { source: earlier, .. } if *earlier == source));
        }
        events.push_back(event);
        drop(events);
        self.waker.wake();
    }

    fn pop(&self) -> Option<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

pub(super) fn follow<I: ?Sized + Send + Sync>(
    fusion: &ParallelFusion<I>,
    input: Arc<I>,
    deadline: Instant,
) -> impl Stream<Item = Event> + '_ {
    let listener = Arc::new(Listener::default());
    let told = Arc::clone(&listener);
    let tell: Tell = Arc::new(move |event| told.push(event));
    let request = async move {
        tell(match fusion.request(input, deadline, Some(Arc::clone(&tell))).await {
            Ok(outcome) => Event::Answered(Box::new(outcome)),
            Err(error) => Event::Refused(error),
        });
    };
    let mut request = Some(Box::pin(request));
    poll_fn(move |context| {
        listener.waker.register(context.waker());
        if let Some(running) = &mut request
            && running.as_mut().poll(context).is_ready()
        {
            request = None;
        }
        match (listener.pop(), &request) {
            (Some(event), _) => Poll::Ready(Some(event)),
            (None, None) => Poll::Ready(None),
            (None, Some(_)) => Poll::Pending,
        }
    })
}
