//! What is kept of every source until the whole item is known.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use crate::backend::cpu::transpose::Lanes;

/// Stands for the probability of a source that is absent: above every probability, so that it sorts last.
pub(super) const ABSENT: f32 = 2.0;

/// One entry per source, or per source and class.
#[derive(Debug, Default)]
pub(super) struct Kept {
    classes: usize,
    /// Probabilities, [N][C], [`ABSENT`] where absent; empty where not wanted.
    p: Vec<Lanes>,
    /// Their logarithms as rules take them, [N][C], 0 where absent; empty where not wanted.
    ln: Vec<Lanes>,
    /// w, 0 where absent.
    pub weight: Vec<Lanes>,
    /// r, likewise.
    pub bayes: Vec<Lanes>,
    /// c, -1 where absent.
    pub confidence: Vec<Lanes>,
    /// The class voted for; C where abstained, -1 where absent.
    pub vote: Vec<Lanes>,
    /// Its contribution.
    pub term: Vec<Lanes>,
}

impl Kept {
    pub(super) fn of(sources: usize, classes: usize, p: bool, ln: bool) -> Self {
        let lanes = |len| vec![Lanes::ZERO; len];
        let rows = |wanted| lanes(if wanted { sources * classes } else { 0 });
        Self {
            classes,
            p: rows(p),
            ln: rows(ln),
            weight: lanes(sources),
            bayes: lanes(sources),
            confidence: lanes(sources),
            vote: lanes(sources),
            term: lanes(sources),
        }
    }

    /// One source's probabilities, [C].
    pub(super) fn p(&self, source: usize) -> &[Lanes] {
        &self.p[source * self.classes..][..self.classes]
    }

    /// One source's logarithms, [C].
    pub(super) fn ln(&self, source: usize) -> &[Lanes] {
        &self.ln[source * self.classes..][..self.classes]
    }

    /// Where one source's probabilities and logarithms are to be written: here, each if it is kept, else as given.
    #[inline(always)]
    pub(super) fn place<'a>(
        &'a mut self,
        source: usize,
        p: &'a mut [Lanes],
        ln: &'a mut [Lanes],
    ) -> (&'a mut [Lanes], &'a mut [Lanes]) {
        let range = source * self.classes..(source + 1) * self.classes;
        (
            if self.p.is_empty() { p } else { &mut self.p[range.clone()] },
            if self.ln.is_empty() { ln } else { &mut self.ln[range] },
        )
    }

    /// Takes over what one source counts, what it says, and how surely.
    #[inline(always)]
    pub(super) fn keep_terms<S: Simd>(
        &mut self,
        source: usize,
        w: f32x16<S>,
        r: f32x16<S>,
        confidence: f32x16<S>,
        answer: f32x16<S>,
    ) {
        w.store_array(&mut self.weight[source].0);
        r.store_array(&mut self.bayes[source].0);
        confidence.store_array(&mut self.confidence[source].0);
        answer.store_array(&mut self.vote[source].0);
    }

    /// Takes over one source's opinions.
    #[inline(always)]
    pub(super) fn keep<S: Simd>(&mut self, simd: S, source: usize, valid: mask32x16<S>, p: &[Lanes], ln: &[Lanes]) {
        let range = source * self.classes..(source + 1) * self.classes;
        let absent = f32x16::splat(simd, ABSENT);
        if let Some(kept) = self.p.get_mut(range.clone()) {
            for (to, from) in kept.iter_mut().zip(p) {
                valid.select(f32x16::load_array_ref(simd, &from.0), absent).store_array(&mut to.0);
            }
        }
        // Of votes alone there are no logarithms.
        if let Some(kept) = self.ln.get_mut(range).filter(|kept| kept.len() == ln.len()) {
            kept.copy_from_slice(ln);
        }
    }
}
