//! What the weights cost against the best source with hindsight, and what that can be at most.

use super::Hedge;
use super::options::Feedback;

impl Hedge {
    /// The mixture's cumulative loss less each source's, over the rounds in which that source was awake: `[N]`.
    #[must_use]
    pub fn regrets(&self) -> Vec<f64> {
        self.accounts.iter().map(|account| account.mixture - account.loss).collect()
    }

    /// The largest of the regrets: with no source ever asleep, the regret against the best one.
    #[must_use]
    pub fn regret(&self) -> f64 {
        self.regrets().into_iter().fold(f64::NEG_INFINITY, f64::max)
    }

    /// Hedge's bound on the regret after T rounds (Cesa-Bianchi and Lugosi 2006, theorem 2.2),
    ///
    /// ln N / eta + eta T / 8,
    ///
    /// whatever the sources said and whatever was true. With [`Feedback::Gradient`] it is twice that, because a gradient in
    /// [0, 1] is half the loss's own, and holds against all convex combinations. A share alpha adds
    /// (T - 1) ln(1 / (1 - alpha)) / eta. Each learner that was merged brings its own ln N / eta.
    #[must_use]
    pub fn bound(&self) -> f64 {
        self.tracking_bound(0)
    }

    /// The bound on the mixture's loss less that of the best sequence of sources with `changes` changes between them
    /// (Herbster and Warmuth 1998; for losses in [0, 1] as in Cesa-Bianchi and Lugosi 2006, theorem 5.1),
    ///
    /// (ln N + m ln((N - 1) / alpha) + (T - 1 - m) ln(1 / (1 - alpha))) / eta + eta T / 8,
    ///
    /// infinite for changes without a share.
    #[must_use]
    pub fn tracking_bound(&self, changes: u64) -> f64 {
        self.scale() * (self.information(changes) / self.eta() + self.eta() * self.rounds as f64 / 8.0)
    }

    /// The bound on the regret without the term that grows with T, (ln N) / eta, where the loss allows it at this rate:
    /// where exp(-eta loss) is concave, which holds for `Brier` up to eta = 1/2 and for `Log` up to -ln floor (Cesa-Bianchi
    /// and Lugosi 2006, theorem 3.2). `None` where it does not, as for `ZeroOne` and for gradients.
    #[must_use]
    pub fn mixable_bound(&self) -> Option<f64> {
        let Feedback::Loss(loss) = self.options.feedback else { return None };
        let limit = loss.exp_concavity()?;
        (self.eta() <= limit).then(|| self.information(0) / self.eta())
    }

    /// What it takes to tell which sequence of sources is meant, in nats.
    fn information(&self, changes: u64) -> f64 {
        let (sources, alpha) = (self.sources() as f64, self.options.share);
        let joints = self.rounds.saturating_sub(1);
        // With one source there is nothing to change to.
        let changes = if sources > 1.0 { changes.min(joints) } else { 0 };
        let first = self.streams as f64 * sources.ln();
        let changed = if changes > 0 { changes as f64 * ((sources - 1.0) / alpha).ln() } else { 0.0 };
        first + changed + (joints - changes) as f64 * -(-alpha).ln_1p()
    }

    fn scale(&self) -> f64 {
        if self.options.feedback == Feedback::Gradient { 2.0 } else { 1.0 }
    }
}
