//! How near the truth posteriors are.

use consilience::calibration::{BINS, Labelled, Temperature, ece, nll};
use consilience::truth::{Method, majority};

use crate::Failure;
use crate::row::Row;
use crate::task::Task;

/// Of the items whose truth is given and was not told.
#[derive(Debug, Clone, Copy)]
pub struct Score {
    /// Share of items decided right; of a tie, one over how many classes share it where the truth is among them.
    pub accuracy: f64,
    pub nll: f64,
    pub ece: f64,
    /// NLL and ECE with each half of the truth tempered by the temperature fitted to the other half.
    pub tempered: Option<[f64; 2]>,
}

impl Score {
    /// `None` where no truth is given.
    pub fn of(posterior: &[f32], task: &Task) -> Result<Option<Self>, Failure> {
        if task.truth.is_empty() {
            return Ok(None);
        }
        let classes = task.annotations().classes();
        // One half of the truth after the other.
        let order = || task.truth.iter().step_by(2).chain(task.truth.iter().skip(1).step_by(2));
        let mut rows: Vec<f32> = Vec::with_capacity(task.truth.len() * classes);
        order().for_each(|&(item, _)| rows.extend(&posterior[item as usize * classes..][..classes]));
        let labels: Vec<u32> = order().map(|&(_, class)| class).collect();
        let scores = |rows: &[f32]| -> Result<[f64; 2], Failure> {
            let labelled = Labelled::new(classes, rows, &labels)?;
            Ok([nll(&labelled), ece(&labelled, BINS)?])
        };
        let [nll, ece] = scores(&rows)?;
        let accuracy = accuracy(classes, &rows, &labels);
        let tempered = match labels.len() {
            1 => None,
            items => {
                let middle = items.div_ceil(2);
                let (first, second) = rows.split_at_mut(middle * classes);
                let of_first = Temperature::fit(&Labelled::new(classes, first, &labels[..middle])?);
                let of_second = Temperature::fit(&Labelled::new(classes, second, &labels[middle..])?);
                of_second.apply(classes, first)?;
                of_first.apply(classes, second)?;
                Some(scores(&rows)?)
            }
        };
        Ok(Some(Self { accuracy, nll, ece, tempered }))
    }
}

fn accuracy(classes: usize, posterior: &[f32], labels: &[u32]) -> f64 {
    let of_item = |(row, &label): (&[f32], &u32)| {
        let most = row.iter().copied().fold(0.0, f32::max);
        let ties = row.iter().filter(|&&p| p == most).count();
        if row[label as usize] == most { 1.0 / ties as f64 } else { 0.0 }
    };
    posterior.chunks_exact(classes).zip(labels).map(of_item).sum::<f64>() / labels.len() as f64
}

/// Of what is simulated the default method finds more than the votes say.
pub fn check_default(task: &Task, rows: &[Row]) -> Result<(), Failure> {
    let row = rows.iter().find(|row| row.method == Method::default());
    let Some(score) = row.and_then(|row| row.score) else { return Ok(()) };
    let Some(votes) = Score::of(&majority(task.annotations()), task)? else { return Ok(()) };
    assert!(score.accuracy > votes.accuracy, "{} is not above the votes, {}", score.accuracy, votes.accuracy);
    Ok(())
}
