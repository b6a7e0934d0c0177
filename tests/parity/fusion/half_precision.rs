//! Every number of half precision, on every executor, as the crate `half` reads it.

use consilience::{Engine, Evidence, Flags, Fusion, MISSING_U8, OnInvalid, Opinions, Output, Rule};
use half::f16;

use crate::support::engines;

const PATTERNS: usize = 1 << 16;

/// A number is seen where it is less than 87 times one of these, and the smallest of all shows by a thousand times itself.
const TEMPERATURES: [f32; 3] = [0.001, 1.0, 1000.0];

/// Every pattern beside a zero, on its one side or the other: in the lower half of a word or the upper.
fn rows(is_second: bool) -> Vec<f16> {
    let row = |bits: u16| if is_second { [f16::ZERO, f16::from_bits(bits)] } else { [f16::from_bits(bits), f16::ZERO] };
    (0..=u16::MAX).flat_map(row).collect()
}

/// The posteriors, of which the smaller shows how far the two logits are apart, and the flags.
fn seen(engine: &Engine, opinions: Opinions<'_>, temperature: f32) -> Vec<([u32; 2], u32)> {
    // A source that says nothing: the forms are mixed in either case, and the way through the kernel is the same.
    let nothing = vec![MISSING_U8; PATTERNS];
    let evidence = Evidence::of(2, &[opinions, Opinions::LabelsU8(&nothing)]).expect("evidence");
    let fusion = Fusion::new(Rule::LogPool)
        .log_floor(f32::MIN_POSITIVE)
        .source_temperatures(vec![temperature, 1.0])
        .on_invalid(OnInvalid::Missing)
        .outputs(&[Output::Posterior, Output::Flags]);
    let fused = engine.fuse(&fusion, &evidence).expect("an answer");
    let rows = fused.posterior().chunks_exact(2).zip(fused.flags());
    rows.map(|(p, &flags)| ([p[0].to_bits(), p[1].to_bits()], flags)).collect()
}

#[test]
fn every_number_is_read_as_it_is() {
    for (name, engine) in engines::all() {
        for is_second in [false, true] {
            let halves = rows(is_second);
            let widened: Vec<f32> = halves.iter().map(|x| x.to_f32()).collect();
            let mut told_apart = vec![false; PATTERNS];
            for temperature in TEMPERATURES {
                let found = seen(engine, Opinions::LogitsF16(&halves), temperature);
                let want = seen(engine, Opinions::Logits(&widened), temperature);
                for bits in 0..PATTERNS {
                    assert_eq!(found[bits], want[bits], "{name}: {bits:#06x} at {temperature}");
                    let x = f16::from_bits(bits as u16);
                    let is_bad = x.is_nan() || x == f16::INFINITY;
                    let is_left_out = Flags(found[bits].1).contains(Flags::INVALID_LEFT_OUT);
                    assert_eq!(is_left_out, is_bad, "{name}: {bits:#06x}");
                    told_apart[bits] |= bits > 0 && found[bits] != found[bits - 1];
                }
            }
            // That two are the same is worth something only where another number would have been seen.
            let finite = |bits: usize| f16::from_bits(bits as u16).is_finite() && bits & 0x7fff != 0;
            let missed = (0..PATTERNS).find(|&bits| finite(bits) && !told_apart[bits]);
            assert_eq!(missed, None, "{name}: seen as the number before it");
        }
    }
}

#[test]
fn probabilities_below_the_smallest_normal_number_count() {
    // 2^-24 and 2^-15 are subnormal; the rest of the row takes it to one.
    let row = [f16::from_bits(1), f16::from_bits(0x200), f16::ONE];
    let evidence = Evidence::of(3, &[Opinions::ProbabilitiesF16(&row)]).expect("evidence");
    for (name, engine) in engines::all() {
        let fused = engine.fuse(&Fusion::new(Rule::Linear), &evidence).expect("an answer");
        let total = 2.0_f64.powi(-24) + 2.0_f64.powi(-15) + 1.0;
        for (found, x) in fused.posterior().iter().zip([2.0_f64.powi(-24), 2.0_f64.powi(-15), 1.0]) {
            assert!((f64::from(*found) * total / x - 1.0).abs() < 2e-6, "{name}: {found}, not {}", x / total);
        }
    }
}
