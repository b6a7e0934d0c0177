//! A stream gives what its evidence gives in one piece.

use std::ops::ControlFlow;
use std::time::Duration;

use consilience::stream::Options;
use consilience::{Encoding, Fused, Fusion, Output, OwnedEvidence, Rule};

use super::{Broken, Delivered, Placed, chunks, deliver, source};
use crate::support::engines;
use crate::support::problem::Problem;

/// Every output of rules that add up, from sources in every form, some of them silent at times.
fn everything() -> (Fusion, Problem) {
    let problem = Problem::mixed(9, 300, 2, 3).with_confidences(3).with_holes(3);
    (Fusion::new(Rule::ensemble(&[Rule::Linear, Rule::Vote])).outputs(&Output::ALL), problem)
}

#[test]
fn chunks_change_no_bit_and_no_order() {
    let (fusion, problem) = everything();
    for (name, engine) in engines::all() {
        let mut whole = Delivered::default();
        whole.take(0, &engine.fuse(&fusion, &problem.evidence()).expect("valid evidence"));
        for (items, depth) in [(1, 4), (7, 3), (7, 1), (256, 2), (300, 4)] {
            let chunks = chunks(&problem, items);
            let options = Options { depth, ..Options::default() };
            let (got, summary) = deliver(engine, &fusion, &options, source(&chunks));
            let summary = summary.expect("a whole stream");
            assert_eq!(got.places, (0..300).step_by(items).collect::<Vec<_>>(), "{name}");
            assert!(got.columns == whole.columns, "{name}: chunks of {items}, {depth} of them");
            assert_eq!((summary.items, summary.chunks), (300, 300_u64.div_ceil(items as u64)));
            assert_eq!((got.items, summary.stopped), (300, false));
        }
    }
}

#[test]
fn a_summary_counts_evidence_and_time() {
    let problem = Problem::random(Encoding::Probabilities, 3, 100, 4, 1);
    let (_, engine) = &engines::all()[0];
    let chunks = chunks(&problem, 30);
    let (_, summary) = deliver(engine, &Fusion::default(), &Options::default(), source(&chunks));
    let summary = summary.expect("a whole stream");
    assert_eq!((summary.bytes, summary.chunks), (100 * 3 * 4 * 4, 4));
    for stage in [summary.source, summary.fusion, summary.sink] {
        assert!(stage.busy > Duration::ZERO && stage.busy + stage.waiting <= summary.total, "{summary:?}");
    }
    assert!(summary.timing.total > Duration::ZERO && summary.timing.total <= summary.fusion.busy, "{summary:?}");
    assert_eq!(summary.timing.chunks, 4);
}

#[test]
fn empty_chunks_and_empty_streams() {
    let problem = Problem::random(Encoding::Logits, 2, 10, 3, 1);
    let [first, second] = [(0..4), (4..10)].map(|items| problem.select(&items.collect::<Vec<_>>()));
    let nothing = problem.select(&[]);
    let all = [nothing.clone(), first, nothing.clone(), nothing, second];
    for (name, engine) in engines::all() {
        let mut whole = Delivered::default();
        whole.take(0, &engine.fuse(&Fusion::default(), &problem.evidence()).expect("valid evidence"));
        let (got, summary) = deliver(engine, &Fusion::default(), &Options::default(), source(&all));
        assert_eq!(summary.expect("a whole stream").chunks, 5);
        assert_eq!((got.places, got.columns), (vec![0, 0, 4, 4, 4], whole.columns), "{name}");
    }
    let (_, engine) = &engines::all()[0];
    let (got, summary) = deliver(engine, &Fusion::default(), &Options::default(), source(&[]));
    assert_eq!((got, summary.expect("nothing at all").chunks), (Delivered::default(), 0));
}

#[test]
fn a_sink_that_has_enough_stops_the_stream() {
    let problem = Problem::random(Encoding::Probabilities, 2, 1000, 2, 1);
    let chunks = chunks(&problem, 10);
    let (_, engine) = &engines::all()[0];
    let (mut filled, mut taken) = (0, Vec::new());
    let mut fill = source(&chunks);
    let counted = |chunk: &mut Placed| {
        filled += 1;
        fill(chunk)
    };
    let summary = engine.stream(&Fusion::default(), &Options::default(), counted, |(_, place): &Placed, _| {
        taken.push(place[0]);
        Ok(if taken.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    let summary = summary.expect("stopped, not failed");
    assert_eq!((summary.items, summary.chunks, summary.stopped), (30, 3, true));
    assert_eq!(taken, [0, 10, 20]);
    // Two went round before the third was taken.
    assert!((3..=4 + 2).contains(&filled), "{filled}");
}

#[test]
fn a_chunk_may_be_evidence_alone() {
    let problem = Problem::random(Encoding::Probabilities, 2, 5, 3, 1);
    let mut once = Some(problem.evidence());
    let source = |chunk: &mut OwnedEvidence| match once.take() {
        Some(evidence) => chunk.copy_from(&evidence).map(|()| true).map_err(|_| Broken(0)),
        None => Ok(false),
    };
    let mut decided = Vec::new();
    let sink = |chunk: &OwnedEvidence, fused: &Fused| {
        assert_eq!(chunk.evidence().map(|evidence| evidence.items()).ok(), Some(5));
        decided.extend_from_slice(fused.decision());
        Ok(ControlFlow::Continue(()))
    };
    let (_, engine) = &engines::all()[0];
    engine.stream(&Fusion::default(), &Options::default(), source, sink).expect("a whole stream");
    let whole = engine.fuse(&Fusion::default(), &problem.evidence()).expect("valid evidence");
    assert_eq!(decided, whole.decision());
}
