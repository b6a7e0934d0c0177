//! Jobs that a device takes in chunks: what it computes while another chunk comes and goes.

use consilience::{DeviceError, Encoding, ErrorKind, Evidence, Fused, Fusion, Output, Rule};

use crate::support::compare::bits;
use crate::support::engines;
use crate::support::problem::Problem;

/// Opinions in every form, and every output.
fn everything(items: usize) -> (Fusion, Problem) {
    let problem = Problem::mixed(9, items, 2, 5).with_confidences(5).with_holes(5);
    (Fusion::new(Rule::ensemble(&[Rule::Linear, Rule::Vote])).outputs(&Output::ALL), problem)
}

/// What one item alone takes on the device.
fn one_item(fusion: &Fusion, evidence: &Evidence<'_>) -> u64 {
    let engine = engines::gpu(Some(1)).expect("the GPU that there was");
    let error = engine.fuse(fusion, evidence).expect_err("a byte is not enough");
    match error.kind() {
        ErrorKind::Device(DeviceError::ItemTooLarge { needed, .. }) => *needed,
        other => panic!("{other}"),
    }
}

#[test]
fn chunks_in_turn_change_no_bit() {
    let (_, cpu) = &engines::all()[0];
    let Some((_, gpu)) = engines::all().iter().find(|(name, _)| name == "gpu") else { return };
    let (fusion, problem) = everything(130);
    let few = problem.select(&(0..40).collect::<Vec<_>>());
    let whole = gpu.fuse(&fusion, &problem.evidence()).expect("valid evidence");
    let whole_few = gpu.fuse(&fusion, &few.evidence()).expect("valid evidence");
    assert_eq!(whole.decision(), cpu.fuse(&fusion, &problem.evidence()).expect("valid evidence").decision());
    let one = one_item(&fusion, &problem.evidence());
    let (mut fused, mut counts) = (Fused::default(), Vec::new());
    // One set of buffers for one item; two for one each; for a few; for most of them.
    for budget in [one, 2 * one, 6 * one, 20 * one] {
        let small = engines::gpu(Some(budget)).expect("the GPU that there was");
        // Buffers grow, shrink, and are one set or two from job to job.
        for _ in 0..2 {
            let timing = small.fuse_into(&fusion, &problem.evidence(), &mut fused).expect("valid evidence");
            assert_eq!(bits(&fused), bits(&whole), "{budget} bytes");
            counts.push(timing.chunks);
            assert!(timing.kernels.is_none_or(|kernels| !kernels.is_zero() && kernels < timing.total), "{timing:?}");
            small.fuse_into(&fusion, &few.evidence(), &mut fused).expect("valid evidence");
            assert_eq!(bits(&fused), bits(&whole_few), "{budget} bytes");
            // Evidence that is held has chunks, too.
            let held = small.upload(&problem.evidence());
            if let Ok(held) = held {
                small.fuse_into(&fusion, &held, &mut fused).expect("valid evidence");
                assert_eq!(bits(&fused), bits(&whole), "{budget} bytes, held");
            }
        }
    }
    assert!(counts.is_sorted_by(|a, b| a >= b) && counts[..2] == [130, 130] && counts[7] > 1, "{counts:?}");
}

#[test]
fn the_first_invalid_item_is_found_though_the_next_chunk_is_under_way() {
    if !engines::all().iter().any(|(name, _)| name == "gpu") {
        return;
    }
    let fusion = Fusion::default();
    let problem = Problem::random(Encoding::Probabilities, 3, 300, 4, 1);
    let one = one_item(&fusion, &problem.evidence());
    let small = engines::gpu(Some(8 * one)).expect("the GPU that there was");
    let mut whole = Fused::default();
    let chunks = small.fuse_into(&fusion, &problem.evidence(), &mut whole).expect("valid evidence").chunks;
    assert!(chunks >= 10, "{chunks}");
    for first in [0, 31, 32, 150, 299] {
        let mut spoilt = problem.clone();
        for item in [first, first + 1, first + 40, first + 100].into_iter().filter(|&item| item < 300) {
            spoilt.planes[2].f32s_mut()[4 * item] = f32::NAN;
        }
        let error = small.fuse(&fusion, &spoilt.evidence()).expect_err("not a number");
        assert_eq!(error.to_string(), format!("source 2, item {first}, class 0: NaN is not a number"));
        let again = small.fuse(&fusion, &problem.evidence()).expect("valid evidence");
        assert_eq!(bits(&again), bits(&whole));
    }
}

/// Above 16 MiB a job that would fit at once is cut; the answers of a chunk pass through several staging buffers.
#[test]
fn a_large_job_is_cut_and_gives_the_same() {
    let Some((_, gpu)) = engines::all().iter().find(|(name, _)| name == "gpu") else { return };
    let items = 1_500_000;
    let row = |item| if item % 3 == 0 { [0.25, 0.75] } else { [0.75, 0.25] };
    let rows: Vec<f32> = (0..items).flat_map(row).collect();
    let evidence = Evidence::probabilities(2, &[&rows]).expect("planes");
    let mut fused = Fused::default();
    let timing = gpu.fuse_into(&Fusion::new(Rule::Linear), &evidence, &mut fused).expect("valid evidence");
    assert!(timing.chunks >= 3, "{timing:?}");
    assert!(fused.posterior() == rows);
    assert!((0..items).all(|item| fused.decision()[item] == u32::from(item % 3 == 0)));
    assert!(fused.confidence().iter().all(|&confidence| confidence == 0.75));
}
