//! Thoughts shown as they come.

use std::time::Duration;

use consilience::orchestration::Reply;
use consilience::orchestration::iteration::{Basis, Event};

use crate::digits::CLASSES;

/// A line for what happened, so long after the question.
pub fn show(event: &Event, after: Duration) {
    let at = format!("  {:7.1} ms ", after.as_secs_f64() * 1e3);
    match event {
        Event::Thought { thought, posterior } => {
            let says = thought.reply.as_ref().map_or_else(|error| format!("failed: {error}"), said);
            println!("{at} thought {} {says}; so far {}", thought.index + 1, leading(posterior));
        }
        Event::SynthesisBegan { thoughts, is_speculative: true } => {
            println!("{at} synthesis of {} thoughts begins, the others outstanding", thoughts.len());
        }
        Event::SynthesisBegan { thoughts, .. } => println!("{at} synthesis of all {} thoughts begins", thoughts.len()),
        Event::Synthesis(synthesis) => {
            let says = match &synthesis.reply {
                Some(Ok(reply)) => said(reply),
                Some(Err(error)) => format!("failed: {error}"),
                None => "was stopped".to_owned(),
            };
            let begun = if synthesis.is_speculative { "speculative synthesis" } else { "synthesis" };
            println!("{at} {begun} {says}; {}", if synthesis.is_kept { "kept" } else { "not kept" });
        }
        Event::Done(outcome) => {
            let basis = if matches!(outcome.basis, Basis::Synthesis) { "the synthesis" } else { "the thoughts' mean" };
            println!("{at} answer, by {basis}: {}", leading(&outcome.posterior));
        }
        _ => {}
    }
}

fn said(reply: &Reply) -> String {
    match reply.opinion.probabilities(CLASSES) {
        Ok(Some(row)) => format!("says {}", leading(&row)),
        _ => "abstains".to_owned(),
    }
}

fn leading(row: &[f32]) -> String {
    let best = best(row);
    format!("{best} ({:.2})", row.get(best).copied().unwrap_or_default())
}

/// The likeliest class, the first of equals.
pub fn best(row: &[f32]) -> usize {
    (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or_default()
}
