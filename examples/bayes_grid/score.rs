//! How the estimate does: beside sums in f64, and beside the map.

use std::fmt;

use consilience::bayes::{CellCounts, LogOddsGrid};
use rayon::prelude::*;

use crate::Failure;
use crate::map::Map;
use crate::scanner::ALL;

/// One cell of so many is summed in f64.
const SAMPLED: usize = 100;

/// Where log odds stop: what is seen from similar places is not independent, however often it is seen.
pub const LIMIT: f32 = 5.0;

fn logit(p: f32) -> f64 {
    let p = f64::from(p);
    (p / (1.0 - p)).ln()
}

/// Fails where the device's answer on a sampled cell is not the sum in f64.
pub fn against_sums(planes: &[Vec<CellCounts>], grid: &LogOddsGrid, probabilities: &[f32]) -> Result<(), Failure> {
    for cell in (0..grid.cells()).step_by(SAMPLED) {
        let (mut sum, mut rounding) = (0.0, 0.0);
        for (plane, scanner) in planes.iter().zip(&ALL) {
            for (n, p) in [(plane[cell].hits(), scanner.model.hit), (plane[cell].misses(), scanner.model.miss)] {
                let term = f64::from(n) * logit(p);
                sum += term;
                rounding += 1e-5 + 2e-7 * term.abs();
            }
        }
        let (got, want) = (f64::from(grid.log_odds()[cell]), sum.clamp(-f64::from(LIMIT), f64::from(LIMIT)));
        let probability = 1.0 / (1.0 + (-want).exp());
        if (got - want).abs() > rounding || (f64::from(probabilities[cell]) - probability).abs() > rounding {
            return Err(format!("cell {cell} has log odds {got}, their sum is {want}").into());
        }
    }
    Ok(())
}

/// How the estimate compares with the map, over the cells of which anything was said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Score {
    cells: usize,
    /// Cells of which anything was said.
    pub observed: usize,
    /// Mean of -ln of the probability given to what is the case.
    pub log_loss: f64,
    /// Share of cells whose more probable state is what is the case.
    pub accuracy: f64,
}

impl Score {
    pub fn of(map: &Map, planes: &[Vec<CellCounts>], grid: &LogOddsGrid) -> Self {
        let row = |row: usize| {
            let mut part = (0_usize, 0.0, 0_usize);
            for cell in row * map.size..(row + 1) * map.size {
                if planes.iter().any(|plane| plane[cell] != CellCounts::default()) {
                    let log_odds = f64::from(grid.log_odds()[cell]);
                    let for_truth = if map.occupied[cell] { log_odds } else { -log_odds };
                    part.0 += 1;
                    part.1 += (-for_truth).exp().ln_1p();
                    part.2 += usize::from(for_truth > 0.0);
                }
            }
            part
        };
        let rows: Vec<_> = (0..map.size).into_par_iter().map(row).collect();
        let observed = rows.iter().map(|row| row.0).sum();
        let loss: f64 = rows.iter().map(|row| row.1).sum();
        let right: usize = rows.iter().map(|row| row.2).sum();
        let per = 1.0 / (observed as f64).max(1.0);
        Self { cells: map.cells(), observed, log_loss: loss * per, accuracy: right as f64 * per }
    }

    /// Fails where the scans taught too little.
    pub fn check(&self) -> Result<(), Failure> {
        if self.observed * 4 < self.cells {
            return Err(format!("only {} of {} cells were observed", self.observed, self.cells).into());
        }
        if self.log_loss > 0.5 * std::f64::consts::LN_2 || self.accuracy < 0.9 {
            return Err(
                "the log loss is above half of the prior's, or less than nine cells out of ten are right".into()
            );
        }
        Ok(())
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cells, observed, log_loss, accuracy } = self;
        writeln!(f, "observed {observed} of {cells} cells; right in {:.2} % of them", 100.0 * accuracy)?;
        write!(f, "log loss {log_loss:.4} nats a cell; of the prior {:.4}", std::f64::consts::LN_2)
    }
}
