//! What is printed of the sources and of those who weigh them.

use comfy_table::{CellAlignment, Table, presets};
use consilience::calibration::{Labelled, Loss, accuracy, nll, paired_bootstrap};

use crate::digits::CLASSES;
use crate::entrants::Entrant;
use crate::stream::Stream;
use crate::{Failure, SEED};

const RESAMPLES: usize = 2_000;
const LEVEL: f64 = 0.95;

/// The sources, the noise they see, and how they do on either side of the break.
pub fn sources(stream: &Stream) -> Result<String, Failure> {
    let (items, middle) = (stream.items(), stream.middle());
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["source", "noise on its pixels", "accuracy % before", "after", "NLL before", "after"]);
    for source in &stream.sources {
        let [before, after, _] = stream.parts().map(|part| {
            let rows = &source.says[part.start * CLASSES..part.end * CLASSES];
            let labelled = Labelled::new(CLASSES, rows, &stream.labels[part])?;
            Ok::<_, Failure>((100.0 * accuracy(&labelled), nll(&labelled)))
        });
        let (before, after) = (before?, after?);
        table.add_row([
            source.name.to_owned(),
            format!("{:.1}", source.noise),
            format!("{:.1}", before.0),
            format!("{:.1}", after.0),
            format!("{:.3}", before.1),
            format!("{:.3}", after.1),
        ]);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let broken = stream.sources[0].name;
    Ok(format!(
        "{items} digits that no source learned from, one at a time: fused first, learned from afterwards.\n\
         From item {middle} on, {broken} is broken: it says what it says of a picture drawn at random.\n\n{table}\n"
    ))
}

/// Accuracy and NLL of everyone, and how far each is from equal weights.
pub fn scores(stream: &Stream, entrants: &[Entrant]) -> Result<String, Failure> {
    let accuracy = scores_by(stream, entrants, "accuracy %", |loss| 100.0 * (1.0 - loss), Loss::ZeroOne, 1)?;
    let nll = scores_by(stream, entrants, "NLL", |loss| loss, Loss::Nll, 3)?;
    Ok(format!(
        "In brackets, the 95 % interval of the difference from {}: {RESAMPLES} paired bootstraps of the items.\n\
         `hindsight` knew all truths beforehand: the fixed weights with the least NLL, fitted by EM to what they are scored on.\n\n{accuracy}\n\n{nll}\n",
        entrants[0].name
    ))
}

/// One score, before the break, after it and over all, each followed by its difference from the first entrant's.
fn scores_by(
    stream: &Stream,
    entrants: &[Entrant],
    name: &str,
    score: fn(f64) -> f64,
    loss: Loss,
    digits: usize,
) -> Result<Table, Failure> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([&format!("{name} under"), "before", "", "after", "", "all", ""]);
    let per_item = |entrant: &Entrant| -> Result<Vec<f64>, Failure> {
        let losses = loss.per_item(&Labelled::new(CLASSES, &entrant.pass.posterior, &stream.labels)?);
        Ok(losses.into_iter().map(score).collect())
    };
    let equal = per_item(&entrants[0])?;
    for (place, entrant) in entrants.iter().enumerate() {
        let scores = per_item(entrant)?;
        let mut cells = vec![entrant.name.to_owned()];
        for part in stream.parts() {
            let mine = &scores[part.clone()];
            cells.push(format!("{:.digits$}", mine.iter().sum::<f64>() / mine.len() as f64));
            let interval = paired_bootstrap(mine, &equal[part], RESAMPLES, SEED, LEVEL)?;
            let difference =
                format!("{:+.digits$} [{:+.digits$}, {:+.digits$}]", interval.mean, interval.low, interval.high);
            cells.push(if place == 0 { String::new() } else { difference });
        }
        table.add_row(cells);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    Ok(table)
}
