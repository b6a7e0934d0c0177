//! What a pool has to keep, and the memory it keeps it in.

use crate::backend::cpu::fusion::pool::kept::Kept;
use crate::backend::cpu::fusion::pool::tally::Named;
use crate::backend::cpu::transpose::{LANES, Lanes};
use crate::kernel::fusion::pool::{By, Pool, Slot, SourceTerms};
use crate::tensor::{Evidence, Form, Output};

/// How whole tiles are walked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// Rows, all of them there.
    Dense,
    /// Labels.
    Tally,
    /// Anything.
    General,
}

impl Walk {
    pub(super) fn of(pool: &Pool, wants: Wants, evidence: &Evidence<'_>) -> Self {
        let is_bare = |source| evidence.presence(source).is_none() && evidence.confidence(source).is_none();
        let all = |are: fn(&Form) -> bool| pool.forms.iter().all(are);
        if !wants.steady || !(0..pool.sources.len()).all(is_bare) {
            Self::General
        } else if all(|form| matches!(form, Form::F32(_))) {
            Self::Dense
        } else if all(|form| matches!(form, Form::LabelsU8 | Form::LabelsU16)) && !wants.contributions {
            Self::Tally
        } else {
            Self::General
        }
    }
}

/// What a pool has to keep, decided once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wants {
    /// One bit per rule, at the place of its [`Slot`].
    rules: u32,
    /// The linear pool, for itself or for what rests on it.
    pub linear: bool,
    /// The linear pool before class weights.
    pub plain: bool,
    /// The mean logarithm: of the log pool and of the extremised one.
    pub logarithm: bool,
    /// Dempster's sums of logarithms.
    pub belief_masses: bool,
    pub disagreement: bool,
    /// Every opinion, until all are known.
    pub kept: bool,
    pub contributions: bool,
    /// The consensus, before weights can be told.
    pub consensus: bool,
    /// The rows' largest values: some rule or weighting asks for a confidence, or votes.
    pub largest: bool,
    /// The rows' second largest values.
    pub second: bool,
    /// The rows' entropies.
    pub entropy: bool,
    /// Logarithms of the probabilities, clamped for the rules.
    pub ln: bool,
    pub clamped: bool,
    /// Weights per class.
    pub class_weights: bool,
    /// Some rule or output that is computed out of line.
    pub rare: bool,
    /// A label can be added to sums without its row being written out.
    pub labels_add: bool,
    /// What a source counts depends on nothing it says, and no rule asks for more than [`Dense`](Walk::Dense) and
    /// [`Tally`](Walk::Tally) add up.
    steady: bool,
    /// ln eps.
    pub ln_floor: f32,
    /// 1 / ln C.
    pub inverse_ln_classes: f32,
    /// The power mean's exponents are taken less this much.
    pub power_shift: f32,
}

impl Wants {
    pub(super) fn of(pool: &Pool) -> Self {
        let rules = pool.rules();
        let has = |slots: &[Slot]| slots.iter().any(|slot| rules & slot.bit() != 0);
        let asks = |output| pool.outputs.contains(output);
        let disagreement = asks(Output::Disagreement);
        let by_confidence = pool.sources.iter().any(|source| source.scale != 0.0);
        let logarithm = has(&[Slot::LogPool, Slot::Extremised]);
        let belief_masses = has(&[Slot::DempsterShafer]) || asks(Output::Conflict);
        let middle = has(&[Slot::Median, Slot::Trimmed]);
        let class_weights = !pool.class_weights.is_empty();
        let consensus = pool.by.is_consensus();
        let clamped = logarithm || has(&[Slot::Evidence, Slot::PowerMean, Slot::Stacked]);
        let entropy = disagreement || (by_confidence && pool.by == By::Entropy);
        let contributions = asks(Output::Contributions);
        let rarely = has(&[
            Slot::MaxVote,
            Slot::Evidence,
            Slot::PowerMean,
            Slot::Belief,
            Slot::Confusion,
            Slot::Stacked,
            Slot::Adaptive,
        ]) || middle
            || belief_masses
            || class_weights;
        let rare = rarely || contributions;
        let is_steady = |source: &SourceTerms| source.scale == 0.0 && source.inverse_temperature == 1.0;
        Self {
            rules,
            linear: disagreement || pool.is_vote_alone() || middle || has(&[Slot::Linear, Slot::Adaptive]),
            plain: disagreement && class_weights,
            logarithm,
            belief_masses,
            disagreement,
            kept: middle || contributions,
            contributions,
            consensus,
            largest: has(&[Slot::Vote, Slot::MaxVote, Slot::BayesianAverage, Slot::Confusion])
                || (by_confidence && matches!(pool.by, By::Max | By::Margin)),
            second: by_confidence && pool.by == By::Margin,
            entropy,
            ln: clamped || entropy || pool.sources.iter().any(|source| source.inverse_temperature != 1.0),
            clamped,
            class_weights,
            rare,
            labels_add: !(rare || consensus),
            steady: !(rarely || consensus) && pool.sources.iter().all(is_steady),
            ln_floor: pool.ln_floor(),
            inverse_ln_classes: pool.inverse_ln_classes(),
            power_shift: (pool.power * pool.ln_floor()).max(0.0),
        }
    }

