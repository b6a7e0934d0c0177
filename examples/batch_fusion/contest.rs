//! Calibrated fusion against every single source, on digits that nothing was fitted to.

use consilience::calibration::{
    ConformalSets, Interval, Labelled, Loss, Nonconformity, Scores, Temperature, paired_bootstrap,
    temperatures_of_sources,
};
use consilience::stacking::{Folds, Stacking};
use consilience::{Engine, Evidence, Fusion, Output, Rule};

use crate::Failure;
use crate::digits::CLASSES;

/// Folds of the calibration third: what is fitted to four answers the fifth.
const FOLDS: u32 = 5;
/// Penalties tried for stacking; the folds choose.
const PENALTIES: [f64; 4] = [1e-3, 3e-3, 1e-2, 3e-2];
const RESAMPLES: usize = 4000;

/// Labelled evidence.
#[derive(Clone, Copy)]
pub struct Third<'a> {
    pub evidence: &'a Evidence<'a>,
    pub labels: &'a [u32],
}

/// One that gives posteriors of the test third.
pub struct Contender {
    pub kind: &'static str,
    pub name: String,
    posterior: Vec<f32>,
    /// NLL on the calibration third, every item answered by what was fitted without it.
    out_of_fold: f64,
    /// The posteriors of that.
    calibration: Vec<f32>,
}

/// The chosen one beside another.
pub struct Duel<'a> {
    pub other: &'a Contender,
    /// The chosen one's NLL less the other's, on the test third.
    pub difference: Interval,
}

/// All of them.
pub struct Contest<'a> {
    test: Third<'a>,
    calibration: Third<'a>,
    pub contenders: Vec<Contender>,
}

impl<'a> Contest<'a> {
    /// Fits everything to the calibration third and lets it answer the test third.
    pub fn hold(
        engine: &Engine,
        names: &[&str],
        calibration: Third<'a>,
        test: Third<'a>,
        seed: u64,
    ) -> Result<Self, Failure> {
        let mut contest = Self { test, calibration, contenders: Vec::new() };
        let folds = Folds::stratified(calibration.labels, FOLDS, seed)?;
        for (source, name) in names.iter().enumerate() {
            contest.source(source, name, &folds)?;
        }
        for rule in [Rule::Linear, Rule::LogPool, Rule::Evidence { exponents: Vec::new() }, Rule::default()] {
            contest.rule(engine, &rule, &folds)?;
        }
        contest.stacked(engine, &folds)?;
        Ok(contest)
    }

    /// The source as it is, and with a temperature of its own.
    fn source(&mut self, source: usize, name: &str, folds: &Folds) -> Result<(), Failure> {
        let (calibration, test) = (rows(self.calibration, source)?, rows(self.test, source)?);
        let raw = calibration.clone();
        self.add("source", name.to_owned(), test.clone(), raw)?;
        let labels = self.calibration.labels;
        let cross = cross_fitted(&calibration, labels, folds)?;
        let mut tempered = test;
        Temperature::fit(&Labelled::new(CLASSES, &calibration, labels)?).apply(CLASSES, &mut tempered)?;
        self.add("calibrated source", name.to_owned(), tempered, cross)
    }

    /// The rule on sources with temperatures, with a temperature of its own.
    fn rule(&mut self, engine: &Engine, rule: &Rule, folds: &Folds) -> Result<(), Failure> {
        let Third { evidence, labels } = self.calibration;
        let temperatures = temperatures_of_sources(evidence, labels)?.iter().map(Temperature::value).collect();
        let fusion = Fusion::new(rule.clone()).source_temperatures(temperatures).outputs(&[Output::Posterior]);
        let before = engine.fuse(&fusion, evidence)?;
        let pool = Temperature::fit(&Labelled::new(CLASSES, before.posterior(), labels)?);
        let test = engine.fuse(&fusion.temperature(pool.value()), self.test.evidence)?;
        let cross = cross_fitted(before.posterior(), labels, folds)?;
        self.add("calibrated", rule.to_string(), test.posterior().to_vec(), cross)
    }

    /// Multinomial logistic regression on all sources' log-probabilities.
    fn stacked(&mut self, engine: &Engine, folds: &Folds) -> Result<(), Failure> {
        let Third { evidence, labels } = self.calibration;
        let mut best: Option<consilience::stacking::OutOfFold> = None;
        for l2 in PENALTIES {
            let fit = Stacking { l2, ..Stacking::default() }.out_of_fold(engine, evidence, labels, folds)?;
            if best.as_ref().is_none_or(|best| fit.nll() < best.nll()) {
                best = Some(fit);
            }
        }
        let best = best.ok_or("no penalty to try")?;
        let cross = best.posterior().to_vec();
        let posterior = best.into_model().posterior(engine, self.test.evidence)?;
        self.add("calibrated", "stacked".to_owned(), posterior, cross)
    }

