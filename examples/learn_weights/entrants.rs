//! Who is compared: equal weights first, then the learners.

use std::path::Path;

use consilience::Engine;
use consilience::learning::{
    Confusion, ConfusionOptions, Feedback, Hedge, HedgeOptions, Rate, Reliability, ReliabilityOptions, Weights,
    WeightsOptions,
};

use crate::Failure;
use crate::digits::CLASSES;
use crate::learner::Learner;
use crate::pass::Pass;
use crate::stream::Stream;

pub struct Entrant {
    pub name: &'static str,
    pub learner: Learner,
    pub pass: Pass,
    /// Whether its weights are drawn.
    pub drawn: bool,
}

/// Equal weights, and all learners as they start. Their parameters were set before any of them ran.
pub fn all(stream: &Stream) -> Result<Vec<Entrant>, Failure> {
    let (sources, items) = (stream.sources.len(), stream.items() as u64);
    let reliability = |discount| Reliability::new(sources, ReliabilityOptions { discount, ..Default::default() });
    // The preset is for two sources; its way of learning is for any number.
    let slow = WeightsOptions { start: vec![1.0; sources], ..WeightsOptions::parallel_fusion() };
    let hedge = |options| Hedge::new(sources, options);
    let gradient = HedgeOptions { rate: Rate::Horizon(items), feedback: Feedback::Gradient, share: 0.0 };
    let confusion =
        |discount| Confusion::new(sources, CLASSES, ConfusionOptions { discount, ..ConfusionOptions::default() });
    let learners = [
        ("equal weights", Learner::Fixed(vec![1.0; sources])),
        ("reliability", Learner::Reliability(reliability(1.0)?)),
        ("reliability, discount 0.98", Learner::Reliability(reliability(0.98)?)),
        ("adaptive", Learner::Weights(Weights::new(slow.clone())?)),
        ("adaptive, self-reported", Learner::SelfReported(Weights::new(slow)?)),
        ("hedge", Learner::Hedge(hedge(HedgeOptions::default())?)),
        ("hedge, share 0.01", Learner::Hedge(hedge(HedgeOptions { share: 0.01, ..HedgeOptions::default() })?)),
        ("hedge, gradient", Learner::Hedge(hedge(gradient)?)),
        ("confusion", Learner::Confusion(confusion(1.0)?)),
        ("confusion, discount 0.95", Learner::Confusion(confusion(0.95)?)),
    ];
    let drawn = ["reliability, discount 0.98", "hedge, share 0.01"];
    let entrant = |(name, learner)| Entrant { name, learner, pass: Pass::default(), drawn: drawn.contains(&name) };
    Ok(learners.into_iter().map(entrant).collect())
}

impl Entrant {
    /// Takes the learner through the stream; and a second one, which is saved half way, loaded, and must not differ.
    pub fn run(&mut self, engine: &Engine, stream: &Stream, directory: &Path) -> Result<(), Failure> {
        let [before, after, _] = stream.parts();
        let first = Pass::over(stream, before, &mut self.learner, engine)?;
        let path = directory.join(format!("{}.json", self.name.replace(", ", "_").replace([' ', '-'], "_")));
        self.learner.save(&path)?;
        let mut resumed = self.learner.load(&path)?;
        let second = Pass::over(stream, after.clone(), &mut self.learner, engine)?;
        assert_eq!(
            Pass::over(stream, after, &mut resumed, engine)?,
            second,
            "{} says otherwise once resumed",
            self.name
        );
        assert_eq!(resumed, self.learner, "{} learns otherwise once resumed", self.name);
        self.pass = first.then(second);
        Ok(())
    }
}