    /// Whether the rule has a share.
    #[inline(always)]
    pub(super) fn rule(self, slot: Slot) -> bool {
        self.rules & slot.bit() != 0
    }

    /// The same, for finding the consensus alone.
    pub(super) fn for_consensus(self) -> Self {
        Self { largest: false, second: false, entropy: false, clamped: false, labels_add: false, ..self }
    }
}

/// Working memory of one thread: [C] lanes each, empty where not wanted.
#[derive(Debug)]
pub(super) struct Scratch {
    /// The source's probabilities, and in the end the posterior.
    pub p: Vec<Lanes>,
    /// Their logarithms.
    pub ln: Vec<Lanes>,
    pub linear: Vec<Lanes>,
    pub plain: Vec<Lanes>,
    pub vote: Vec<Lanes>,
    pub max_vote: Vec<Lanes>,
    pub bayes: Vec<Lanes>,
    pub logarithm: Vec<Lanes>,
    pub extremised: Vec<Lanes>,
    pub evidence: Vec<Lanes>,
    pub power: Vec<Lanes>,
    pub median: Vec<Lanes>,
    pub trimmed: Vec<Lanes>,
    pub masses: Vec<Lanes>,
    pub belief: Vec<Lanes>,
    pub confusion: Vec<Lanes>,
    pub stacked: Vec<Lanes>,
    pub adaptive: Vec<Lanes>,
    /// Sums of weights per class: of w, of r, and of w over the most confident.
    pub class_weight: Vec<Lanes>,
    pub class_bayes: Vec<Lanes>,
    pub class_most: Vec<Lanes>,
    /// The mean of all opinions, and its entropy.
    pub consensus: Vec<Lanes>,
    pub consensus_entropy: Lanes,
    /// Empty where labels are not counted.
    pub named: Named,
    /// One class of every source, being sorted.
    pub column: Vec<Lanes>,
    pub kept: Kept,
    /// Sixteen rows of values, for forms that are widened and for the tile at the end that has fewer items.
    pub rows: Vec<f32>,
}

impl Scratch {
    pub(super) fn of(pool: &Pool, wants: Wants, walk: Walk) -> Self {
        let lanes = |wanted: bool| vec![Lanes::ZERO; if wanted { pool.classes } else { 0 }];
        let rule = |slot| lanes(wants.rule(slot));
        let n = pool.sources.len();
        // What contributions are made of; medians come with probabilities only.
        let logarithms = wants.rules & !Slot::LOGARITHMIC == 0;
        Self {
            p: lanes(true),
            ln: lanes(wants.ln),
            linear: lanes(wants.linear),
            plain: lanes(wants.plain),
            vote: rule(Slot::Vote),
            max_vote: rule(Slot::MaxVote),
            bayes: rule(Slot::BayesianAverage),
            logarithm: lanes(wants.logarithm),
            extremised: rule(Slot::Extremised),
            evidence: rule(Slot::Evidence),
            power: rule(Slot::PowerMean),
            median: rule(Slot::Median),
            trimmed: rule(Slot::Trimmed),
            masses: lanes(wants.belief_masses),
            belief: rule(Slot::Belief),
            confusion: rule(Slot::Confusion),
            stacked: rule(Slot::Stacked),
            adaptive: rule(Slot::Adaptive),
            class_weight: lanes(wants.class_weights),
            class_bayes: lanes(wants.class_weights && wants.rule(Slot::BayesianAverage)),
            class_most: lanes(wants.class_weights && wants.rule(Slot::MaxVote)),
            consensus: lanes(wants.consensus),
            consensus_entropy: Lanes::ZERO,
            named: Named::of(if walk == Walk::Tally { n } else { 0 }),
            column: vec![Lanes::ZERO; if wants.rule(Slot::Median) || wants.rule(Slot::Trimmed) { n } else { 0 }],
            kept: if wants.kept { Kept::of(n, pool.classes, !logarithms, logarithms) } else { Kept::default() },
            rows: vec![0.0; LANES * pool.classes],
        }
    }

    /// Every sum over sources back to zero.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        let sums = [
            &mut self.linear,
            &mut self.plain,
            &mut self.vote,
            &mut self.max_vote,
            &mut self.bayes,
            &mut self.logarithm,
            &mut self.evidence,
            &mut self.power,
            &mut self.masses,
            &mut self.belief,
            &mut self.confusion,
            &mut self.stacked,
            &mut self.adaptive,
            &mut self.class_weight,
            &mut self.class_bayes,
            &mut self.class_most,
        ];
        for sum in sums {
            sum.fill(Lanes::ZERO);
        }
    }
}