    fn add(
        &mut self,
        kind: &'static str,
        name: String,
        posterior: Vec<f32>,
        calibration: Vec<f32>,
    ) -> Result<(), Failure> {
        let out_of_fold = Loss::Nll.mean(&Labelled::new(CLASSES, &calibration, self.calibration.labels)?);
        self.contenders.push(Contender { kind, name, posterior, out_of_fold, calibration });
        Ok(())
    }

    /// The fusion with the best out-of-fold NLL on the calibration third; the test third has no say.
    pub fn chosen(&self) -> Result<&Contender, Failure> {
        let fused = self.contenders.iter().filter(|contender| contender.kind == "calibrated");
        Ok(fused.min_by(|a, b| a.out_of_fold.total_cmp(&b.out_of_fold)).ok_or("no fusion to choose from")?)
    }

    /// Scores on the test third.
    pub fn scores(&self, contender: &Contender) -> Result<Scores, Failure> {
        Ok(Scores::of(&Labelled::new(CLASSES, &contender.posterior, self.test.labels)?, 15)?)
    }

    /// The chosen one beside every source, with and without a temperature.
    pub fn duels(&self, seed: u64) -> Result<Vec<Duel<'_>>, Failure> {
        let losses = |contender: &Contender| -> Result<Vec<f64>, Failure> {
            Ok(Loss::Nll.per_item(&Labelled::new(CLASSES, &contender.posterior, self.test.labels)?))
        };
        let ours = losses(self.chosen()?)?;
        let duel = |other| -> Result<Duel<'_>, Failure> {
            Ok(Duel { other, difference: paired_bootstrap(&ours, &losses(other)?, RESAMPLES, seed, 0.95)? })
        };
        self.contenders.iter().filter(|contender| contender.kind != "calibrated").map(duel).collect()
    }

    /// Name, coverage on the test third and mean size of the conformal sets at 90 % of the chosen one.
    pub fn sets(&self, seed: u64) -> Result<Vec<(&'static str, f64, f64)>, Failure> {
        let chosen = self.chosen()?;
        let fitted = Labelled::new(CLASSES, &chosen.calibration, self.calibration.labels)?;
        let test = Labelled::new(CLASSES, &chosen.posterior, self.test.labels)?;
        let kinds = [
            ("LAC", Nonconformity::Lac),
            ("APS", Nonconformity::Aps),
            ("APS, randomised", Nonconformity::RandomisedAps { seed }),
        ];
        let measure = |(name, kind)| -> Result<_, Failure> {
            let quality = ConformalSets::fit(&fitted, 0.1, kind)?.measure(&test)?;
            Ok((name, quality.coverage, quality.mean_size))
        };
        kinds.into_iter().map(measure).collect()
    }
}

/// One source's probabilities.
fn rows(third: Third<'_>, source: usize) -> Result<Vec<f32>, Failure> {
    let mut rows = vec![0.0; third.labels.len() * CLASSES];
    for (item, row) in rows.chunks_exact_mut(CLASSES).enumerate() {
        third.evidence.opinion(source, item, row)?;
    }
    Ok(rows)
}

/// Every item tempered by what was fitted to the other folds.
fn cross_fitted(posterior: &[f32], labels: &[u32], folds: &Folds) -> Result<Vec<f32>, Failure> {
    let mut tempered = posterior.to_vec();
    for &fold in folds.distinct() {
        let outside = |item: &usize| folds.of_items()[*item] != fold;
        let row = |item: usize| &posterior[item * CLASSES..(item + 1) * CLASSES];
        let rest: Vec<usize> = (0..labels.len()).filter(outside).collect();
        let rows: Vec<f32> = rest.iter().flat_map(|&item| row(item).to_vec()).collect();
        let rest: Vec<u32> = rest.iter().map(|&item| labels[item]).collect();
        let fitted = Temperature::fit(&Labelled::new(CLASSES, &rows, &rest)?);
        for item in (0..labels.len()).filter(|item| !outside(item)) {
            fitted.apply(CLASSES, &mut tempered[item * CLASSES..(item + 1) * CLASSES])?;
        }
    }
    Ok(tempered)
}
