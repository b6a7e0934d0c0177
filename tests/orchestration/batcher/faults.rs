//! One request's error, and processes that fail.

use consilience::orchestration::Batcher;
use consilience::orchestration::batcher::{Process, Submission};
use consilience::{Error, ErrorKind, RequestError, Result};
use futures_util::future::join_all;

use super::gate::{Act, Ask, Gate, ask, begun};

/// The outcomes of three requests that make one batch, the second of which acts up, and of one after them.
async fn outcomes(act: Act) -> (Vec<Result<u32>>, Result<u32>) {
    let gate = Gate::default();
    let batcher = gate.batcher().build().expect("a batcher");
    let first = begun(batcher.submit(ask(1), Submission::default())).await;
    gate.wait_begun(1);
    let mut batch = Vec::new();
    for ask in [ask(2), Ask { act, ..ask(3) }, ask(4)] {
        batch.push(begun(batcher.submit(ask, Submission::default())).await);
    }
    gate.open(3);
    assert_eq!(first.await.expect("an answer"), 10);
    let outcomes = join_all(batch).await;
    assert_eq!(gate.begun(), [vec![1], vec![2, 3, 4]]);
    let after = batcher.submit(ask(5), Submission::default()).await;
    let stats = batcher.stats();
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count() as u64;
    assert_eq!((stats.answered, stats.failed, stats.in_flight), (5 - failed, failed, 0));
    (outcomes, after)
}

#[tokio::test]
async fn one_requests_error_is_its_own_affair() {
    let (outcomes, after) = outcomes(Act::Fail).await;
    let [Ok(20), Err(error), Ok(40)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(error.to_string(), "no source answered: `3`: it closed without an answer");
    assert_eq!(after.unwrap(), 50);
}

#[tokio::test]
async fn a_panic_fails_the_requests_of_its_batch_and_no_other() {
    let (outcomes, after) = outcomes(Act::Panic).await;
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert_eq!(error.to_string(), "gate panicked: a bad batch; the request was not answered");
    }
    assert_eq!(after.unwrap(), 50);
}

#[tokio::test]
async fn a_wrong_number_of_answers_fails_the_requests_of_its_batch_and_no_other() {
    let wrong = |error: &Error| match error.kind() {
        ErrorKind::Request(RequestError::WrongCount { what, requests, answers }) => Some((*what, *requests, *answers)),
        _ => None,
    };
    let (outcomes, after) = outcomes(Act::Lose).await;
    for outcome in outcomes {
        assert_eq!(wrong(&outcome.unwrap_err()), Some(("gate", 3, 2)));
    }
    assert_eq!(after.unwrap(), 50);
}

/// Answers that panic when they are thrown away.
struct Touchy;

struct Nettle(u32);

impl Drop for Nettle {
    fn drop(&mut self) {
        assert_ne!(self.0, 1, "thrown away");
    }
}

impl Process for Touchy {
    type Input = (u32, std::sync::mpsc::Receiver<()>);
    type Output = Nettle;

    fn bytes(&self, _: &Self::Input) -> usize {
        0
    }

    fn process(&self, inputs: Vec<Self::Input>) -> Vec<Result<Nettle>> {
        inputs.into_iter().map(|(id, go)| (go.recv(), Ok(Nettle(id))).1).collect()
    }
}

#[tokio::test]
async fn an_answer_that_panics_when_it_is_thrown_away_touches_no_other() {
    let batcher = Batcher::builder(Touchy).build().unwrap();
    let ask = |id| {
        let (go, wait) = std::sync::mpsc::channel();
        (go, batcher.submit((id, wait), Submission::default()))
    };
    let (first_go, first) = ask(0);
    let (unwanted_go, unwanted) = ask(1);
    let (mate_go, mate) = ask(2);
    let first = begun(first).await;
    while batcher.stats().in_flight == 0 {
        std::thread::yield_now();
    }
    let (unwanted, mate) = (begun(unwanted).await, begun(mate).await);
    drop(first_go);
    assert_eq!(first.await.unwrap().0, 0);
    while batcher.stats().in_flight == 0 {
        std::thread::yield_now();
    }
    drop((unwanted, unwanted_go, mate_go));
    assert_eq!(mate.await.unwrap().0, 2);
    let (_, last) = ask(3);
    assert_eq!(last.await.unwrap().0, 3);
}
