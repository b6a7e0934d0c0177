//! What following learned weights lost against those who knew better, beside what is proven of it.

use comfy_table::{CellAlignment, Table, presets};
use consilience::learning::{Feedback, Hedge};

use crate::Failure;
use crate::digits::CLASSES;
use crate::entrants::Entrant;
use crate::learner::Learner;
use crate::stream::Stream;

/// Each multiplicative learner's loss (half the Brier score, summed over the items) against the best source with hindsight;
/// with a share, against the best change from one source to another; with gradients, against the weights of hindsight.
pub fn table(stream: &Stream, entrants: &[Entrant]) -> Result<String, Failure> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["weights", "its loss", "against", "its loss", "regret", "bound"]);
    let mut compare = |name: &str, hedge: &Hedge, against: String, loss: f64, bound: f64| {
        let regret = hedge.loss() - loss;
        assert!(regret <= bound, "{name}: a regret of {regret} against {against} is above its bound {bound}");
        table.add_row([
            name.to_owned(),
            format!("{:.2}", hedge.loss()),
            against,
            format!("{loss:.2}"),
            format!("{regret:+.2}"),
            format!("{bound:.2}"),
        ]);
    };
    let losses = source_losses(stream);
    let hindsight = entrants.iter().find(|entrant| entrant.name == "hindsight").ok_or("nobody had hindsight")?;
    let pool: f64 = half_brier(stream, &hindsight.pass.posterior).sum();
    for Entrant { name, learner, .. } in entrants {
        let Learner::Hedge(hedge) = learner else { continue };
        let totals = hedge.source_losses();
        assert!(totals.iter().zip(&losses).all(|(total, each)| (total - each.iter().sum::<f64>()).abs() < 1e-3));
        let best = (0..totals.len()).min_by(|&a, &b| totals[a].total_cmp(&totals[b])).unwrap_or_default();
        let bound = hedge.mixable_bound().unwrap_or(hedge.bound());
        compare(name, hedge, format!("{} throughout", stream.sources[best].name), totals[best], bound);
        if hedge.options().share > 0.0 {
            let (first, at, second, loss) = best_change(&losses);
            let against = format!("{} to item {at}, then {}", stream.sources[first].name, stream.sources[second].name);
            compare(name, hedge, against, loss, hedge.tracking_bound(1));
        }
        if hedge.options().feedback == Feedback::Gradient {
            compare(name, hedge, "fixed weights of hindsight".to_owned(), pool, hedge.bound());
        }
    }
    table.column_iter_mut().enumerate().filter(|(column, _)| ![0, 2].contains(column)).for_each(|(_, column)| {
        column.set_cell_alignment(CellAlignment::Right);
    });
    Ok(format!("Regret, in half the Brier score summed over {} items:\n{table}\n", stream.items()))
}

/// The first source, the item at which the second takes over, and their loss together.
fn best_change(losses: &[Vec<f64>]) -> (usize, usize, usize, f64) {
    let mut ahead: Vec<f64> = losses.iter().map(|each| each.iter().sum()).collect();
    let mut behind = vec![0.0; losses.len()];
    let smallest = |sums: &[f64]| (0..sums.len()).min_by(|&a, &b| sums[a].total_cmp(&sums[b])).unwrap_or_default();
    let mut best = (0, 0, 0, f64::INFINITY);
    for item in 0..losses[0].len() {
        let (first, second) = (smallest(&behind), smallest(&ahead));
        if behind[first] + ahead[second] < best.3 {
            best = (first, item, second, behind[first] + ahead[second]);
        }
        for (source, each) in losses.iter().enumerate() {
            behind[source] += each[item];
            ahead[source] -= each[item];
        }
    }
    best
}

fn source_losses(stream: &Stream) -> Vec<Vec<f64>> {
    stream.sources.iter().map(|source| half_brier(stream, &source.says).collect()).collect()
}

/// 1/2 sum_k (p_k - [k = y])^2 of every row.
fn half_brier<'a>(stream: &'a Stream, rows: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
    rows.chunks_exact(CLASSES).zip(&stream.labels).map(|(row, &label)| {
        let gap = |(class, &p): (usize, &f32)| f64::from(p) - f64::from(u8::from(class == label as usize));
        0.5 * row.iter().enumerate().map(gap).map(|gap| gap * gap).sum::<f64>()
    })
}
