//! What the device's memory gives, measured by copies, and how a kernel stands beside it.

/// Copies of several sizes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roof {
    /// Bytes moved, read and written together, and how many a second; by bytes.
    points: Vec<(f64, f64)>,
}

impl Roof {
    /// From bytes moved and seconds.
    pub fn of(copies: impl IntoIterator<Item = (u64, f64)>) -> Self {
        let rate = |(moved, seconds): (u64, f64)| (moved as f64, moved as f64 / seconds);
        let mut points: Vec<_> = copies.into_iter().filter(|(_, seconds)| *seconds > 0.0).map(rate).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { points }
    }

    /// Bytes a second of a copy that moves so many, in proportion to the logarithm between the sizes that were measured.
    pub fn at(&self, moved: f64) -> Option<f64> {
        let (first, last) = (self.points.first()?, self.points.last()?);
        let above = self.points.iter().position(|point| point.0 >= moved);
        Some(match above {
            None => last.1,
            Some(0) => first.1,
            Some(above) => {
                let [(x0, y0), (x1, y1)] = [self.points[above - 1], self.points[above]];
                y0 + (y1 - y0) * (moved / x0).ln() / (x1 / x0).ln()
            }
        })
    }

    /// The most there is, in bytes a second.
    pub fn most(&self) -> Option<f64> {
        self.points.iter().map(|point| point.1).reduce(f64::max)
    }
}
