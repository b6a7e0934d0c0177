//! Steps 4 and 5 of the contract: every rule from the literature's formula.

use consilience::{BeliefFusion, Conflict, Flags, Fusion, Rule, Weighting};

use super::opinions::{Opinion, argmax};
use super::weights;

/// What the rules go by beside the opinions.
#[derive(Debug)]
pub struct Setting<'a> {
    pub fusion: &'a Fusion,
    pub sources: usize,
    pub classes: usize,
    /// rho.
    pub rho: Vec<f64>,
    /// Weights per class over their mean, by source.
    pub v: Option<Vec<Vec<f64>>>,
}

/// The answer of one rule.
#[derive(Debug, Clone, Default)]
pub struct Pooled {
    pub posterior: Vec<f64>,
    /// What each source adds to each class: to the posterior, or to its logarithm.
    pub terms: Vec<Vec<f64>>,
    /// By how much the contract lets each class be off beyond the usual.
    pub slack: Vec<f64>,
    pub flags: u32,
}

/// What weights that sum to less come to.
pub const WEIGHT_FLOOR: f64 = 7.888609e-31;

impl<'a> Setting<'a> {
    pub fn of(fusion: &'a Fusion, sources: usize, classes: usize) -> Self {
        let rho = (0..classes).map(|k| share(fusion.class_prior.as_deref(), k, classes)).collect();
        let v = match &fusion.weighting {
            Weighting::PerClass(weights) => {
                let mean = |row: &[f64]| row.iter().sum::<f64>() / classes as f64;
                let over_mean = |row: Vec<f64>| row.iter().map(|w| w / mean(&row)).collect();
                Some(weights::per_class(weights, classes).into_iter().map(over_mean).collect())
            }
            _ => None,
        };
        Self { fusion, sources, classes, rho, v }
    }

    pub fn pi(&self, source: usize) -> f64 {
        share(self.fusion.source_priors.as_deref(), source, self.sources)
    }

    /// a_n.
    fn reliability(&self, source: usize) -> f64 {
        f64::from(self.fusion.reliabilities.as_ref().map_or(0.9_f32, |list| list[source]))
    }

    fn eps(&self) -> f64 {
        f64::from(self.fusion.log_floor)
    }

    fn log(&self, p: f64) -> f64 {
        p.clamp(self.eps(), 1.0).ln()
    }

    fn ln_rho(&self, k: usize) -> f64 {
        self.rho[k].max(1e-30).ln()
    }

    fn v(&self, o: &Opinion, k: usize) -> f64 {
        self.v.as_ref().map_or(1.0, |v| v[o.source][k])
    }

