//! The twin of `shaders/em/normalise.wgsl`.

use crate::kernel::em::normalise::Params;
use crate::plan::batch::Batch;

/// The logarithms of the batch's sources.
#[inline(always)]
pub(in crate::backend::cpu) fn run(mut batch: Batch<'_>) {
    let Params { classes, symbols, prior, one_coin, .. } = batch.params();
    let (c, symbols) = (classes as usize, symbols as usize);
    let [sources, firsts, parts, counts] = &batch.inputs[..] else { return };
    let (sources, firsts): (&[u32], &[u32]) = (sources.plane(0), firsts.plane(0));
    let (parts, counts): (&[f32], &[f32]) = (parts.plane(0), counts.plane(0));
    let [logs] = &mut batch.outputs[..] else { return };
    let Some(logs) = logs.planes_mut::<f32>().next() else { return };
    for (&source, logs) in sources.iter().zip(logs.chunks_exact_mut(symbols * c)) {
        let cells = source as usize * symbols..(source as usize + 1) * symbols;
        // n[l, k]
        for (cell, n) in cells.zip(logs.chunks_exact_mut(c)) {
            n.fill(0.0);
            for part in parts[firsts[cell] as usize * c..firsts[cell + 1] as usize * c].chunks_exact(c) {
                n.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
            }
            n.iter_mut().zip(&counts[cell * c..]).for_each(|(sum, x)| *sum += x);
        }
        if source == prior {
            let row = &mut logs[..c];
            let whole: f32 = row.iter().sum();
            row.iter_mut().for_each(|n| *n = logarithm(*n, whole, c));
        } else if one_coin == 0 {
            for k in 0..c {
                let whole: f32 = logs[k..].iter().step_by(c).sum();
                logs[k..].iter_mut().step_by(c).for_each(|n| *n = logarithm(*n, whole, symbols));
            }
        } else {
            let (mut right, mut wrong) = (0.0, 0.0);
            for (l, n) in logs.chunks_exact(c).take(c).enumerate() {
                for (k, n) in n.iter().enumerate() {
                    *(if k == l { &mut right } else { &mut wrong }) += n;
                }
            }
            let (whole, others) = (right + wrong, (c - 1).max(1) as f32);
            let [is_right, is_wrong] = [logarithm(right, whole, c), logarithm(wrong / others, whole, c)];
            for (l, logs) in logs.chunks_exact_mut(c).enumerate() {
                // An abstention says nothing of the class.
                logs.fill(if l < c { is_wrong } else { 0.0 });
                if let Some(log) = logs.get_mut(l) {
                    *log = is_right;
                }
            }
        }
    }
}

/// Nothing is known of what never was: all is as likely.
#[inline(always)]
fn logarithm(part: f32, whole: f32, count: usize) -> f32 {
    if whole <= 0.0 { -(count as f32).ln() } else { (part / whole).max(f32::MIN_POSITIVE).ln() }
}
