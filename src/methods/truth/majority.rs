//! The shares of votes.

use super::annotations::Annotations;
use crate::kernel::em::expect::UNKNOWN;

/// The shares of an item's votes that each class has, [B, C]: those of a tie share it; of an item on which nobody voted, all
/// the same.
///
/// # Examples
///
/// *Two of three, and a tie.*
///
/// ```
/// use consilience::truth::{Annotations, majority};
///
/// let annotations = Annotations::new(2, &[0, 0, 0, 1, 1], &[0, 1, 2, 0, 1], &[1, 1, 0, 0, 1])?;
/// assert_eq!(majority(&annotations), [1.0 / 3.0, 2.0 / 3.0, 0.5, 0.5]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[must_use]
pub fn majority(annotations: &Annotations) -> Vec<f32> {
    let classes = annotations.classes();
    let mut shares = vec![0.0_f32; annotations.items() * classes];
    for (item, row) in shares.chunks_exact_mut(classes).enumerate() {
        for (_, label) in annotations.of_item(item) {
            // Nobody votes by abstaining.
            if let Some(votes) = row.get_mut(label as usize) {
                *votes += 1.0;
            }
        }
        let votes: f32 = row.iter().sum();
        if votes > 0.0 {
            row.iter_mut().for_each(|share| *share /= votes);
        } else {
            row.fill(1.0 / classes as f32);
        }
    }
    shares
}

/// The same, and the class of an item where it is known.
pub(super) fn votes(annotations: &Annotations, gold: &[u32]) -> Vec<f32> {
    let mut shares = majority(annotations);
    for (row, &known) in shares.chunks_exact_mut(annotations.classes()).zip(gold) {
        if known != UNKNOWN {
            row.fill(0.0);
            row[known as usize] = 1.0;
        }
    }
    shares
}
