//! Waiting for all, beside stopping early.

use std::sync::Arc;
use std::time::Duration;

use comfy_table::{Table, presets};
use consilience::orchestration::parallel_fusion::{Fate, Options};
use consilience::orchestration::{ParallelFusion, Stop};
use consilience::{Engine, Fusion, Rule};

use crate::Failure;
use crate::digits::CLASSES;
use crate::live::Live;

/// What came of asking about every picture.
struct Pass {
    decisions: Vec<Option<u32>>,
    /// Answers that were waited for, of all calls made.
    heard: usize,
    calls: usize,
    time: Duration,
}

/// Fuses the five, and the eight, with and without stop rules. A lock must not change any decision.
pub async fn compare(engine: &Arc<Engine>, five: &Arc<Live>, eight: &Arc<Live>) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["sources", "rule", "stops", "accuracy %", "answers waited for", "saved %", "mean ms"]);
    let stops = [
        ("never", Stop::default()),
        ("when settled", Stop::LOCKED),
        ("when settled, or at 0.9", Stop::LOCKED.or_at(0.9, 2)),
    ];
    for (live, rule) in [(five, Rule::Vote), (five, Rule::default()), (eight, Rule::Vote)] {
        let mut waited = None;
        for (name, stop) in stops {
            let pass = pass(engine, live, rule.clone(), stop).await?;
            let right = pass.decisions.iter().zip(&live.truths).filter(|(made, truth)| **made == Some(**truth)).count();
            let saved = 100.0 * (1.0 - pass.heard as f64 / pass.calls as f64);
            table.add_row([
                live.names.len().to_string(),
                rule.name().to_owned(),
                name.to_owned(),
                format!("{:.1}", 100.0 * right as f64 / live.items() as f64),
                format!("{} of {}", pass.heard, pass.calls),
                format!("{saved:.1}"),
                format!("{:.1}", pass.time.as_secs_f64() * 1e3 / live.items() as f64),
            ]);
            let waited = waited.get_or_insert_with(|| pass.decisions.clone());
            if stop == Stop::LOCKED {
                assert_eq!(*waited, pass.decisions, "a lock changed a decision");
                if live.names.len() == 8 {
                    assert!(saved >= 15.0, "only {saved} % saved");
                }
            }
        }
    }
    println!("{table}\n");
    Ok(())
}

async fn pass(engine: &Arc<Engine>, live: &Arc<Live>, rule: Rule, stop: Stop) -> Result<Pass, Failure> {
    let options = Options { learning: None, ..Options::parallel_fusion() }
        .fusion(Fusion::new(rule))
        .stop(stop)
        .deadline(Duration::from_secs(1));
    let fusion = ParallelFusion::new(Arc::clone(engine), CLASSES, live.sources(), options)?;
    let mut pass = Pass { decisions: Vec::new(), heard: 0, calls: 0, time: Duration::ZERO };
    for item in 0..live.items() {
        let outcome = fusion.ask(item).await?;
        pass.decisions.push(Some(outcome.decision));
        pass.calls += outcome.reports.len();
        pass.heard += outcome.reports.iter().filter(|report| report.fate != Fate::Censored).count();
        pass.time += outcome.elapsed;
    }
    Ok(pass)
}
