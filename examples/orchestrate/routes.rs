//! The routing strategies, and what was learned.

use std::sync::Arc;
use std::time::Duration;

use comfy_table::{Table, presets};
use consilience::Engine;
use consilience::orchestration::parallel_fusion;
use consilience::orchestration::router::{self, Complexity, Group, Strategy, Way, Worth};
use consilience::orchestration::service::{Options, Service};

use crate::Failure;
use crate::digits::{CLASSES, Digits, Part};
use crate::live::Live;

/// What a picture has in place of words: pixels that are neither white nor black, for a clear hand leaves few.
fn grey(part: &Part, item: usize) -> u32 {
    part.pixels.row(item).iter().filter(|&&ink| (0.2..0.8).contains(&ink)).count() as u32
}

/// Answers every picture by every strategy, learning from each truth before the next.
pub async fn compare(engine: &Arc<Engine>, live: &Arc<Live>, digits: &Digits) -> Result<(), Failure> {
    let greys: Arc<Vec<u32>> = Arc::new((0..live.items()).map(|item| grey(&digits.test, item)).collect());
    let mut sorted: Vec<u32> = (0..digits.train.labels.len()).map(|item| grey(&digits.train, item)).collect();
    sorted.sort_unstable();
    let threshold = f64::from(sorted[sorted.len() / 2]) / 100.0;
    let source = |name: &str| live.names.iter().position(|known| known == name).map(|n| live.source(n));
    let sources = |names: &[&str]| names.iter().filter_map(|name| source(name)).collect::<Vec<_>>();

    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["strategy", "accuracy %", "calls a request", "mean ms", "worth"]);
    let mut last = None;
    for strategy in Strategy::ALL {
        // A tenth of a second costs a twentieth of a right answer.
        let worth = Worth { second: 0.5, million: 0.0 };
        let options = Options {
            fusion: parallel_fusion::Options::parallel_fusion().deadline(Duration::from_secs(1)),
            router: router::Options { strategy, threshold, ..router::Options::default() },
            worth,
            ..Options::default()
        };
        let by_grey = Arc::clone(&greys);
        let service = Service::builder_by(Arc::clone(engine), CLASSES, move |&item: &usize| Complexity {
            words: by_grey[item],
            ..Complexity::default()
        })
        .options(options)
        .group(Group::ai("models"), sources(&["knn", "forest", "logistic"]))
        .group(Group::runtime("rules"), sources(&["tree", "bayes"]))
        .build()?;
        let (mut right, mut calls, mut time, mut value) = (0, 0, Duration::ZERO, 0.0);
        for (item, &truth) in live.truths.iter().enumerate() {
            let answer = service.ask(item).await?;
            service.learn(&answer, truth)?;
            let is_right = answer.outcome.decision == truth;
            let took = answer.attempts.last().map_or(Duration::ZERO, |attempt| attempt.latency);
            right += usize::from(is_right);
            calls += answer.outcome.reports.len();
            time += took;
            value += worth.reward(f64::from(u8::from(is_right)), took, answer.outcome.cost);
        }
        let of = |sum: f64| sum / live.items() as f64;
        table.add_row([
            strategy.name().to_owned(),
            format!("{:.1}", 100.0 * of(right as f64)),
            format!("{:.2}", of(calls as f64)),
            format!("{:.1}", 1e3 * of(time.as_secs_f64())),
            format!("{:.3}", of(value)),
        ]);
        assert_eq!(service.stats().answered, live.items() as u64);
        last = Some(service.router());
    }
    println!("{table}");
    if let Some(router) = last {
        println!("what the adaptive router learned, as the probability of each way:");
        for words in [0, Complexity::WORDS] {
            let context =
                router.route(Complexity { words, ..Complexity::default() }, Duration::from_secs(1), 0).context;
            let ways: Vec<_> = Way::ALL.iter().zip(router.propensities(context)).collect();
            let ways: Vec<_> = ways.iter().map(|(way, p)| format!("{} {p:.2}", way.name())).collect();
            println!("  {:12} {}", if words == 0 { "clear hands" } else { "unclear ones" }, ways.join(", "));
        }
    }
    Ok(())
}
