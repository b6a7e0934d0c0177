//! How many workers there are.

use std::time::Duration;

use consilience::orchestration::lane::{Lane, Priority};
use tokio::time::{Instant, sleep, sleep_until};

use super::desk::{Desk, settled};
use crate::support::problem::Random;

const MS: Duration = Duration::from_millis(1);

/// Jobs that come after the times given by `gap` and take those given by `service`; the number of workers at the end of
/// each interval of 100 ms, and beside it the number needed, neither bounded nor damped.
async fn load(
    lane: &Lane,
    time: Duration,
    mut gap: impl FnMut() -> Duration,
    mut service: impl FnMut() -> Duration,
) -> (Vec<usize>, Vec<usize>) {
    let (end, mut workers, mut needed) = (Instant::now() + time, Vec::new(), Vec::new());
    let (mut next_job, mut next_look) = (Instant::now(), Instant::now() + 100 * MS);
    while next_look <= end {
        if next_job < next_look {
            sleep_until(next_job).await;
            let took = service();
            let ticket = lane.submit(Priority::Normal, async move { sleep(took).await }).expect("room");
            tokio::spawn(ticket);
            next_job += gap();
        } else {
            sleep_until(next_look).await;
            workers.push(lane.load().workers);
            needed.push(lane.stats().needed.ceil() as usize);
            next_look += 100 * MS;
        }
    }
    (workers, needed)
}

fn exponential(random: &mut Random, mean: Duration) -> Duration {
    mean.mul_f64(-f64::from(1.0 - random.unit()).max(1e-6).ln())
}

/// How often the number rose after it had fallen, or the other way round.
fn turns(workers: &[usize]) -> usize {
    let ups: Vec<bool> = workers.windows(2).filter(|w| w[0] != w[1]).map(|w| w[1] > w[0]).collect();
    ups.windows(2).filter(|w| w[0] != w[1]).count()
}

#[tokio::test(start_paused = true)]
async fn as_many_workers_as_the_load_keeps_busy() {
    let lane = Lane::io("lane").build().unwrap();
    assert_eq!(lane.load().workers, 2);
    // 50 a second, of 100 ms each: five at a time.
    let (workers, _) = load(&lane, Duration::from_secs(70), || 20 * MS, || 100 * MS).await;
    assert!(workers.windows(2).all(|w| w[0].abs_diff(w[1]) <= 2), "{workers:?}");
    assert!(workers[9] >= 5, "{workers:?}");
    let settled = &workers[100..];
    assert!((5..=7).contains(&settled[0]) && settled.iter().all(|w| *w == settled[0]), "{workers:?}");
    let stats = lane.stats();
    assert!((stats.arrival_rate - 50.0).abs() < 1.0 && (stats.needed - 5.0).abs() < 0.1, "{stats:?}");
    assert_eq!(stats.refused, 0);
    // No more than what was put off before there were enough.
    assert!(stats.wait.quantile(0.95).unwrap() < 5 * MS, "{:?}", stats.wait.quantile(0.95));
}

#[tokio::test(start_paused = true)]
async fn a_constant_load_of_random_jobs_makes_no_flapping() {
    for seed in 0..5 {
        let (mut gaps, mut services) = (Random::new(seed), Random::new(seed + 100));
        let lane = Lane::io("lane").build().unwrap();
        let (workers, needed) = load(
            &lane,
            Duration::from_secs(130),
            || exponential(&mut gaps, 20 * MS),
            || exponential(&mut services, 100 * MS),
        )
        .await;
        let (least, most) = (workers[100..].iter().min().unwrap(), workers[100..].iter().max().unwrap());
        // In two minutes: once in five seconds, where what is needed turns each second.
        assert!(turns(&workers[100..]) <= 24, "seed {seed}: {} turns", turns(&workers[100..]));
        assert!(turns(&needed[100..]) >= 120, "seed {seed}: {} turns of what is needed", turns(&needed[100..]));
        assert!(*least >= 4 && *most <= 12, "seed {seed}: {least} to {most}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_heavy_load_takes_the_most_and_leaves_the_least() {
    let lane = Lane::io("lane").queue(1 << 20).build().unwrap();
    // 400 a second, of 100 ms each: forty at a time.
    let (workers, _) = load(&lane, Duration::from_secs(10), || MS.mul_f64(2.5), || 100 * MS).await;
    assert!(workers.windows(2).all(|w| w[1] >= w[0] && w[1] - w[0] <= 2), "{workers:?}");
    assert_eq!((workers[0], workers[8], workers[99]), (4, 20, 20), "{workers:?}");
    assert_eq!(lane.load().running, 20);
    // What was put off is done at 200 a second; then the load is forgotten.
    while lane.load().queued > 0 {
        assert_eq!(lane.load().workers, 20);
        sleep(100 * MS).await;
    }
    let mut falling = Vec::new();
    for _ in 0..60 {
        falling.push(lane.load().workers);
        sleep(100 * MS).await;
    }
    assert!(falling.windows(2).all(|w| w[1] <= w[0] && w[0] - w[1] <= 2), "{falling:?}");
    assert_eq!((falling[0], lane.load().workers, lane.load().running), (20, 2, 0), "{falling:?}");
}

/// Nothing comes and nothing ends: all the same, what waits is noticed.
#[tokio::test(start_paused = true)]
async fn a_burst_behind_slow_jobs_is_seen_to() {
    let desk = Desk::default();
    let lane = Lane::io("lane").build().unwrap();
    let tickets: Vec<_> = (0..30).map(|id| lane.submit(Priority::Normal, desk.job(id)).unwrap()).collect();
    settled().await;
    assert_eq!(desk.held().len(), 2);
    sleep(3001 * MS).await;
    assert_eq!(desk.held().len(), 20);
    drop(tickets);
}

/// A worker too many finishes its job and takes no other.
#[tokio::test(start_paused = true)]
async fn whoever_is_let_go_finishes_its_job() {
    let desk = Desk::default();
    let lane = Lane::io("lane").workers(1..=4).build().unwrap();
    let tickets: Vec<_> = (0..4).map(|id| lane.submit(Priority::Normal, desk.job(id)).unwrap()).collect();
    sleep(Duration::from_secs(2)).await;
    assert_eq!((desk.held().len(), lane.load().workers), (4, 4));
    // The first to end says that jobs take long; the quick ones after it say that they do not.
    desk.let_go(0, true).await;
    for _ in 0..100 {
        let _ = lane.submit(Priority::Normal, async {}).unwrap().await;
    }
    sleep(Duration::from_secs(20)).await;
    assert_eq!((desk.held().len(), lane.load().workers), (3, 1));
    let waits = lane.submit(Priority::Normal, desk.job(9)).unwrap();
    desk.let_go(1, true).await;
    desk.let_go(2, true).await;
    assert_eq!(desk.held(), [3]);
    desk.let_go(3, true).await;
    assert_eq!(desk.held(), [9]);
    drop((tickets, waits));
}
