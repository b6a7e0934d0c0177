//! The contract of the pool in naive f64: as short as can be, so that it is obviously right. It shares no code with the
//! crate but the types of its input, and takes every rule from the literature's formula where that is another one.

mod opinions;
mod outputs;
mod rules;
mod weights;

use consilience::{Evidence, Fusion, Output};

use self::opinions::Said;
pub use self::outputs::Item;
use self::rules::Setting;

/// The answer on one item, and the answers beside it where rounding decides.
#[derive(Debug, Clone)]
pub struct Answer {
    pub item: Item,
    /// Weights moved by their rounding, and ties of confidence broken either way.
    nearby: Vec<Item>,
}

/// Fuses all items; the first opinion at fault if one is invalid and not to be mended.
pub fn answers(fusion: &Fusion, evidence: &Evidence<'_>) -> Result<Vec<Answer>, String> {
    let answer = |item| {
        answer(fusion, evidence, item)
            .map_err(|source| format!("item {item}: source {source} is invalid to the oracle"))
    };
    (0..evidence.items()).map(answer).collect()
}

/// Fuses one item; the source at fault if an opinion is invalid and not to be mended.
fn answer(fusion: &Fusion, evidence: &Evidence<'_>, item: usize) -> Result<Answer, usize> {
    let mut said = opinions::read(fusion, evidence, item)?;
    let rounding = weights::raw(fusion, evidence.classes(), &mut said.opinions);
    let setting = Setting::of(fusion, evidence.sources(), evidence.classes());
    let mut nearby = Vec::new();
    let mut moved = |change: &dyn Fn(&mut Said)| {
        let mut said = said.clone();
        change(&mut said);
        nearby.push(setting.item(&said));
    };
    for (n, &rounding) in rounding.iter().enumerate().filter(|(_, rounding)| **rounding > 0.0) {
        moved(&|said| said.opinions[n].w += rounding);
        moved(&|said| said.opinions[n].w = (said.opinions[n].w - rounding).max(0.0));
    }
    if rounding.iter().any(|rounding| *rounding > 0.0) {
        moved(&|said| {
            said.opinions.iter_mut().zip(&rounding).for_each(|(o, rounding)| o.w = (o.w - rounding).max(0.0))
        });
    }
    for n in (0..said.opinions.len()).filter(|&n| is_almost_tied(&said, n)) {
        moved(&|said| said.opinions[n].c += 1e-6);
        moved(&|said| said.opinions[n].c -= 1e-6);
    }
    Ok(Answer { item: setting.item(&said), nearby })
}

/// Whether a source has the largest confidence but for a rounding, and so has another.
fn is_almost_tied(said: &Said, n: usize) -> bool {
    let most = said.opinions.iter().map(|o| o.c).fold(0.0, f64::max);
    let is_near = |c: f64| c > most - 1e-6;
    let is_tie = |(other, o): (usize, &opinions::Opinion)| {
        other != n && is_near(o.c) && !(o.is_exact && said.opinions[n].is_exact)
    };
    is_near(said.opinions[n].c) && said.opinions.iter().enumerate().any(is_tie)
}

impl Answer {
    /// By how much rounding may move a column.
    pub fn spread(&self, column: impl Fn(&Item) -> Vec<f64>) -> Vec<f64> {
        let at = column(&self.item);
        let mut spread = vec![0.0; at.len()];
        for other in self.nearby.iter().map(column) {
            spread.iter_mut().zip(at.iter().zip(other)).for_each(|(sum, (a, b))| *sum += (a - b).abs());
        }
        spread
    }

    /// By how much a column of numbers may be off beyond the usual.
    pub fn slack(&self, output: Output) -> Vec<f64> {
        let mut slack = self.spread(|item| item.column(output));
        let item = &self.item;
        let most = item.slack.iter().copied().fold(0.0, f64::max);
        match output {
            Output::Posterior => slack.iter_mut().zip(&item.slack).for_each(|(sum, slack)| *sum += slack),
            Output::Confidence => slack[0] += most,
            Output::Margin => slack[0] += 2.0 * most,
            Output::Entropy => {
                let size = |p: f64| 1.0 + p.max(1e-7).ln().abs();
                slack[0] += item.posterior.iter().zip(&item.slack).map(|(&p, slack)| slack * size(p)).sum::<f64>();
            }
            Output::Conflict => slack[0] += item.conflict_slack,
            _ => {}
        }
        slack
    }

    /// The flags that rounding may set or not.
    pub fn free_flags(&self) -> u32 {
        self.nearby.iter().fold(0, |free, other| free | (other.flags ^ self.item.flags))
    }
}
