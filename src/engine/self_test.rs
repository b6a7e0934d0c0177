//! Small known problems for a device that is opened: a driver that computes wrongly is not used.

use bytemuck::bytes_of;

use crate::backend::Backend;
use crate::error::{DeviceError, Result};
use crate::kernel::Kernel;
use crate::kernel::beam::moments::{self, SUMS, WORDS};
use crate::kernel::vortex::digital_root;
use crate::plan;
use crate::plan::batch::{Batch, Slot};
use crate::spec::{Fusion, Rule};
use crate::tensor::{Evidence, Fused};

/// Sources, and classes, of the fusion.
const SIDE: usize = 3;

/// By how much a posterior may be off.
const POSTERIOR: f64 = 2e-6;

/// Digits of a distribution of the reduction.
const DIGITS: usize = 9;

/// Runs the problems: a fusion, a kernel over arrays and a reduction, each over more than one workgroup. They are small:
/// what takes time is to compile three kernels, which later jobs find compiled.
///
/// # Errors
///
/// The device fails, or a result is wrong.
pub(super) fn run(device: &dyn Backend, name: &str) -> Result<()> {
    let test = Test { device, name };
    [test.fusion(), test.digital_roots(), test.moments()].into_iter().try_for_each(unless_too_large)
}

/// A fusion over more classes than a workgroup has lanes, in which every reduction over subgroups takes part.
///
/// # Errors
///
/// As [`run`].
pub(super) fn by_subgroups(device: &dyn Backend, name: &str) -> Result<()> {
    unless_too_large(Test { device, name }.wide())
}

/// Nothing, where not one item has room in the budget: no job of that kernel fits it either.
fn unless_too_large(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if matches!(error.device(), Some(DeviceError::ItemTooLarge { .. })) => Ok(()),
        result => result,
    }
}

struct Test<'a> {
    device: &'a dyn Backend,
    name: &'a str,
}