    /// One rule alone on the present opinions, of which there is one at least, and on those who abstained.
    pub fn pool(&self, rule: &Rule, opinions: &[Opinion], abstained: &[usize]) -> Pooled {
        match rule {
            Rule::Linear => self.linear(opinions),
            Rule::Vote => self.mean(opinions, |o| o.w, |o, k| if o.vote == k { 1.0 } else { 0.0 }),
            Rule::MaxVote => {
                let most = opinions.iter().filter(|o| o.w > 0.0).map(|o| o.c).fold(0.0, f64::max);
                self.mean(opinions, |o| if o.c == most { o.w } else { 0.0 }, |o, k| o.p[k])
            }
            Rule::BayesianAverage => {
                let r = |o: &Opinion| self.pi(o.source) * o.w * o.c;
                if opinions.iter().map(r).sum::<f64>() < WEIGHT_FLOOR {
                    return Pooled { flags: Flags::ZERO_WEIGHTS.0, ..self.linear(opinions) };
                }
                self.mean(opinions, r, |o, k| o.p[k])
            }
            Rule::LogPool => Pooled { slack: vec![0.0; self.classes], ..self.log_pool(opinions, 1.0) },
            Rule::Extremised { exponent } => self.log_pool(opinions, f64::from(*exponent)),
            Rule::Evidence { exponents } => {
                let e = |source: usize| if exponents.is_empty() { 1.0 } else { f64::from(exponents[source]) };
                let term = |o: &Opinion, k: usize| e(o.source) * (self.log(o.p[k]) - self.ln_rho(k));
                let size = |o: &Opinion, k: usize| e(o.source) * (self.log(o.p[k]).abs() + self.ln_rho(k).abs());
                let base = |k| self.ln_rho(k);
                self.softmax(base, self.terms(opinions, term), self.terms(opinions, size))
            }
            Rule::PowerMean { exponent } => {
                let r = f64::from(*exponent);
                let power = |o: &Opinion, k: usize| o.p[k].clamp(self.eps(), 1.0).powf(r);
                let means = self.mean(opinions, |o| o.w, power).posterior;
                let posterior = normalised(means.iter().map(|mean| mean.powf(1.0 / r)).collect());
                Pooled { posterior, slack: vec![2e-6; self.classes], ..Pooled::default() }
            }
            Rule::Median => self.middle(opinions, |values| {
                let m = values.len();
                f64::midpoint(values[(m - 1) / 2], values[m / 2])
            }),
            Rule::Trimmed { share } => self.middle(opinions, |values| {
                let m = values.len();
                // A share that is not one of f32, as 0.35 of 20, is meant; one value is left at least.
                let left_out = ((f64::from(*share) * m as f64 + 1.0 / 1024.0).floor() as usize).min((m - 1) / 2);
                let kept = &values[left_out..m - left_out];
                kept.iter().sum::<f64>() / kept.len() as f64
            }),
            Rule::DempsterShafer { conflict } => self.dempster_shafer(opinions, *conflict),
            Rule::Belief(kind) => self.belief(opinions, *kind),
            Rule::Confusion { matrices } => self.confusion(matrices, opinions, abstained),
            Rule::Stacked { weights, bias } => {
                let c = self.classes;
                let a = |o: &Opinion, k: usize, j: usize| f64::from(weights[(o.source * c + k) * c + j]);
                let term = |o: &Opinion, k: usize| (0..c).map(|j| a(o, k, j) * self.log(o.p[j])).sum();
                let size = |o: &Opinion, k: usize| (0..c).map(|j| (a(o, k, j) * self.log(o.p[j])).abs()).sum();
                let base = |k: usize| f64::from(bias[k]);
                self.softmax(base, self.terms(opinions, term), self.terms(opinions, size))
            }
            Rule::Adaptive { learned } => {
                let most = learned.iter().map(|&u| f64::from(u)).fold(0.0, f64::max);
                let u = |o: &Opinion| if most > 0.0 { f64::from(learned[o.source]) / most } else { 0.0 };
                if opinions.iter().map(u).sum::<f64>() < WEIGHT_FLOOR {
                    return self.linear(opinions);
                }
                let no_v = Setting { v: None, rho: self.rho.clone(), ..*self };
                no_v.mean(opinions, u, |o, k| o.p[k])
            }
            other => panic!("the oracle knows no {other}"),
        }
    }

    pub fn linear(&self, opinions: &[Opinion]) -> Pooled {
        self.mean(opinions, |o| o.w, |o, k| o.p[k])
    }

    /// sum w_n(k) x_n(k) / sum w_n(k).
    fn mean(&self, opinions: &[Opinion], w: impl Fn(&Opinion) -> f64, x: impl Fn(&Opinion, usize) -> f64) -> Pooled {
        let total: Vec<f64> = (0..self.classes).map(|k| opinions.iter().map(|o| w(o) * self.v(o, k)).sum()).collect();
        let terms = self.terms(opinions, |o, k| w(o) * self.v(o, k) * x(o, k) / total[k]);
        self.sum(terms, |_| 0.0)
    }

