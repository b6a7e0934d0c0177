//! The truth table of faults: whatever the sources do, the outcome is the stated one.

use std::sync::Once;
use std::time::Duration;

use consilience::orchestration::parallel_fusion::{Fate, Options};
use consilience::orchestration::{Opinion, Stopped};
use consilience::{ErrorKind, Fusion, RequestError, Rule, SourceError};
use tokio::time::Instant;

use super::scripted::{Act, fusion};

/// The fates there can be where everybody is waited for.
const FATES: [Fate; 5] = [Fate::Answered, Fate::TimedOut, Fate::Failed, Fate::Invalid, Fate::Panicked];

/// Opinions of eight sources.
const SAID: [[f32; 2]; 8] =
    [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6], [0.55, 0.45], [0.1, 0.9], [0.35, 0.65], [0.8, 0.2]];

/// What leads to a fate.
fn act(fate: Fate, source: usize) -> Act {
    match fate {
        Fate::Answered => Act::say(&SAID[source]),
        Fate::TimedOut => Act::say_after(5_001, &SAID[source]),
        Fate::Failed => Act::Fail,
        Fate::Invalid if source.is_multiple_of(2) => Act::say(&[f32::NAN, 0.5]),
        Fate::Invalid => Act::say(&[0.2, 0.3, 0.5]),
        _ => Act::Panic,
    }
}

/// Asks sources that do as the table says, and compares the outcome with one worked out by hand in f64.
async fn check(fates: &[Fate]) {
    let acts: Vec<_> = fates.iter().enumerate().map(|(source, &fate)| act(fate, source)).collect();
    let options = Options { learning: None, ..Options::parallel_fusion() }.fusion(Fusion::new(Rule::Linear));
    let asked = fusion(2, &acts, options);
    let began = Instant::now();
    let outcome = asked.ask("?").await;
    let arrived: Vec<_> = (0..fates.len()).filter(|&n| fates[n] == Fate::Answered).collect();
    let failed = fates.len() - arrived.len();
    let late = fates.contains(&Fate::TimedOut);
    assert_eq!(began.elapsed(), Duration::from_secs(if late { 5 } else { 0 }), "{fates:?}");

    for (track, fate) in asked.tracks().iter().zip(fates) {
        assert_eq!((track.observations(), track.successes()), (1, u64::from(*fate == Fate::Answered)), "{fates:?}");
    }
    if arrived.is_empty() {
        let error = outcome.expect_err("nobody answered");
        let ErrorKind::Request(RequestError::NothingArrived { causes }) = error.kind() else { panic!("{error}") };
        assert_eq!(causes.len(), fates.len());
        for (n, ((name, cause), fate)) in causes.iter().zip(fates).enumerate() {
            assert_eq!(name.as_bytes(), [b'a' + n as u8]);
            let fits = match fate {
                Fate::TimedOut => matches!(cause, SourceError::TimedOut { after } if *after == Duration::from_secs(5)),
                Fate::Failed => cause.to_string() == "out of order",
                Fate::Invalid => matches!(cause, SourceError::Invalid { .. }),
                _ => matches!(cause, SourceError::Panicked { message } if message.contains("asked for this")),
            };
            assert!(fits, "{name}: {cause}");
        }
        assert_eq!(error.is_deadline(), fates.iter().all(|fate| *fate == Fate::TimedOut));
        return;
    }
    let outcome = outcome.expect("an answer");
    let first = arrived.iter().map(|&n| f64::from(SAID[n][0])).sum::<f64>() / arrived.len() as f64;
    let confidence = first.max(1.0 - first) * 0.9_f64.powi(failed as i32);
    assert!((f64::from(outcome.posterior[0]) - first).abs() < 1e-6, "{fates:?}: {outcome:?}");
    assert!((f64::from(outcome.confidence) - confidence).abs() < 1e-6, "{fates:?}: {outcome:?}");
    assert_eq!(outcome.decision, u32::from(first < 0.5), "{fates:?}");
    assert_eq!(outcome.stopped, if late { Stopped::Deadline } else { Stopped::Complete });
    assert_eq!(outcome.elapsed, began.elapsed());
    assert_eq!(outcome.failures().count(), failed);
    for (n, (report, fate)) in outcome.reports.iter().zip(fates).enumerate() {
        assert_eq!(report.fate, *fate, "{fates:?}");
        let given = *fate == Fate::Answered;
        assert_eq!(report.error.is_none(), given);
        assert_eq!(report.opinion, given.then(|| Opinion::Probabilities(SAID[n].to_vec())));
        let weight = if given { 1.0 / arrived.len() as f32 } else { 0.0 };
        assert!((report.weight - weight).abs() < 1e-6, "{fates:?}: {outcome:?}");
        let latency = if *fate == Fate::TimedOut { Duration::from_secs(5) } else { Duration::ZERO };
        assert_eq!(report.latency, latency);
    }
}

#[tokio::test(start_paused = true)]
async fn two_sources() {
    quiet_panics();
    for a in FATES {
        for b in FATES {
            check(&[a, b]).await;
        }
    }
}

/// How many of eight do what: all 495 ways, each in an order of its own.
#[tokio::test(start_paused = true)]
async fn eight_sources() {
    quiet_panics();
    let mut tried = 0;
    for code in 0..9_usize.pow(4) {
        // How often each of the first four happens; the rest is the fifth.
        let counts = [code % 9, code / 9 % 9, code / 81 % 9, code / 729];
        if counts.iter().sum::<usize>() > 8 {
            continue;
        }
        let mut fates: Vec<Fate> = counts.iter().zip(FATES).flat_map(|(&count, fate)| vec![fate; count]).collect();
        fates.resize(8, Fate::Panicked);
        // 3 and 5 have no factor in common with 8: every step is another order.
        let order: Vec<Fate> = (0..8).map(|n| fates[(n * [3, 5][tried % 2] + tried) % 8]).collect();
        check(&order).await;
        tried += 1;
    }
    assert_eq!(tried, 495);
}

/// The panics of these tests are meant; others still speak.
pub fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let meant = panic.payload_as_str().is_some_and(|text| text.contains("asked for this panic"));
            if !meant {
                loud(panic);
            }
        }));
    });
}
