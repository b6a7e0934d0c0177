//! A curve that nowhere falls, fitted by least squares.

use serde::{Deserialize, Serialize};

use crate::error::{CalibrationError, Result, SpecError};
use crate::methods::checked::checked;

/// The bound on every x, y and weight, so that no weighted sum overflows.
const MOST: f64 = 1e100;

/// A nondecreasing piecewise linear curve through the isotonic regression of points (x, y) with weights.
///
/// Points with equal x count as one with their weighted mean. Pool-adjacent-violators (Ayer et al. 1955; Barlow et al. 1972)
/// gives the nondecreasing values of least weighted squares; between two x the curve is linear, beyond the outermost ones it
/// is level.
///
/// # Examples
///
/// ```
/// use consilience::calibration::Curve;
///
/// let curve = Curve::fit(&[1.0, 2.0, 3.0, 4.0], &[0.0, 3.0, 1.0, 4.0], &[1.0; 4])?;
/// assert_eq!([0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 9.0].map(|x| curve.at(x)), [0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
}

/// Neighbouring points that share one value.
struct Block {
    first: f64,
    last: f64,
    mean: f64,
    weight: f64,
}

impl Curve {
    /// The curve of least weighted squares.
    ///
    /// # Errors
    ///
    /// No points, lists of different lengths, an x or y that is no number in [-1e100, 1e100], or a weight outside
    /// (0, 1e100].
    pub fn fit(x: &[f64], y: &[f64], weights: &[f64]) -> Result<Self> {
        if x.is_empty() {
            return Err(CalibrationError::NoItems.into());
        }
        for (what, given) in [("the list of y", y.len()), ("the list of weights", weights.len())] {
            if given != x.len() {
                return Err(CalibrationError::Length { what, given, needed: x.len() }.into());
            }
        }
        let outside = |name: &str, item: usize, value: f64, must: &'static str| {
            Err(SpecError::OutOfRange { what: format!("the {name} of point {item}"), value, must }.into())
        };
        for (item, ((&x, &y), &weight)) in x.iter().zip(y).zip(weights).enumerate() {
            if let Some((name, value)) =
                [("x", x), ("y", y)].into_iter().find(|(_, v)| !(0.0..=MOST).contains(&v.abs()))
            {
                return outside(name, item, value, "a number in [-1e100, 1e100]");
            }
            if !(weight > 0.0 && weight <= MOST) {
                return outside("weight", item, weight, "a number in (0, 1e100]");
            }
        }
        Ok(Self::through(x.iter().zip(y).zip(weights).map(|((&x, &y), &weight)| (x, y, weight)).collect()))
    }

    /// The same of points (x, y, weight) that are known to be good.
    pub(super) fn through(mut points: Vec<(f64, f64, f64)>) -> Self {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut blocks: Vec<Block> = Vec::new();
        for tied in points.chunk_by(|a, b| a.0 == b.0) {
            let x = tied[0].0;
            let one = |&(_, y, weight): &(f64, f64, f64)| Block { first: x, last: x, mean: y, weight };
            let mut block = tied.iter().map(one).reduce(Block::with).unwrap_or(Block::EMPTY);
            while let Some(before) = blocks.pop_if(|before| before.mean >= block.mean) {
                block = before.with(block);
            }
            blocks.push(block);
        }
        let mut curve = Self { x: Vec::new(), y: Vec::new() };
        for Block { first, last, mean, .. } in blocks {
            curve.x.push(first);
            curve.y.push(mean);
            if last > first {
                curve.x.push(last);
                curve.y.push(mean);
            }
        }
        curve
    }

    /// Refuses what no fit can have left.
    fn check(&self) -> Result<()> {
        let Self { x, y } = self;
        let refused = |why: String| Err(CalibrationError::State { what: "curve", why }.into());
        if x.is_empty() || x.len() != y.len() {
            return refused(format!("it has {} x and {} y", x.len(), y.len()));
        }
        if let Some(knot) = x.iter().zip(y).position(|(x, y)| !(x.abs() <= MOST && y.abs() <= MOST)) {
            return refused(format!("knot {knot} is not within [-1e100, 1e100]"));
        }
        if !x.is_sorted_by(|a, b| a < b) || !y.is_sorted() {
            return refused("its knots do not rise".to_owned());
        }
        Ok(())
    }

    /// The curve's value at x; that of the first knot where x is not a number.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        let after = self.x.partition_point(|&knot| knot <= x);
        let Some(before) = after.checked_sub(1) else { return self.y[0] };
        if after == self.x.len() {
            return self.y[before];
        }
        let ((x0, y0), (x1, y1)) = ((self.x[before], self.y[before]), (self.x[after], self.y[after]));
        (y0 + (y1 - y0) * ((x - x0) / (x1 - x0))).clamp(y0, y1)
    }

    /// Its corners (x, y), both rising.
    pub fn knots(&self) -> impl ExactSizeIterator<Item = (f64, f64)> {
        self.x.iter().copied().zip(self.y.iter().copied())
    }
}

impl Block {
    const EMPTY: Self = Self { first: 0.0, last: 0.0, mean: 0.0, weight: 0.0 };

    fn with(self, next: Self) -> Self {
        let weight = self.weight + next.weight;
        let mean = self.mean + (next.mean - self.mean) * (next.weight / weight);
        Self { first: self.first, last: next.last, mean, weight }
    }
}

checked!(Curve);
