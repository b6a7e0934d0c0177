//! Probabilities corrected by a rising curve per class.

mod curve;

use serde::{Deserialize, Serialize};

pub use self::curve::Curve;
use super::labelled::{FEW_ITEMS, Labelled};
use super::posterior;
use crate::error::{CalibrationError, Result};
use crate::methods::checked::checked;

/// Isotonic calibration: one [`Curve`] per class from its probability to how often it is true, one class against the rest,
/// and rows renormalised afterwards (Zadrozny and Elkan, KDD 2002).
///
/// A class that no label named has a curve of zeros. A row to which every curve says zero stays as it was.
///
/// # Examples
///
/// ```
/// use consilience::calibration::{Isotonic, Labelled};
///
/// let mut posterior = [0.9, 0.1].repeat(4);
/// let isotonic = Isotonic::fit(&Labelled::new(2, &posterior, &[0, 0, 1, 0])?);
/// isotonic.apply(&mut posterior)?;
/// assert_eq!(posterior, [0.75, 0.25].repeat(4));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Isotonic {
    items: usize,
    curves: Vec<Curve>,
}

impl Isotonic {
    /// The curves of least squares on these items.
    #[must_use]
    pub fn fit(labelled: &Labelled<'_>) -> Self {
        let of_class = |class: usize| {
            let point = |(row, label): (&[f32], u32)| {
                (f64::from(row[class]), f64::from(u8::from(label as usize == class)), 1.0)
            };
            Curve::through(labelled.rows().map(point).collect())
        };
        Self { items: labelled.items(), curves: (0..labelled.classes()).map(of_class).collect() }
    }

    /// Refuses what no fit can have left; each curve is checked by itself.
    fn check(&self) -> Result<()> {
        let refused = |why: String| Err(CalibrationError::State { what: "isotonic calibration", why }.into());
        if self.curves.is_empty() {
            return refused("it has no classes".to_owned());
        }
        let in_unit = |curve: &Curve| curve.knots().all(|(_, y)| (0.0..=1.0).contains(&y));
        if let Some(class) = self.curves.iter().position(|curve| !in_unit(curve)) {
            return refused(format!("the curve of class {class} leaves [0, 1]"));
        }
        Ok(())
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.curves.len()
    }

    /// The curve of each class.
    #[must_use]
    pub fn curves(&self) -> &[Curve] {
        &self.curves
    }

    /// How many items it was fitted to.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Whether it was fitted to fewer than [`FEW_ITEMS`] items.
    #[must_use]
    pub fn is_of_few_items(&self) -> bool {
        self.items < FEW_ITEMS
    }

    /// Corrects rows of C probabilities in place.
    ///
    /// # Errors
    ///
    /// No whole number of rows, a row that is no distribution; then nothing was changed.
    pub fn apply(&self, posterior: &mut [f32]) -> Result<()> {
        posterior::check(self.classes(), posterior)?;
        let mut corrected = vec![0.0; self.classes()];
        for row in posterior.chunks_exact_mut(self.classes()) {
            for ((to, curve), &p) in corrected.iter_mut().zip(&self.curves).zip(row.iter()) {
                *to = curve.at(f64::from(p));
            }
            let sum: f64 = corrected.iter().sum();
            if sum > 0.0 {
                row.iter_mut().zip(&corrected).for_each(|(p, to)| *p = (to / sum) as f32);
            }
        }
        Ok(())
    }
}

checked!(Isotonic);
