//! Requests carried out from the cache, one after another, side by side and elsewhere, under paused time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use consilience::orchestration::aggregate::Way;
use consilience::orchestration::cache;
use consilience::orchestration::history::Recommendation;
use consilience::orchestration::hybrid::{Answer, Batch, Builder, Hybrid, Member, Options, Remote};
use consilience::orchestration::selector::{self, Arm, Mode};
use consilience::orchestration::{Lane, Opinion, Question, Reply, source};
use consilience::partial::Pool;
use consilience::{Result, SourceError};
use futures_util::future::{BoxFuture, join_all};
use tokio::time::{Instant, sleep};

/// A source that takes so long, says so, and counts how often it was asked.
fn member(name: &'static str, took: u64, p: f32, asked: &Arc<AtomicU64>) -> Member<str> {
    let asked = Arc::clone(asked);
    let closure = source::of(name, move |_: Question<str>| {
        let asked = Arc::clone(&asked);
        async move {
            asked.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(took)).await;
            Ok(Reply::from(Opinion::Probabilities(vec![p, 1.0 - p])))
        }
    });
    Member::new(Arc::new(closure), "1")
}

fn broken(name: &'static str) -> Member<str> {
    let closure = source::of(name, async |_: Question<str>| Err::<Reply, _>(SourceError::failed("out of order")));
    Member::new(Arc::new(closure), "1")
}

fn counters<const N: usize>() -> [Arc<AtomicU64>; N] {
    std::array::from_fn(|_| Arc::default())
}

fn counts(asked: &[Arc<AtomicU64>]) -> Vec<u64> {
    asked.iter().map(|asked| asked.load(Ordering::Relaxed)).collect()
}

/// Three sources of 100, 200 and 300 milliseconds, as a linear pool.
fn three(asked: &[Arc<AtomicU64>; 3]) -> Builder<str> {
    Hybrid::builder(2)
        .member(member("a", 100, 0.75, &asked[0]))
        .member(member("b", 200, 0.5, &asked[1]))
        .member(member("c", 300, 0.25, &asked[2]).weight(2.0))
        .pool(Pool::Linear, None)
}

/// Options under which the arm is taken that the rule takes of what is known.
fn fixed() -> Options {
    let selector = selector::Options { mode: Mode::Fixed, ..selector::Options::default() };
    Options { selector, ..Options::default() }
}