    fn terms(&self, opinions: &[Opinion], term: impl Fn(&Opinion, usize) -> f64) -> Vec<Vec<f64>> {
        let mut terms = vec![vec![0.0; self.classes]; self.sources];
        for o in opinions {
            terms[o.source] = (0..self.classes).map(|k| term(o, k)).collect();
        }
        terms
    }

    fn sum(&self, terms: Vec<Vec<f64>>, base: impl Fn(usize) -> f64) -> Pooled {
        let total = |k: usize| base(k) + terms.iter().map(|row| row[k]).sum::<f64>();
        Pooled { posterior: (0..self.classes).map(total).collect(), terms, slack: vec![0.0; self.classes], flags: 0 }
    }

    /// softmax(base + sum of terms); `sizes` are those of the logarithms added up.
    fn softmax(&self, base: impl Fn(usize) -> f64, terms: Vec<Vec<f64>>, sizes: Vec<Vec<f64>>) -> Pooled {
        let error = |k: usize| 2e-7 * (base(k).abs() + sizes.iter().map(|row| row[k]).sum::<f64>());
        let error: Vec<f64> = (0..self.classes).map(error).collect();
        let logs = self.sum(terms, &base);
        let most = logs.posterior.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let posterior = normalised(logs.posterior.iter().map(|log| (log - most).exp()).collect());
        let mean: f64 = posterior.iter().zip(&error).map(|(p, error)| p * error).sum();
        let slack = posterior.iter().zip(&error).map(|(p, error)| p * (error + mean)).collect();
        Pooled { posterior, slack, ..logs }
    }

    fn log_pool(&self, opinions: &[Opinion], exponent: f64) -> Pooled {
        let mean = self.mean(opinions, |o| o.w, |o, k| self.log(o.p[k]));
        let terms: Vec<Vec<f64>> = mean.terms.iter().map(|row| row.iter().map(|x| exponent * x).collect()).collect();
        let sizes = terms.iter().map(|row| row.iter().map(|x| x.abs()).collect()).collect();
        self.softmax(|_| 0.0, terms, sizes)
    }

    /// The middle of each class's opinions in order of size.
    fn middle(&self, opinions: &[Opinion], middle: impl Fn(&[f64]) -> f64) -> Pooled {
        let of_class = |k: usize| {
            let mut values: Vec<f64> = opinions.iter().map(|o| o.p[k]).collect();
            values.sort_by(f64::total_cmp);
            middle(&values)
        };
        let middles: Vec<f64> = (0..self.classes).map(of_class).collect();
        if middles.iter().sum::<f64>() < 1e-12 {
            return Pooled { flags: Flags::NO_MIDDLE.0, ..self.linear(opinions) };
        }
        Pooled { posterior: normalised(middles), slack: vec![0.0; self.classes], ..Pooled::default() }
    }

    /// The masses on each class and on the frame, not normalised, combined two sources at a time; and the sum of the sizes
    /// of the logarithms of the largest class.
    pub fn masses(&self, opinions: &[Opinion]) -> (Vec<f64>, f64, f64) {
        let (mut classes, mut frame, mut size) = (vec![0.0; self.classes], 1.0, vec![0.0; self.classes]);
        for o in opinions {
            let a = self.reliability(o.source);
            let other_frame = (1.0 - a).max(self.eps());
            for (k, mass) in classes.iter_mut().enumerate() {
                let other = (a * o.p[k] + 1.0 - a).max(self.eps()) - other_frame;
                // {k} meets {k} and the frame in {k}, and every other class in nothing.
                *mass = *mass * other + *mass * other_frame + frame * other;
                size[k] += (other + other_frame).ln().abs().max(other_frame.ln().abs());
            }
            frame *= other_frame;
        }
        (classes, frame, size.iter().copied().fold(0.0, f64::max))
    }

