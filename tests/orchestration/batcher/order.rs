//! Which requests make a batch, and in which order.

use std::collections::VecDeque;

use consilience::orchestration::batcher::{Priority, Submission};
use futures_util::future::join_all;
use proptest::prelude::*;

use super::gate::{Ask, Gate, answer_to, ask, begun};

/// Submits a first request, which takes the slot, then the others, then lets everything through. Answers the batches.
async fn batches(gate: Gate, builder: impl FnOnce(&Gate) -> Batcher, asks: Vec<(Ask, Submission)>) -> Vec<Vec<u32>> {
    let batcher = builder(&gate);
    let first = begun(batcher.submit(ask(0), Submission::default())).await;
    gate.wait_begun(1);
    let mut others = Vec::new();
    let ids: Vec<u32> = asks.iter().map(|(ask, _)| ask.id).collect();
    for (ask, how) in asks {
        others.push(begun(batcher.submit(ask, how)).await);
    }
    gate.open(ids.len() + 1);
    assert_eq!(first.await.expect("an answer"), 0);
    let answers: Vec<u32> = join_all(others).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, ids.into_iter().map(answer_to).collect::<Vec<_>>());
    gate.begun().split_off(1)
}

type Batcher = consilience::orchestration::Batcher<Gate>;

fn plain(ids: impl IntoIterator<Item = u32>) -> Vec<(Ask, Submission)> {
    ids.into_iter().map(|id| (ask(id), Submission::default())).collect()
}

#[tokio::test]
async fn a_slot_that_becomes_free_takes_all_that_waits() {
    let taken = batches(Gate::default(), |gate| gate.batcher().build().unwrap(), plain(1..=5)).await;
    assert_eq!(taken, [[1, 2, 3, 4, 5]]);
}

#[tokio::test]
async fn an_idle_batcher_processes_one_request_at_once() {
    let gate = Gate::default();
    let batcher = gate.batcher().build().unwrap();
    gate.open(2);
    assert_eq!(batcher.submit(ask(7), Submission::default()).await.unwrap(), 70);
    assert_eq!(batcher.submit(ask(8), Submission::default()).await.unwrap(), 80);
    assert_eq!(gate.begun(), [[7], [8]]);
    assert_eq!(batcher.stats().mean_batch(), Some(1.0));
}

#[tokio::test]
async fn a_batch_has_at_most_so_many_requests() {
    let taken = batches(Gate::default(), |gate| gate.batcher().batch_requests(2).build().unwrap(), plain(1..=5)).await;
    assert_eq!(taken, [vec![1, 2], vec![3, 4], vec![5]]);
}

#[tokio::test]
async fn batches_are_made_smaller_and_larger_while_it_runs() {
    let set = |gate: &Gate, first: usize, then: usize| {
        let batcher = gate.batcher().batch_requests(first).build().unwrap();
        assert_eq!(batcher.batch_requests(), first);
        batcher.set_batch_requests(then);
        batcher
    };
    let smaller = batches(Gate::default(), |gate| set(gate, 3, 2), plain(1..=3)).await;
    assert_eq!(smaller, [vec![1, 2], vec![3]]);
    let larger = batches(Gate::default(), |gate| set(gate, 1, 3), plain(1..=3)).await;
    assert_eq!(larger, [[1, 2, 3]]);
    let none = batches(Gate::default(), |gate| set(gate, 2, 0), plain(1..=2)).await;
    assert_eq!(none, [[1], [2]]);
}

#[tokio::test]
async fn a_request_that_does_not_fit_into_a_batch_waits_and_all_behind_it() {
    let asks = [(1, 60), (2, 50), (3, 10), (4, 40), (5, 100)];
    let asks = asks.map(|(id, bytes)| (Ask { bytes, ..ask(id) }, Submission::default()));
    let taken = batches(Gate::default(), |gate| gate.batcher().batch_bytes(100).build().unwrap(), asks.into()).await;
    assert_eq!(taken, [vec![1], vec![2, 3, 4], vec![5]]);
}

#[tokio::test]
async fn two_slots_hold_two_batches_and_the_third_waits() {
    let gate = Gate::default();
    let batcher = gate.batcher().slots(2).build().unwrap();
    let mut asked = Vec::new();
    for id in 1..=4 {
        asked.push(begun(batcher.submit(ask(id), Submission::default())).await);
        gate.wait_begun(id.min(2) as usize);
    }
    let stats = batcher.stats();
    assert_eq!((stats.in_flight, stats.queued, stats.batches), (2, 2, 2));
    gate.open(3);
    assert_eq!(join_all(asked).await.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [10, 20, 30, 40]);
    assert_eq!(gate.begun(), [vec![1], vec![2], vec![3, 4]]);
}

