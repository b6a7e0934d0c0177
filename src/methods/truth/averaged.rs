//! Probabilities that can be believed without any truth: the mean of what three methods say.

use super::annotations::Annotations;
use super::dawid_skene::DawidSkene;
use super::fit::Fit;
use super::known::Known;
use super::log_odds::LogOdds;
use super::majority::votes;
use crate::engine::Engine;
use crate::error::Result;

/// The mean of the posteriors of three methods that err differently: the shares of votes, which are not sure enough, votes by
/// [`LogOdds`], and [`DawidSkene`], which is too sure, for it takes sources to err independently of each other.
///
/// Skill, confusions, objective and iterations are those of Dawid and Skene's method. Where the truth of some items is known
/// that the fit was not told, [`Fit::temperature`] does better still.
///
/// # Examples
///
/// *Less sure than Dawid and Skene's method.*
///
/// ```
/// use consilience::Engine;
/// use consilience::truth::{Annotations, Averaged, DawidSkene};
///
/// let items: Vec<u32> = (0..20).flat_map(|item| [item; 3]).collect();
/// let labels: Vec<u32> = (0..20).flat_map(|item| [item % 2, item % 2, 0]).collect();
/// let annotations = Annotations::new(2, &items, &[0, 1, 2].repeat(20), &labels)?;
/// let engine = Engine::cpu()?;
/// let averaged = Averaged::default().fit(&engine, &annotations)?;
/// let sure = DawidSkene::default().fit(&engine, &annotations)?;
/// assert_eq!(averaged.decision(), sure.decision());
/// assert!(averaged.posterior()[3] < sure.posterior()[3]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Averaged {
    /// The second of the three.
    pub log_odds: LogOdds,
    /// The third.
    pub dawid_skene: DawidSkene,
}

impl Averaged {
    /// Fits to the annotations.
    ///
    /// # Errors
    ///
    /// As [`DawidSkene::fit`] and [`LogOdds::fit`].
    pub fn fit(&self, engine: &Engine, annotations: &Annotations) -> Result<Fit> {
        self.fit_with(engine, annotations, &Known::default())
    }

    /// The same with what is known. An earlier fit is what Dawid and Skene's method begins with; the others begin anew.
    ///
    /// # Errors
    ///
    /// As [`DawidSkene::fit_with`].
    pub fn fit_with(&self, engine: &Engine, annotations: &Annotations, known: &Known<'_>) -> Result<Fit> {
        let mut fit = self.dawid_skene.fit_with(engine, annotations, known)?;
        let shares = votes(annotations, &known.gold(annotations)?);
        let log_odds = self.log_odds.fit_with(annotations, &Known { warm: None, ..*known })?;
        for ((p, share), q) in fit.posterior.iter_mut().zip(shares).zip(log_odds.posterior()) {
            *p = (*p + share + q) / 3.0;
        }
        Ok(fit)
    }
}
