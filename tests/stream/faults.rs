//! Streams that end before their end: what is said, what was delivered, and that nothing is left running.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;

use consilience::stream::{Chunk, Failure, Fault, Options, Stage};
use consilience::{Encoding, Error, Evidence, Form, Fused, Fusion, Opinions, OwnedEvidence, Weighting};

use super::{Broken, Placed, chunks, deliver, source};
use crate::support::engines;
use crate::support::problem::Problem;

/// A hundred items in ten chunks.
fn ten() -> Vec<Problem> {
    chunks(&Problem::random(Encoding::Probabilities, 2, 100, 3, 1), 10)
}

/// The panic of a test, which no hook reports.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("asked for this panic"))
}

/// What is refused, after so many items were delivered.
#[track_caller]
fn refused(failure: Failure<Broken>, items: u64) -> Error {
    assert_eq!(failure.summary.items, items);
    match failure.fault {
        Fault::Fusion(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_source_that_fails_or_panics_half_way_loses_nothing_before_it() {
    let all = ten();
    for (name, engine) in engines::all() {
        for panics in [false, true] {
            let alive = Arc::new(());
            let (mut fill, mut calls, held) = (source(&all), 0, Arc::clone(&alive));
            let half = move |chunk: &mut Placed| {
                let _ = &held;
                calls += 1;
                match calls {
                    6 if panics => panic_quietly(),
                    6 => Err(Broken(6)),
                    // Half a chunk may be in it when the reader fails.
                    _ => fill(chunk),
                }
            };
            let (got, result) = deliver(engine, &Fusion::default(), &Options::default(), half);
            let failure = result.expect_err("the source failed");
            assert_eq!(got.places, [0, 10, 20, 30, 40], "{name}");
            assert_eq!((failure.summary.items, failure.summary.chunks), (50, 5), "{name}");
            match failure.fault {
                Fault::Source(broken) if !panics => assert_eq!(broken, Broken(6)),
                Fault::Panicked { stage: Stage::Source, message } if panics => {
                    assert_eq!(message, "asked for this panic");
                }
                other => panic!("{name}: {other:?}"),
            }
            assert_eq!(Arc::strong_count(&alive), 1, "{name}: the source is still there");
        }
    }
}

#[test]
fn a_sink_that_fails_or_panics_ends_the_stream_there() {
    let all = ten();
    for (name, engine) in engines::all() {
        for panics in [false, true] {
            let alive = Arc::new(());
            let (mut fill, held, mut taken) = (source(&all), Arc::clone(&alive), Vec::new());
            let fill = move |chunk: &mut Placed| {
                let _ = &held;
                fill(chunk)
            };
            let sink = |(_, place): &Placed, _: &Fused| {
                taken.push(place[0]);
                match taken.len() {
                    4 if panics => panic_quietly(),
                    4 => Err(Broken(4)),
                    _ => Ok(ControlFlow::Continue(())),
                }
            };
            let failure = engine.stream(&Fusion::default(), &Options::default(), fill, sink).expect_err("a full disk");
            // The fourth was not taken.
            assert_eq!((failure.summary.items, failure.summary.chunks), (30, 3), "{name}");
            assert_eq!(taken, [0, 10, 20, 30], "{name}");
            match failure.fault {
                Fault::Sink(broken) if !panics => assert_eq!(broken, Broken(4)),
                Fault::Panicked { stage: Stage::Sink, message } if panics => {
                    assert_eq!(message, "asked for this panic");
                }
                other => panic!("{name}: {other:?}"),
            }
            assert_eq!(Arc::strong_count(&alive), 1, "{name}: the source is still there");
        }
    }
}

#[test]
fn the_first_fault_in_the_stream_is_told_whichever_came_first_in_time() {
    let mut all = ten();
    all[2].planes[1].f32s_mut()[3 * 4] = f32::NAN;
    for (name, engine) in engines::all() {
        // The source fails while the engine has not begun, or has long failed.
        let (mut fill, mut calls) = (source(&all), 0);
        let failing = |chunk: &mut Placed| {
            calls += 1;
            if calls == 4 { Err(Broken(4)) } else { fill(chunk) }
        };
        let (got, result) = deliver(engine, &Fusion::default(), &Options::default(), failing);
        let error = refused(result.expect_err("not a number"), 20);
        assert_eq!(error.to_string(), "source 1, item 24, class 0: NaN is not a number", "{name}");
        assert_eq!(got.places, [0, 10], "{name}");
    }
}

#[test]
fn chunks_of_another_shape_are_refused() {
    let rows = Form::F32(Encoding::Probabilities);
    let said = |classes, forms: &[Form]| {
        let mut all = ten();
        all[3] = Problem::of(forms, 10, classes, 1);
        let (_, engine) = &engines::all()[0];
        let (got, result) = deliver(engine, &Fusion::default(), &Options::default(), source(&all));
        assert_eq!(got.places, [0, 10, 20]);
        let error = refused(result.expect_err("another shape"), 30);
        assert!(error.is_shape(), "{error}");
        error.to_string()
    };
    let only_items = "the chunks of a stream differ in items only";
    let before = |what| format!("where those before it have {what}; {only_items}");
    assert_eq!(said(3, &[rows; 3]), format!("chunk 3 has 3 sources {}", before("2 sources")));
    assert_eq!(said(4, &[rows; 2]), format!("chunk 3 has 4 classes {}", before("3 classes")));
    let logits = Form::LogitsBf16;
    let want = format!("chunk 3 has logits bf16 of source 1 {}", before("probabilities f32 of source 1"));
    assert_eq!(said(3, &[rows, logits]), want);
}

#[test]
fn a_chunk_that_was_not_filled_is_refused_and_not_taken_for_the_one_before() {
    let all = ten();
    let (_, engine) = &engines::all()[0];
    let (mut fill, mut calls) = (source(&all), 0);
    let idle = |chunk: &mut Placed| {
        calls += 1;
        if calls == 8 { Ok(true) } else { fill(chunk) }
    };
    let (got, result) = deliver(engine, &Fusion::default(), &Options::default(), idle);
    let error = refused(result.expect_err("nothing in it"), 70);
    assert_eq!(error.to_string(), "evidence has no sources; give at least one plane of opinions");
    assert_eq!(got.places.len(), 7);
}

#[test]
fn a_fusion_that_does_not_fit_is_refused_at_the_first_chunk() {
    let all = ten();
    let (_, engine) = &engines::all()[0];
    let fusion = Fusion::default().weighting(Weighting::Fixed(vec![1.0; 3]));
    let (got, result) = deliver(engine, &fusion, &Options::default(), source(&all));
    let failure = result.expect_err("three weights");
    let says = "the fixed weights has 3 entries, the evidence has 2 sources (after 0 items that were delivered)";
    let text = Failure { fault: recast(failure.fault), summary: failure.summary };
    assert_eq!((text.to_string().as_str(), got.items), (says, 0));
}

/// The same fault of streams whose errors are text.
fn recast(fault: Fault<Broken>) -> Fault<String> {
    match fault {
        Fault::Source(Broken(code)) => Fault::Source(format!("code {code}")),
        Fault::Sink(Broken(code)) => Fault::Sink(format!("code {code}")),
        Fault::Fusion(error) => Fault::Fusion(error),
        Fault::Panicked { stage, message } => Fault::Panicked { stage, message },
        other => panic!("{other:?}"),
    }
}

#[test]
fn failures_say_who_failed_and_box_what_failed() {
    let failure = |fault| Failure { fault, summary: Box::default() };
    let after = "(after 0 items that were delivered)";
    let broken = || recast(Fault::Source(Broken(7)));
    assert_eq!(failure(broken()).to_string(), format!("the source failed: code 7 {after}"));
    assert_eq!(failure(broken()).into_boxed().to_string(), "code 7");
    let full = || recast(Fault::Sink(Broken(8)));
    assert_eq!(failure(full()).to_string(), format!("the sink failed: code 8 {after}"));
    let message = || "out of range".to_owned();
    let panicked = || Fault::<String>::Panicked { stage: Stage::Fusion, message: message() };
    assert_eq!(failure(panicked()).to_string(), format!("the fusion panicked: out of range {after}"));
    assert_eq!(failure(panicked()).into_boxed().to_string(), "the fusion panicked: out of range");
}

/// Panics when it is read.
#[derive(Debug, Default)]
struct Trap(OwnedEvidence);

impl Chunk for Trap {
    fn clear(&mut self) {
        self.0.clear();
    }

    fn evidence(&self) -> Result<Evidence<'_>, Error> {
        panic_quietly()
    }

    fn bytes(&self) -> u64 {
        0
    }
}

#[test]
fn a_chunk_that_panics_on_the_engines_thread_is_a_fault_of_fusion() {
    let (_, engine) = &engines::all()[0];
    let source = |_: &mut Trap| Ok::<_, Broken>(true);
    let failure = engine
        .stream(&Fusion::default(), &Options::default(), source, |_, _| Ok(ControlFlow::Continue(())))
        .expect_err("a trap");
    assert!(
        matches!(&failure.fault, Fault::Panicked { stage: Stage::Fusion, message } if message == "asked for this panic"),
        "{failure:?}"
    );
    assert_eq!(failure.summary.chunks, 0);
}

#[test]
fn an_engine_is_as_good_as_new_after_every_fault() {
    let mut all = ten();
    let row = [0.75, 0.25, 0.0];
    let evidence = Evidence::of(3, &[Opinions::Probabilities(&row)]).expect("one item");
    for (name, engine) in engines::all() {
        let whole = engine.fuse(&Fusion::default(), &evidence).expect("valid evidence");
        all[1].planes[0].f32s_mut()[0] = -1.0;
        let (_, result) = deliver(engine, &Fusion::default(), &Options::default(), source(&all));
        assert!(refused(result.expect_err("negative"), 10).is_invalid_evidence());
        assert_eq!(engine.fuse(&Fusion::default(), &evidence).expect("valid evidence"), whole, "{name}");
    }
}