impl Test<'_> {
    /// The default fusion: a third each of the mean, the votes and the mean weighted by confidence.
    fn fusion(&self) -> Result<()> {
        let items = 100;
        // In 64ths; the largest is no other's equal, so that a vote does not hang on rounding.
        let row = |source: usize, item: usize| {
            let (large, small) = (33 + (7 * item + 5 * source) % 20, 1 + (3 * item + source) % 10);
            let mut row = [0.0; SIDE];
            row[(item + source * (item % 4)) % SIDE] = large as f32 / 64.0;
            row[(item + source * (item % 4) + 1) % SIDE] = small as f32 / 64.0;
            row[(item + source * (item % 4) + 2) % SIDE] = (64 - large - small) as f32 / 64.0;
            row
        };
        let planes: [Vec<f32>; SIDE] =
            std::array::from_fn(|source| (0..items).flat_map(|item| row(source, item)).collect());
        let evidence = Evidence::probabilities(SIDE, &planes.each_ref().map(Vec::as_slice))?;
        let fusion = Fusion::default();
        let (outline, mut fused) = (evidence.outline(), Fused::default());
        self.device.run(&plan::lower(&fusion, &outline)?, &evidence, fused.prepare(&outline, fusion.outputs))?;
        for (item, got) in fused.posterior().chunks_exact(SIDE).enumerate() {
            let rows: [_; SIDE] = std::array::from_fn(|source| row(source, item).map(f64::from));
            for (class, &got) in got.iter().enumerate() {
                let wanted = posterior(&rows, class);
                self.check(Kernel::Pool, &format!("item {item}, class {class}"), got, wanted, POSTERIOR)?;
            }
        }
        Ok(())
    }

    /// The votes, the mean weighted by confidence and the log pool, a third each: the first asks where a row is largest,
    /// the second how large it is of what sum, the third is itself divided by a sum over all classes. The decisions are in
    /// the first lane and the last, and in the lanes' second classes.
    fn wide(&self) -> Result<()> {
        let (items, classes) = (5, 300);
        let best = |item: usize| [299, 0, 255, 256, 130][item];
        // Logits in 16ths, so that the rows' sums of exponentials are reduced too.
        let logit = |source: usize, item: usize, class: usize| {
            let base = ((7 * class + 3 * item + 5 * source) % 32) as f32 / 16.0;
            if class == best(item) { base + 4.0 } else { base }
        };
        let plane = |source: usize| -> Vec<f32> {
            let cells = (0..items).flat_map(|item| (0..classes).map(move |class| (item, class)));
            cells.map(|(item, class)| logit(source, item, class)).collect()
        };
        let planes: [Vec<f32>; SIDE] = std::array::from_fn(plane);
        let evidence = Evidence::logits(classes, &planes.each_ref().map(Vec::as_slice))?;
        let fusion = Fusion::new(Rule::ensemble(&[Rule::Vote, Rule::BayesianAverage, Rule::LogPool]));
        let (outline, mut fused) = (evidence.outline(), Fused::default());
        self.device.run(&plan::lower(&fusion, &outline)?, &evidence, fused.prepare(&outline, fusion.outputs))?;
        for (item, got) in fused.posterior().chunks_exact(classes).enumerate() {
            let rows: [_; SIDE] =
                std::array::from_fn(|source| softmax((0..classes).map(|class| f64::from(logit(source, item, class)))));
            let confidence = rows.each_ref().map(|row| row.iter().copied().fold(0.0, f64::max));
            let whole: f64 = confidence.iter().sum();
            let logs = |class: usize| rows.iter().map(|row| row[class].ln()).sum::<f64>() / SIDE as f64;
            let log_pool = softmax((0..classes).map(logs));
            for (class, (&got, pooled)) in got.iter().zip(log_pool).enumerate() {
                let mean = rows.iter().zip(confidence).map(|(row, weight)| weight / whole * row[class]).sum::<f64>();
                let votes = if class == best(item) { 1.0 } else { 0.0 };
                let place = format!("item {item}, class {class}");
                self.check(Kernel::PoolWide, &place, got, (votes + mean + pooled) / 3.0, POSTERIOR)?;
            }
            let (got, wanted) = (fused.decision()[item], best(item));
            self.check(Kernel::PoolWide, &format!("decision on item {item}"), got as f32, wanted as f64, 0.0)?;
        }
        Ok(())
    }

    fn digital_roots(&self) -> Result<()> {
        let values: Vec<u32> = (0..1100_u32).map(|i| i.wrapping_mul(2_654_435_761)).collect();
        let mut roots = vec![0_u32; values.len()];
        let params = digital_root::Params { words: 1, ..Default::default() };
        self.device.run_batch(Batch {
            kernel: Kernel::DigitalRoot,
            items: values.len(),
            block: digital_root::BLOCK,
            operations: 0,
            params: bytes_of(&params),
            inputs: vec![Slot::<&[u8]>::items(&[&values[..]])],
            outputs: vec![Slot::<&mut [u8]>::items([&mut roots[..]])],
        })?;
        for (&value, &root) in values.iter().zip(&roots) {
            let wanted = if value == 0 { 0 } else { 1 + (value - 1) % 9 };
            self.check(Kernel::DigitalRoot, &format!("the root of {value}"), root as f32, wanted.into(), 0.0)?;
        }
        Ok(())
    }

    /// Sums over blocks of 256, of multiples of a 64th and of their products: a wrong order does not show, a value left out
    /// or counted twice does.
    fn moments(&self) -> Result<()> {
        let items = 300;
        let digit = |k: usize, item: usize| ((5 * k + 3 * item) % 17) as f32 / 64.0;
        let planes: [Vec<f32>; DIGITS] = std::array::from_fn(|k| (0..items).map(|item| digit(k, item)).collect());
        let pivot = [0.125_f32; DIGITS];
        let mut blocks = vec![[0.0_f32; WORDS]; items.div_ceil(moments::BLOCK)];
        self.device.run_batch(Batch {
            kernel: Kernel::BeamMoments,
            items,
            block: moments::BLOCK,
            operations: moments::OPERATIONS,
            params: bytes_of(&moments::Params::default()),
            inputs: vec![Slot::<&[u8]>::items(&planes.each_ref().map(Vec::as_slice)), Slot::shared(&pivot)],
            outputs: vec![Slot::blocks(&mut blocks)],
        })?;
        let z = |k: usize, item: usize| f64::from(digit(k, item)) - 0.125;
        let products = (0..DIGITS).flat_map(|i| (i..DIGITS).map(move |j| (i, Some(j))));
        let sums: Vec<(usize, Option<usize>)> = (0..DIGITS).map(|i| (i, None)).chain(products).collect();
        for (block, got) in blocks.iter().enumerate() {
            let range = block * moments::BLOCK..items.min((block + 1) * moments::BLOCK);
            for (place, (&got, &(i, j))) in got[..SUMS].iter().zip(&sums).enumerate() {
                let terms = range.clone().map(|item| z(i, item) * j.map_or(1.0, |j| z(j, item)));
                let (wanted, size) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + f64::abs(term)));
                self.check(Kernel::BeamMoments, &format!("sum {place} of block {block}"), got, wanted, 1e-5 * size)?;
            }
        }
        Ok(())
    }

    /// Whether a number is what it must be.
    fn check(&self, kernel: Kernel, place: &str, got: f32, wanted: f64, tolerance: f64) -> Result<()> {
        let got = f64::from(got);
        // A NaN is near nothing.
        if (got - wanted).abs() <= tolerance {
            return Ok(());
        }
        let (adapter, kernel, place) = (self.name.to_owned(), kernel.name(), place.to_owned());
        Err(DeviceError::WrongResult { adapter, kernel, place, got, wanted }.into())
    }
}

fn softmax(x: impl Iterator<Item = f64>) -> Vec<f64> {
    let powers: Vec<f64> = x.map(f64::exp).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// What the default fusion makes of one item's opinions.
fn posterior(rows: &[[f64; SIDE]; SIDE], class: usize) -> f64 {
    let confidence = |row: &[f64; SIDE]| row.iter().copied().fold(0.0, f64::max);
    let n = SIDE as f64;
    let mean = rows.iter().map(|row| row[class]).sum::<f64>() / n;
    let votes = rows.iter().filter(|row| row[class] == confidence(row)).count() as f64 / n;
    let weighted = rows.iter().map(|row| confidence(row) * row[class]).sum::<f64>();
    (mean + votes + weighted / rows.iter().map(confidence).sum::<f64>()) / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::Cpu;

    #[test]
    fn an_executor_that_computes_rightly_passes() {
        let cpu = Cpu::open(Some(1), None).unwrap();
        run(&cpu, "the CPU").unwrap();
        by_subgroups(&cpu, "the CPU").unwrap();
    }

    #[test]
    fn a_posterior_is_that_of_the_three_rules() {
        // The third's largest are equal: both are counted.
        let rows = [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.5, 0.5, 0.0]];
        let want = ((1.125 / 3.0) + 2.0 / 3.0 + (0.25 + 0.09375 + 0.25) / 1.75) / 3.0;
        assert!((posterior(&rows, 0) - want).abs() < 1e-15);
    }
}
