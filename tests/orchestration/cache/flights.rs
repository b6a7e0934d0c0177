//! One asks for all who want the same.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use consilience::orchestration::cache::{Cache, Cached, Expiry, Made, Origin};
use consilience::orchestration::fuse::Verdict;
use consilience::orchestration::{Cost, Opinion, Reply};
use consilience::{RequestError, SourceError};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep};

use super::{cache, cost, key, lasting, posterior, reply, seconds};

type Answer = Result<Cached<Reply>, SourceError>;

/// A request of its own that takes ten seconds to answer, or fails after them.
fn ask(cache: &Arc<Cache>, calls: &Arc<AtomicU32>, failure: Option<SourceError>) -> JoinHandle<Answer> {
    let (cache, calls) = (Arc::clone(cache), Arc::clone(calls));
    tokio::spawn(async move {
        let key = key(&cache, "model", "cat or dog?");
        let ask = move || async move {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            sleep(seconds(10)).await;
            failure.map_or_else(|| Ok(reply(call)), Err)
        };
        cache.opinion_or_ask(&key, ask).await
    })
}

fn shared() -> (Arc<Cache>, Arc<AtomicU32>) {
    (Arc::new(cache(lasting(60, 0))), Arc::new(AtomicU32::new(0)))
}

#[tokio::test(start_paused = true)]
async fn a_hundred_that_come_at_once_ask_once() {
    let (cache, calls) = shared();
    let began = Instant::now();
    let answers = join_all((0..100).map(|_| ask(&cache, &calls, None))).await;
    let mut made = 0;
    for answer in answers {
        let answer = answer.unwrap().unwrap();
        assert_eq!(*answer.value, reply(0));
        match answer.origin {
            Origin::Made => {
                made += 1;
                assert_eq!(answer.saved, Default::default());
            }
            origin => {
                assert_eq!(origin, Origin::Joined);
                assert_eq!((answer.saved.cost, answer.saved.latency), (cost(0), seconds(10)));
            }
        }
    }
    assert_eq!((made, calls.load(Ordering::SeqCst), began.elapsed()), (1, 1, seconds(10)));
    let stats = cache.stats().opinions;
    assert_eq!((stats.misses, stats.hits, stats.made, stats.joined, stats.inserted), (100, 0, 1, 99, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_ask_once_too() {
    for round in 0..200 {
        let (cache, calls) = shared();
        let gate = Arc::new(Semaphore::new(0));
        let requests = (0..100).map(|_| {
            let (cache, calls, gate) = (Arc::clone(&cache), Arc::clone(&calls), Arc::clone(&gate));
            tokio::spawn(async move {
                let key = key(&cache, "model", "cat or dog?");
                drop(gate.acquire().await);
                let ask = move || async move {
                    let call = calls.fetch_add(1, Ordering::SeqCst);
                    yield_now().await;
                    Ok(reply(call))
                };
                cache.opinion_or_ask(&key, ask).await.unwrap().value
            })
        });
        let requests: Vec<_> = requests.collect();
        gate.add_permits(100);
        for value in join_all(requests).await {
            assert_eq!(*value.unwrap(), reply(0), "round {round}");
        }
        let stats = cache.stats().opinions;
        assert_eq!((stats.lookups(), stats.made), (100, 1), "round {round}");
        assert_eq!(stats.hits + stats.joined + stats.made, 100, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_one_who_asks_goes_the_next_asks() {
    let (cache, calls) = shared();
    let first = ask(&cache, &calls, None);
    yield_now().await;
    let others: Vec<_> = (0..3).map(|_| ask(&cache, &calls, None)).collect();
    sleep(seconds(4)).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let origins: Vec<_> = join_all(others).await.into_iter().map(|answer| answer.unwrap().unwrap().origin).collect();
    assert_eq!(origins, [Origin::Made, Origin::Joined, Origin::Joined]);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    assert_eq!(cache.stats().opinions.joined, 2);
}

#[tokio::test(start_paused = true)]
async fn when_all_go_the_next_to_come_asks() {
    let (cache, calls) = shared();
    let gone: Vec<_> = (0..3).map(|_| ask(&cache, &calls, None)).collect();
    yield_now().await;
    gone.iter().for_each(JoinHandle::abort);
    join_all(gone).await;
    assert_eq!(ask(&cache, &calls, None).await.unwrap().unwrap().origin, Origin::Made);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_get_a_failure_and_nobody_after_them() {
    let (cache, calls) = shared();
    let failing: Vec<_> = (0..5).map(|_| ask(&cache, &calls, Some(SourceError::failed("out of order")))).collect();
    for answer in join_all(failing).await {
        assert_eq!(answer.unwrap().unwrap_err().to_string(), "out of order");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let stats = cache.stats().opinions;
    assert_eq!((stats.made, stats.failed, stats.joined, stats.inserted, stats.entries), (1, 1, 4, 0, 0));
    assert_eq!(*ask(&cache, &calls, None).await.unwrap().unwrap().value, reply(1));
}

/// Whoever comes when a failure is known and not all who waited for it have left yet begins anew.
#[tokio::test(start_paused = true)]
async fn a_failure_is_not_given_to_those_who_come_after_it() {
    let (cache, calls) = shared();
    let key = key(&cache, "model", "cat or dog?");
    let mut first = Box::pin(cache.opinion_or_ask(&key, async || Err(SourceError::failed("out of order"))));
    let mut second = Box::pin(cache.opinion_or_ask(&key, async || pending().await));
    let gate = async || {
        yield_now().await;
        Err(SourceError::failed("out of order"))
    };
    let mut zeroth = Box::pin(cache.opinion_or_ask(&key, gate));
    assert!((&mut zeroth).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    assert!((&mut first).now_or_never().is_none());
    assert!(zeroth.await.is_err());
    // Both still hold their seats.
    assert_eq!(ask(&cache, &calls, None).await.unwrap().unwrap().origin, Origin::Made);
    assert!(second.await.is_err());
    assert!(first.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn whoever_runs_out_of_time_runs_out_for_himself() {
    let (cache, calls) = shared();
    let hurried = ask(&cache, &calls, Some(SourceError::TimedOut { after: seconds(10) }));
    yield_now().await;
    let patient = ask(&cache, &calls, None);
    assert_eq!(hurried.await.unwrap().unwrap_err().to_string(), "no answer within 10s");
    assert_eq!(*patient.await.unwrap().unwrap().value, reply(1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_that_of_one() {
    let (cache, calls) = shared();
    let panicking = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move {
            let key = key(&cache, "model", "cat or dog?");
            let ask = async || {
                sleep(seconds(1)).await;
                panic!("a test asked for this panic")
            };
            cache.opinion_or_ask(&key, ask).await
        }
    });
    yield_now().await;
    let other = ask(&cache, &calls, None);
    assert!(panicking.await.unwrap_err().is_panic());
    assert_eq!(other.await.unwrap().unwrap().origin, Origin::Made);
}

#[tokio::test(start_paused = true)]
async fn different_questions_do_not_wait_for_each_other() {
    let (cache, calls) = shared();
    let never = key(&cache, "model", "never");
    let mut waiting = Box::pin(cache.opinion_or_ask(&never, async || pending().await));
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(ask(&cache, &calls, None).await.unwrap().unwrap().origin, Origin::Made);
}

#[tokio::test(start_paused = true)]
async fn fused_answers_are_made_once_too() {
    let (cache, calls) = shared();
    let key = posterior(&cache, &["model"], "cat or dog?");
    let request = |failing: bool| {
        let (calls, expiry) = (Arc::clone(&calls), cache.expiry("model"));
        cache.posterior_or_make(&key, move || async move {
            calls.fetch_add(1, Ordering::SeqCst);
            sleep(seconds(2)).await;
            if failing {
                return Err(RequestError::NoSources.into());
            }
            Ok(Made { value: Verdict::default(), cost: cost(7), expiry })
        })
    };
    for failed in join_all((0..100).map(|_| request(true))).await {
        assert!(failed.unwrap_err().is_request());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let answers = join_all((0..100).map(|_| request(false))).await;
    let saved: Cost = answers.iter().map(|answer| answer.as_ref().unwrap().saved.cost).sum();
    assert_eq!((calls.load(Ordering::SeqCst), saved.micros), (2, 99 * 7));
    let hit = cache.posterior(&key).unwrap();
    assert_eq!((hit.origin, hit.saved.cost, hit.saved.latency), (Origin::Fresh, cost(7), seconds(2)));
    assert!(Expiry::of(cache.options().lifetime).fresh > hit.expiry.fresh);
}

/// Who looks, misses, and comes to ask when the answer is there already does not ask again.
#[tokio::test(start_paused = true)]
async fn an_answer_that_came_meanwhile_is_taken() {
    let cache = cache(lasting(60, 0));
    let key = key(&cache, "model", "cat or dog?");
    let asked = cache.opinion_or_ask(&key, async || {
        sleep(seconds(1)).await;
        Err(SourceError::TimedOut { after: seconds(1) })
    });
    let other = cache.opinion_or_ask(&key, async || Ok(Opinion::Abstained.into()));
    let insert = async {
        yield_now().await;
        cache.insert_opinion(&key, reply(5), seconds(3));
    };
    let (asked, other, ()) = tokio::join!(asked, other, insert);
    assert!(asked.is_err());
    let other = other.unwrap();
    assert_eq!((other.origin, &*other.value, other.saved.latency), (Origin::Joined, &reply(5), seconds(3)));
}