fn ways(answer: &Answer) -> Vec<Way> {
    answer.fused.provenance.iter().map(|part| part.origin.way).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_not_asked_for() -> Result<()> {
    let asked = counters();
    let hybrid = three(&asked).options(fixed()).build()?;
    let first = hybrid.ask("?").await?;
    // (.75 + .5 + 2 x .25) / 4
    assert_eq!(first.fused.posterior, [0.4375, 0.5625]);
    assert_eq!((first.fused.decision, first.cost.calls, first.latency), (1, 3, Duration::from_millis(600)));
    assert_eq!((first.choice.arm, ways(&first)), (Arm::Sequential, vec![Way::Sequential; 3]));
    sleep(Duration::from_secs(1)).await;
    let again = hybrid.ask("?").await?;
    assert_eq!((again.choice.arm, again.latency, again.cost.calls), (Arm::Cache, Duration::ZERO, 0));
    assert_eq!((&again.fused, again.age), (&first.fused, Duration::from_secs(1)));
    assert_eq!(counts(&asked), [1, 1, 1]);
    // Another question is another.
    hybrid.ask("!").await?;
    assert_eq!(counts(&asked), [2, 2, 2]);
    // A source that changed is asked again, and no other.
    assert_eq!(hybrid.cache().invalidate_source("b"), 4);
    let partial = hybrid.ask("?").await?;
    assert_eq!((counts(&asked), partial.cost.calls), (vec![2, 3, 2], 1));
    assert_eq!(ways(&partial), [Way::Cache, Way::Sequential, Way::Cache]);
    assert_eq!((partial.fused.posterior.clone(), partial.latency), (vec![0.4375, 0.5625], Duration::from_millis(200)));
    Ok(())
}

/// Once it is known that something is gained.
#[tokio::test(start_paused = true)]
async fn side_by_side_takes_as_long_as_the_slowest() -> Result<()> {
    let asked = counters();
    // A worker for each of them.
    let lane = Lane::io("wide").workers(3..=20).build()?;
    let hybrid = three(&asked).options(fixed()).lane(lane).build()?;
    for question in ["1", "2", "3", "4", "5"] {
        assert_eq!(hybrid.ask(question).await?.choice.arm, Arm::Sequential, "{question}");
    }
    let answer = hybrid.ask("6").await?;
    assert_eq!((answer.choice.arm, answer.latency), (Arm::ParallelCpu, Duration::from_millis(300)));
    assert_eq!((answer.fused.posterior.clone(), ways(&answer)), (vec![0.4375, 0.5625], vec![Way::Parallel; 3]));
    assert_eq!(answer.choice.work, Some(Duration::from_millis(600)));
    let told = hybrid.diagnostics();
    assert_eq!((told.history.records, told.classes), (6, vec![Arc::from("text")]));
    assert_eq!((told.cache.opinions.entries, told.lane.served), (18, 3));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_hundred_who_ask_the_same_ask_each_source_once() -> Result<()> {
    for mode in [Mode::Fixed, Mode::Active] {
        let asked = counters();
        let mut options = fixed();
        options.selector.mode = mode;
        let hybrid = three(&asked).options(options).build()?;
        let answers = join_all((0..100).map(|_| hybrid.ask("?"))).await;
        for answer in answers {
            assert_eq!(answer?.fused.posterior, [0.4375, 0.5625]);
        }
        assert_eq!(counts(&asked), [1, 1, 1], "{mode:?}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_is_named_and_its_answer_not_kept() -> Result<()> {
    let asked = counters();
    let hybrid = three(&asked).member(broken("d")).options(fixed()).build()?;
    for _ in 0..2 {
        let answer = hybrid.ask("?").await?;
        assert_eq!(answer.fused.posterior, [0.4375, 0.5625]);
        let failed: Vec<_> = answer.failed.iter().map(|(name, why)| (&**name, why.to_string())).collect();
        assert_eq!(failed, [("d", "out of order".to_owned())]);
        assert_ne!(answer.choice.arm, Arm::Cache);
    }
    // The others' opinions are.
    assert_eq!(counts(&asked), [1, 1, 1]);
    let alone = Hybrid::builder(2).member(broken("d")).build()?;
    let error = alone.ask("?").await.expect_err("nobody");
    assert!(error.to_string().contains("no source answered: `d`: out of order"), "{error}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn who_is_late_is_left_out() -> Result<()> {
    let asked = counters();
    let hybrid = three(&asked).options(Options { deadline: Duration::from_millis(350), ..fixed() }).build()?;
    let answer = hybrid.ask("?").await?;
    assert_eq!((answer.latency, answer.fused.posterior.clone()), (Duration::from_millis(350), vec![0.625, 0.375]));
    assert!(
        matches!(&answer.failed[..], [(name, SourceError::TimedOut { .. })] if &**name == "c"),
        "{:?}",
        answer.failed
    );
    assert!(hybrid.ask_all_until(vec!["?".into()], Instant::now()).await.expect_err("no time").is_deadline());
    Ok(())
}

/// Other machines, which fail as a whole when they are told to.
struct Machines {
    fail: AtomicBool,
    batches: AtomicU64,
}

impl Remote<str> for Machines {
    fn carry_out(&self, batch: Batch<str>) -> BoxFuture<'_, Result<Vec<Result<Reply, SourceError>>>> {
        Box::pin(async move {
            self.batches.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(50)).await;
            if self.fail.load(Ordering::Relaxed) {
                return Err(consilience::RequestError::Closed { what: "the machines" }.into());
            }
            let of = |(name, _): (Arc<str>, Arc<str>)| match &*name {
                "a" => Ok(Reply::from(Opinion::Probabilities(vec![0.75, 0.25]))),
                "b" => Ok(Reply::from(Opinion::Probabilities(vec![0.5, 0.5]))),
                _ => Ok(Reply::from(Opinion::Probabilities(vec![0.25, 0.75]))),
            };
            Ok(batch.questions.into_iter().map(of).collect())
        })
    }
}

/// A batch goes to other machines where it takes long; where they fail, the simpler arms go on with what is held.
#[tokio::test(start_paused = true)]
async fn a_batch_goes_elsewhere_and_comes_back_where_that_fails() -> Result<()> {
    let asked = counters();
    let machines = Arc::new(Machines { fail: AtomicBool::new(false), batches: AtomicU64::new(0) });
    let mut options = fixed();
    options.selector.batch = 4;
    // Nothing is gained enough side by side, so that the rule comes to other machines.
    options.selector.parallel_benefit = 100.0;
    options.deadline = Duration::from_secs(60);
    let hybrid = three(&asked).options(options).remote(Arc::clone(&machines) as Arc<dyn Remote<str>>).build()?;
    for question in ["1", "2", "3", "4", "5"] {
        hybrid.ask(question).await?;
    }
    let questions =
        |from: usize| (from..from + 4).map(|i| Arc::from(i.to_string().as_str())).collect::<Vec<Arc<str>>>();
    // Of the first batch one question is held already.
    for answer in hybrid.ask_all(questions(5)).await? {
        assert_eq!(answer?.fused.posterior, [0.4375, 0.5625]);
    }
    assert_eq!((counts(&asked), machines.batches.load(Ordering::Relaxed)), (vec![8, 8, 8], 0), "three are no batch");
    let answers = hybrid.ask_all(questions(20)).await?;
    for answer in answers {
        let answer = answer?;
        assert_eq!((answer.choice.arm, answer.latency), (Arm::Distributed, Duration::from_millis(50)));
        assert_eq!((answer.fused.posterior.clone(), ways(&answer)), (vec![0.4375, 0.5625], vec![Way::Distributed; 3]));
    }
    assert_eq!((counts(&asked), machines.batches.load(Ordering::Relaxed)), (vec![8, 8, 8], 1));
    machines.fail.store(true, Ordering::Relaxed);
    hybrid.cache().invalidate_source("c");
    // Those of 20 to 22 lack c alone, 23 to be asked whole: 24 to 25 are new.
    for answer in hybrid.ask_all(questions(22)).await? {
        let answer = answer?;
        assert_eq!((answer.choice.arm, answer.fused.posterior.clone()), (Arm::Distributed, vec![0.4375, 0.5625]));
    }
    assert_eq!((counts(&asked), machines.batches.load(Ordering::Relaxed)), (vec![10, 10, 12], 2));
    let record = hybrid.diagnostics().history;
    assert_eq!(record.records, 8);
    Ok(())
}

/// A lane without room is followed by one call after another, with what was heard kept.
#[tokio::test(start_paused = true)]
async fn a_full_lane_is_gone_round() -> Result<()> {
    let asked = counters();
    let lane = Lane::io("narrow").workers(2..=2).queue(3).build()?;
    let hybrid = three(&asked).options(fixed()).lane(lane.clone()).build()?;
    for question in ["1", "2", "3", "4", "5"] {
        hybrid.ask(question).await?;
    }
    // Two of the three find room behind two jobs that take a second.
    let busy: Vec<_> =
        (0..3).map(|_| lane.submit(Default::default(), sleep(Duration::from_secs(1)))).collect::<Result<_>>()?;
    let answer = hybrid.ask("6").await?;
    assert_eq!((answer.choice.arm, answer.fused.posterior.clone()), (Arm::Sequential, vec![0.4375, 0.5625]));
    join_all(busy).await;
    assert_eq!(counts(&asked), [6, 6, 6]);
    Ok(())
}

/// What a source is learned to take is what it took when it was asked for a request, and nothing else.
#[tokio::test(start_paused = true)]
async fn only_calls_of_its_own_tell_how_long_a_source_takes() -> Result<()> {
    let asked = counters();
    let lane = Lane::io("wide").workers(3..=20).build()?;
    let hybrid = three(&asked).options(fixed()).lane(lane).build()?;
    for question in ["1", "2", "3", "4", "5"] {
        hybrid.ask(question).await?;
    }
    // The first asks side by side; the others wait for its answers, or find them when their turn comes.
    let hybrid = &hybrid;
    for burst in 0..6 {
        let ask = |n| async move {
            sleep(Duration::from_millis(n)).await;
            hybrid.ask(format!("burst {burst}")).await
        };
        let answers = join_all((0..10).map(ask)).await;
        for (n, answer) in answers.into_iter().enumerate() {
            let answer = answer?;
            // Nothing is to be gained for them by a lane.
            let arm = if n == 0 { Arm::ParallelCpu } else { Arm::Sequential };
            assert_eq!((answer.choice.arm, &answer.fused.posterior[..]), (arm, &[0.4375, 0.5625][..]), "{burst}, {n}");
        }
    }
    assert_eq!(counts(&asked), [11, 11, 11]);
    let dependencies = hybrid.dependencies();
    let work = ["a", "b", "c"].map(|name| dependencies.work(name).expect("eleven calls").as_millis());
    assert_eq!(work, [100, 200, 300]);
    // 600 ms of work in 300.
    let benefit = dependencies.pair_benefit("a", "b").expect("six bursts").ratio;
    assert!((benefit - 2.0).abs() < 1e-9, "{benefit}");
    Ok(())
}

/// Whoever was not asked before the deadline took no time, and an arm that left them out was no success.
#[tokio::test(start_paused = true)]
async fn an_arm_cut_short_by_the_deadline_is_no_success() -> Result<()> {
    let asked = counters();
    let hybrid = three(&asked).options(Options { deadline: Duration::from_millis(150), ..fixed() }).build()?;
    for question in 0..40 {
        let answer = hybrid.ask(question.to_string()).await?;
        assert_eq!((&answer.fused.posterior[..], answer.failed.len()), (&[0.75, 0.25][..], 2));
    }
    // c is never asked, and b cut short.
    assert_eq!(counts(&asked), [40, 40, 0]);
    let told = hybrid.diagnostics().history;
    assert_eq!((told.arms[0].arm, told.arms[0].success.share), (Arm::Sequential, 0.0));
    let dependencies = hybrid.dependencies();
    assert_eq!(dependencies.work("a"), Some(Duration::from_millis(100)));
    assert_eq!((dependencies.work("c"), dependencies.demand("a", "c")), (None, None));
    Ok(())
}

/// Answers from other machines were not held by the cache, and how long each took is not known.
#[tokio::test(start_paused = true)]
async fn what_comes_from_elsewhere_was_not_held() -> Result<()> {
    let asked = counters();
    let machines = Arc::new(Machines { fail: AtomicBool::new(false), batches: AtomicU64::new(0) });
    let mut options = fixed();
    options.selector.batch = 2;
    options.selector.parallel_benefit = 0.0;
    let hybrid = three(&asked).options(options).accelerator(machines).build()?;
    for batch in 0..5 {
        for answer in hybrid.ask_all(vec![format!("{batch}").into(), format!("{batch}!").into()]).await? {
            assert_eq!(answer?.choice.arm, Arm::ParallelGpu);
        }
    }
    assert_eq!(counts(&asked), [0, 0, 0]);
    let history = hybrid.diagnostics().history;
    let hits = history.classes[0].hits.expect("lookups");
    assert_eq!((hits.share, hits.of), (0.0, 30));
    let dependencies = hybrid.dependencies();
    assert_eq!((dependencies.work("a"), dependencies.cache_worth("a")), (None, None));
    assert_eq!(dependencies.demand("a", "b").map(|demand| demand.observations), Some(10));
    Ok(())
}

/// Lifetimes that are too short are told from what was never asked for.
#[tokio::test(start_paused = true)]
async fn what_is_missed_for_its_age_is_told() -> Result<()> {
    let asked = counters();
    let mut options = fixed();
    options.cache = options.cache.lifetime_of("b", cache::Lifetime::of(Duration::from_secs(10)));
    let hybrid = three(&asked).options(options).build()?;
    for _ in 0..40 {
        hybrid.ask("?").await?;
        sleep(Duration::from_secs(11)).await;
    }
    assert_eq!(counts(&asked), [2, 40, 2]);
    let history = hybrid.diagnostics().history;
    let expired = history.classes[0].expired.expect("misses");
    // All but the three that were asked for first.
    assert_eq!((expired.count, expired.of), (41, 44));
    let longer = |found: &Recommendation| matches!(found, Recommendation::LongerLifetime { .. });
    assert!(history.recommendations.iter().any(longer), "{:?}", history.recommendations);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_was_true_is_learned() -> Result<()> {
    let asked = counters();
    let hybrid = three(&asked).options(fixed()).build()?;
    for question in 0..20 {
        let answer = hybrid.ask(question.to_string()).await?;
        hybrid.learn(&answer, u32::from(question % 4 == 0))?;
    }
    // a votes for 0, as b does by the lower class, c for 1.
    let dependencies = hybrid.dependencies();
    let rates = ["a", "b", "c"].map(|name| dependencies.error_rate("text", name).expect("twenty questions"));
    assert!(rates[0] < 0.5 && rates[1] < 0.5 && rates[2] > 0.5, "{rates:?}");
    let answer = hybrid.ask("0").await?;
    assert!(hybrid.learn(&answer, 2).expect_err("no class").is_label());
    Ok(())
}

#[test]
fn what_cannot_be_built_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    let asked = counters::<3>();
    assert!(Hybrid::builder(2).build().expect_err("nobody").to_string().contains("source"));
    let twice = three(&asked).member(member("a", 1, 0.5, &asked[0])).build().expect_err("a twice");
    assert!(twice.to_string().contains("`a`"), "{twice}");
    let heavy = three(&asked).member(member("d", 1, 0.5, &asked[0]).weight(-1.0)).build().expect_err("a weight of -1");
    assert!(heavy.is_spec(), "{heavy}");
    let hasty = three(&asked).options(Options { deadline: Duration::ZERO, ..fixed() }).build().expect_err("no time");
    assert!(hasty.is_deadline(), "{hasty}");
    assert!(three(&asked).pool(Pool::Evidence, Some(vec![0.5, 0.6])).build().is_err());
}