    fn dempster_shafer(&self, opinions: &[Opinion], conflict: Conflict) -> Pooled {
        let (classes, frame, size) = self.masses(opinions);
        let certain: f64 = classes.iter().sum();
        let posterior = match conflict {
            Conflict::Normalise => normalised((0..self.classes).map(|k| classes[k] + self.rho[k] * frame).collect()),
            Conflict::Ignorance => (0..self.classes).map(|k| classes[k] + self.rho[k] * (1.0 - certain)).collect(),
        };
        Pooled { posterior, slack: vec![2e-7 * size; self.classes], ..Pooled::default() }
    }

    /// Jøsang's cumulative, averaging and weighted fusion of b_n = (1 - u_n) p_n and u_n.
    fn belief(&self, opinions: &[Opinion], kind: BeliefFusion) -> Pooled {
        let u: Vec<f64> = opinions.iter().map(|o| (1.0 - self.reliability(o.source)).max(self.eps())).collect();
        let n = u.len() as f64;
        let but = |i: usize| u.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, u)| u).product::<f64>();
        let (all, others): (f64, f64) = (u.iter().product(), (0..u.len()).map(but).sum());
        let (denominator, uncertainty) = match kind {
            BeliefFusion::Cumulative => (others - (n - 1.0) * all, all),
            BeliefFusion::Averaging => (others, n * all),
            BeliefFusion::Weighted => (others - n * all, (n - u.iter().sum::<f64>()) * all),
        };
        if kind == BeliefFusion::Weighted && u.iter().all(|u| *u == 1.0) {
            return self.sum(self.terms(&[], |_, _| 0.0), |k| self.rho[k]);
        }
        let place = |o: &Opinion| opinions.iter().position(|other| other.source == o.source).expect("one of them");
        let belief = |o: &Opinion, k: usize| {
            let (i, b) = (place(o), (1.0 - u[place(o)]) * o.p[k]);
            b * but(i) / denominator * if kind == BeliefFusion::Weighted { 1.0 - u[i] } else { 1.0 }
        };
        self.sum(self.terms(opinions, belief), |k| self.rho[k] * uncertainty / denominator)
    }

    /// Dawid and Skene's posterior.
    pub fn confusion(&self, matrices: &[f32], opinions: &[Opinion], abstained: &[usize]) -> Pooled {
        let c = self.classes;
        let answers = opinions.iter().map(|o| (o.source, o.vote)).chain(abstained.iter().map(|&source| (source, c)));
        let mut terms = vec![vec![0.0; c]; self.sources];
        for (source, answer) in answers {
            let theta = |k: usize| f64::from(matrices[(source * c + k) * (c + 1) + answer]);
            terms[source] = (0..c).map(|k| self.log(theta(k))).collect();
        }
        let sizes = terms.iter().map(|row| row.iter().map(|x| x.abs()).collect()).collect();
        self.softmax(|k| self.ln_rho(k), terms, sizes)
    }
}

/// The rules and their shares, which sum to one.
pub fn shares(rule: &Rule) -> Vec<(&Rule, f64)> {
    let Rule::Ensemble(members) = rule else { return vec![(rule, 1.0)] };
    let total: f64 = members.iter().map(|m| f64::from(m.weight)).sum();
    members.iter().filter(|m| m.weight > 0.0).map(|m| (&m.rule, f64::from(m.weight) / total)).collect()
}

/// An entry of a list that is normalised, or uniform.
fn share(list: Option<&[f32]>, index: usize, n: usize) -> f64 {
    list.map_or(1.0 / n as f64, |list| f64::from(list[index]) / list.iter().map(|&x| f64::from(x)).sum::<f64>())
}

fn normalised(values: Vec<f64>) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    values.iter().map(|x| x / sum).collect()
}

/// The class that a vote alone decides for: of those within 1e-6 of the largest share, the one with the largest pool.
pub fn tie_break(posterior: &[f64], linear: &[f64]) -> Vec<f64> {
    let most = posterior[argmax(posterior)];
    posterior.iter().zip(linear).map(|(p, linear)| if *p >= most - 1e-6 { *linear } else { -1.0 }).collect()
}