#[tokio::test]
async fn callers_of_one_priority_take_turns() {
    let by = |caller, id| (ask(id), Submission::default().caller(caller));
    let asks = vec![by(1, 11), by(1, 12), by(1, 13), by(1, 14), by(2, 21), by(3, 31), by(3, 32)];
    let taken = batches(Gate::default(), |gate| gate.batcher().batch_requests(3).build().unwrap(), asks).await;
    assert_eq!(taken, [vec![11, 21, 31], vec![12, 32, 13], vec![14]]);
}

/// Twenty of each priority: ids 100 to 119 are critical, 200 to 219 high, and so on.
fn twenty_each() -> Vec<(Ask, Submission)> {
    let asks = Priority::ALL.into_iter().rev().flat_map(|priority| {
        let first = 100 * (priority as u32 + 1);
        (first..first + 20).map(move |id| (ask(id), Submission::new(priority)))
    });
    asks.collect()
}

#[tokio::test]
async fn of_fifteen_requests_eight_are_critical_four_high_two_normal_and_one_is_low() {
    let gate = Gate::default();
    let taken = batches(gate, |gate| gate.batcher().batch_requests(15).build().unwrap(), twenty_each()).await;
    // The request that took the slot had the first of the normal credits.
    assert_eq!(taken[0][..8], [100, 101, 102, 103, 104, 105, 106, 107]);
    assert_eq!(taken[0][8..14], [200, 201, 202, 203, 300, 400]);
    assert_eq!(taken[0][14], 108);
    let of = |level: u32| move |id: &&u32| **id / 100 == level;
    let counts = |batch: &Vec<u32>| [1, 2, 3, 4].map(|level| batch.iter().filter(of(level)).count());
    assert_eq!(counts(&taken[1]), [8, 4, 2, 1]);
    // The critical ones are gone after the next four, and the others share what they leave.
    assert_eq!(taken[2].iter().filter(of(1)).count(), 3);
    assert_eq!(taken.concat().len(), 80);
}

#[tokio::test]
async fn a_low_request_is_taken_though_critical_ones_never_end() {
    let gate = Gate::default();
    let batcher = gate.batcher().batch_requests(1).build().unwrap();
    let critical = |id| batcher.submit(ask(id), Submission::new(Priority::Critical));
    let mut asked = vec![begun(critical(1)).await];
    gate.wait_begun(1);
    let low = begun(batcher.submit(ask(1000), Submission::new(Priority::Low))).await;
    for id in 2..=30 {
        asked.push(begun(critical(id)).await);
        gate.open(1);
        gate.wait_begun(id as usize);
    }
    // Eight critical requests make a round, the first one included.
    assert_eq!(gate.begun()[..10].concat(), [1, 2, 3, 4, 5, 6, 7, 8, 1000, 9]);
    gate.open(2);
    assert_eq!(low.await.unwrap(), 10_000);
    join_all(asked).await;
}

/// The order by the rule in words: rounds of 8, 4, 2 and 1; callers of a level take turns.
fn naive_order(mut asks: Vec<(u32, usize, u64)>, first: usize) -> Vec<u32> {
    let weights = [8, 4, 2, 1];
    let mut credits = weights;
    credits[first] -= 1;
    let mut turns: [VecDeque<u64>; 4] = Default::default();
    for &(_, level, caller) in &asks {
        if !turns[level].contains(&caller) {
            turns[level].push_back(caller);
        }
    }
    let mut order = Vec::new();
    while !asks.is_empty() {
        let Some(level) = (0..4).find(|&level| !turns[level].is_empty() && credits[level] > 0) else {
            credits = weights;
            continue;
        };
        credits[level] -= 1;
        let caller = turns[level].pop_front().expect("a lane");
        let of_caller = |ask: &(u32, usize, u64)| (ask.1, ask.2) == (level, caller);
        order.push(asks.remove(asks.iter().position(of_caller).expect("a request")).0);
        if asks.iter().any(of_caller) {
            turns[level].push_back(caller);
        }
    }
    order
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn requests_are_taken_in_the_order_of_the_rule(asks in prop::collection::vec((0..4_usize, 0..5_u64), 1..80), most in 1..9_usize) {
        let asks: Vec<_> = asks.into_iter().zip(1..).map(|((level, caller), id)| (id, level, caller)).collect();
        let submissions = asks.iter().map(|&(id, level, caller)| (ask(id), Submission::new(Priority::ALL[level]).caller(caller)));
        let submissions = submissions.collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let taken = runtime.block_on(batches(Gate::default(), |gate| gate.batcher().batch_requests(most).build().unwrap(), submissions));
        prop_assert!(taken.iter().rev().skip(1).all(|batch| batch.len() == most));
        prop_assert_eq!(taken.concat(), naive_order(asks, Priority::Normal as usize));
    }
}
