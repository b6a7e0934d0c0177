//! How much a stream holds, and that it holds the same all the time.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};

use consilience::stream::{Chunk, Fault, Options};
use consilience::{Encoding, Error, Evidence, Form, Fused, Fusion, Output, OwnedEvidence};

use super::Broken;
use crate::support::engines;

const ROWS: Form = Form::F32(Encoding::Probabilities);
const ALIKE: Form = Form::LabelsU16;

/// Two sources over four classes: rows and labels; with a mask and confidences if asked for.
fn fill(evidence: &mut OwnedEvidence, items: usize, masked: bool) {
    evidence.reshape(4, items, &[ROWS, ALIKE]).expect("a small chunk");
    evidence.f32s_mut(0).expect("rows").fill(0.25);
    evidence.u16s_mut(1).expect("labels").fill(3);
    if masked {
        evidence.presence_mut(1).expect("a source")[0] = false;
        evidence.confidence_mut(0).expect("a source").fill(0.5);
    }
}

#[test]
fn the_same_memory_goes_round() {
    let (_, engine) = &engines::all()[0];
    for depth in [1, 3, 5] {
        // The address of every array, per chunk.
        let (mut filled, mut answered) = (BTreeSet::new(), BTreeSet::new());
        let mut left = 60;
        let source = |evidence: &mut OwnedEvidence| {
            assert!(evidence.evidence().is_err_and(|error| error.to_string().contains("no sources")), "not empty");
            // The largest come first.
            fill(evidence, 100 + left, true);
            filled.insert([
                evidence.f32s_mut(0).expect("rows").as_ptr().addr(),
                evidence.u16s_mut(1).expect("labels").as_ptr().addr(),
                evidence.presence_mut(1).expect("a source").as_ptr().addr(),
                evidence.confidence_mut(0).expect("a source").as_ptr().addr(),
            ]);
            left -= 1;
            Ok::<_, Broken>(left > 0)
        };
        let sink = |_: &OwnedEvidence, fused: &Fused| {
            answered.insert([fused.posterior().as_ptr().addr(), fused.decision().as_ptr().addr()]);
            Ok(ControlFlow::Continue(()))
        };
        let options = Options { depth, ..Options::default() };
        let summary = engine.stream(&Fusion::default(), &options, source, sink).expect("a whole stream");
        assert_eq!(summary.chunks, 59);
        assert!(filled.len() <= depth && answered.len() <= depth, "{depth}: {} {}", filled.len(), answered.len());
    }
}

/// Tells when it is filled and when it is read.
#[derive(Debug, Default)]
struct Spied {
    evidence: OwnedEvidence,
    number: usize,
    tell: Option<Sender<(&'static str, usize)>>,
}

impl Chunk for Spied {
    fn clear(&mut self) {
        self.evidence.clear();
    }

    fn evidence(&self) -> Result<Evidence<'_>, Error> {
        if let Some(tell) = &self.tell {
            tell.send(("fused", self.number)).expect("the test listens");
        }
        self.evidence.evidence()
    }

    fn bytes(&self) -> u64 {
        self.evidence.bytes() as u64
    }
}

#[test]
fn source_and_engine_run_ahead_of_a_sink_that_is_held_up() {
    let (_, engine) = &engines::all()[0];
    for depth in [2, 3, 6] {
        let (tell, told): (_, Receiver<(&str, usize)>) = channel();
        let mut next = 0;
        let source = |chunk: &mut Spied| {
            chunk.tell = Some(tell.clone());
            chunk.number = next;
            fill(&mut chunk.evidence, 5, false);
            tell.send(("filled", next)).expect("the test listens");
            next += 1;
            Ok::<_, Broken>(next <= 20)
        };
        let (mut filled, mut seen) = (0, 0);
        let sink = |chunk: &Spied, _: &Fused| {
            if seen == 0 {
                // While this chunk is held here, all the others are filled and fused: or this waits for ever.
                let mut events: Vec<_> = (0..2 * depth).map(|_| told.recv().expect("a stage at work")).collect();
                events.sort_unstable();
                let all = |what| (0..depth).map(move |number| (what, number));
                assert_eq!(events, all("filled").chain(all("fused")).collect::<Vec<_>>());
                filled = depth;
            } else {
                filled += told.try_iter().filter(|(what, _)| *what == "filled").count();
            }
            // This one and those before it went round once; only then were they filled again.
            assert_eq!(chunk.number, seen);
            assert!(filled <= seen + depth, "{filled} filled before {seen} was given back");
            seen += 1;
            Ok(ControlFlow::Continue(()))
        };
        let options = Options { depth, ..Options::default() };
        engine.stream(&Fusion::default(), &options, source, sink).expect("a whole stream");
        assert_eq!(seen, 20);
    }
}

#[test]
fn memory_stays_within_what_is_stated() {
    let (_, engine) = &engines::all()[0];
    let fusion = Fusion::default().outputs(&[Output::Posterior, Output::Flags]);
    // Rows, labels in whole words, a mask, confidences; a posterior and flags: the largest chunk.
    let each = |items: u64| (16 + 1 + 4) * items + 4 * items.div_ceil(2) + (16 + 4) * items;
    let mut most = 0;
    let mut stream = |allowed: u64| {
        // Four sizes for three slots: each slot grows, shrinks, has masks and none.
        let mut sizes = [90, 10, 101, 70].into_iter().cycle().take(60).enumerate();
        let source = |evidence: &mut OwnedEvidence| {
            let Some((number, items)) = sizes.next() else { return Ok(false) };
            fill(evidence, items, number % 5 != 1);
            Ok(true)
        };
        let sink = |evidence: &OwnedEvidence, fused: &Fused| {
            most = most.max(evidence.bytes() + 4 * (fused.posterior().len() + fused.flags().len()));
            Ok::<_, Broken>(ControlFlow::Continue(()))
        };
        let options = Options { depth: 3, chunk_bytes: allowed };
        assert_eq!(options.memory_bytes(), 3 * allowed);
        engine.stream(&fusion, &options, source, sink)
    };
    stream(each(101)).expect("as much as the largest chunk takes");
    let failure = stream(each(101) - 1).expect_err("a byte less");
    let Fault::Fusion(error) = failure.fault else { panic!("{failure:?}") };
    let says = "chunk 2 takes 4345 bytes with its answers, the stream allows 4344; make chunks smaller, or raise \
                `stream::Options::chunk_bytes`";
    assert_eq!((error.to_string().as_str(), error.is_shape(), failure.summary.items), (says, true, 100));
    assert_eq!(most as u64, each(101));
}

#[test]
fn no_depth_counts_as_one() {
    assert_eq!(Options { depth: 0, chunk_bytes: 7 }.memory_bytes(), 7);
    let (_, engine) = &engines::all()[0];
    let mut left = 3;
    let source = |evidence: &mut OwnedEvidence| {
        left -= 1;
        fill(evidence, 1, false);
        Ok::<_, Broken>(left >= 0)
    };
    let options = Options { depth: 0, ..Options::default() };
    let summary = engine.stream(&Fusion::default(), &options, source, |_, _| Ok(ControlFlow::Continue(())));
    assert_eq!(summary.expect("a whole stream").items, 3);
}
