//! Evidence in a caller's buffers, on a caller's device.

use consilience::gpu::wgpu::util::DeviceExt;
use consilience::gpu::wgpu::{Buffer, BufferDescriptor, BufferUsages, util::BufferInitDescriptor};
use consilience::gpu::{AnswerBuffers, EvidenceBuffer, OpenDevice};
use consilience::{
    DeviceError, Encoding, Engine, EngineOptions, ErrorKind, Evidence, EvidenceError, Fused, Fusion, InvalidReason,
    Output, Rule, Weighting,
};

use super::with_every_output;
use crate::support::compare::against_oracle;
use crate::support::engines;
use crate::support::problem::Problem;

/// What lies between rows, and must stay as it is.
const BETWEEN: f32 = -7.0;

/// A device of the caller's, and an engine on it.
fn opened() -> Option<(OpenDevice, Engine)> {
    // Opened by an engine, because drivers do not stand several threads that open devices at once.
    let open = engines::gpu(None)?.open_device().expect("an engine on a GPU");
    let engine = Engine::on_device(open.clone(), &EngineOptions::default()).expect("an engine");
    Some((open, engine))
}

fn buffer(open: &OpenDevice, values: &[f32], usage: BufferUsages) -> Buffer {
    let contents = bytemuck::cast_slice(values);
    open.device.create_buffer_init(&BufferInitDescriptor { label: Some("the caller's"), contents, usage })
}

/// Its words, read back by the caller.
fn words(open: &OpenDevice, buffer: &Buffer) -> Vec<u32> {
    let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
    let size = buffer.size();
    let read = open.device.create_buffer(&BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    let mut encoder = open.device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &read, 0, size);
    open.queue.submit([encoder.finish()]);
    read.map_async(consilience::gpu::wgpu::MapMode::Read, .., |mapped| mapped.expect("a mapping"));
    open.device.poll(consilience::gpu::wgpu::PollType::wait_indefinitely()).expect("an answer");
    let bytes = read.get_mapped_range(..).expect("mapped").to_vec();
    bytemuck::pod_collect_to_vec(&bytes)
}

fn floats(words: &[u32]) -> Vec<f32> {
    words.iter().map(|&word| f32::from_bits(word)).collect()
}

/// The rows of a problem from a word on, so far apart, with something else between.
fn laid_out(problem: &Problem, at: usize, plane: usize, row: usize) -> Vec<f32> {
    let mut values = vec![BETWEEN; at + problem.planes.len() * plane.max(problem.items() * row)];
    for (source, of) in problem.planes.iter().enumerate() {
        for (item, from) in of.f32s().chunks_exact(problem.classes).enumerate() {
            values[at + source * plane + item * row..][..problem.classes].copy_from_slice(from);
        }
    }
    values
}

const IN: BufferUsages = BufferUsages::STORAGE.union(BufferUsages::COPY_SRC);
const OUT: BufferUsages = IN.union(BufferUsages::COPY_DST);

#[test]
fn evidence_is_read_and_answers_are_written_where_the_caller_says() {
    let Some((open, engine)) = opened() else { return };
    let mut seed = 0;
    for encoding in Encoding::ALL {
        for (items, classes) in [(1, 10), (1000, 10), (37, 300), (260, 1)] {
            seed += 1;
            let problem = Problem::random(encoding, 5, items, classes, seed);
            let dense = items * classes;
            // Dense; begun at no boundary of anything; sources apart; items apart; items interleaved, so that a source's
            // rows lie between another's.
            for (at, plane, row) in [
                (0, dense, classes),
                (3, dense, classes),
                (64, dense + 11, classes),
                (129, (classes + 3) * items, classes + 3),
                (0, classes, 5 * classes),
            ] {
                let fusion =
                    with_every_output(&Fusion::new([Rule::default(), Rule::LogPool][seed as usize % 2].clone()));
                let evidence = buffer(&open, &laid_out(&problem, at, plane, row), IN);
                let (answer_at, answer_row) = (at, classes + row % 3);
                let posterior = buffer(&open, &vec![BETWEEN; answer_at + items * answer_row], OUT);
                let asked: Vec<Output> = fusion.outputs.iter().filter(|&output| output != Output::Posterior).collect();
                let columns = buffer(&open, &vec![BETWEEN; 64 + items * (asked.len() - 1 + 5)], OUT);

                let from = EvidenceBuffer::new(&evidence, encoding, [5, items, classes]);
                let from = from.offset(4 * at as u64).strides(plane, row);
                let to = AnswerBuffers::posterior_at(&posterior, 4 * answer_at as u64, Some(answer_row));
                let submitted = engine.fuse_buffers(&fusion, &from, &to.and_columns(&columns, 256)).expect("submitted");
                engine.finish(submitted).expect("valid evidence");

                let what = format!("{encoding:?}, {items} x {classes}, {at}, {plane}, {row}");
                let want = engine.fuse(&fusion, &problem.evidence()).expect("valid evidence");
                assert_eq!(against_oracle(&fusion, &problem.evidence(), &want), Ok(()), "{what}");
                let got = floats(&words(&open, &posterior));
                assert!(got[..answer_at].iter().all(|&x| x == BETWEEN), "{what}");
                for (item, row) in got[answer_at..].chunks_exact(answer_row).enumerate() {
                    assert_eq!(row[..classes], want.posterior()[item * classes..][..classes], "{what}, item {item}");
                    assert!(row[classes..].iter().all(|&x| x == BETWEEN), "{what}, item {item}");
                }
                assert_eq!(words(&open, &columns)[64..], columns_of(&want, &asked), "{what}");
            }
        }
    }
}

/// The columns asked for, one behind the other.
fn columns_of(fused: &Fused, asked: &[Output]) -> Vec<u32> {
    let column = |&output: &Output| match fused.integers(output) {
        Some(integers) => integers.to_vec(),
        None => fused.values(output).expect("a column").iter().map(|x| x.to_bits()).collect(),
    };
    asked.iter().flat_map(column).collect()
}

#[test]
fn answers_may_go_to_the_evidences_own_buffer_and_be_evidence_again() {
    let Some((open, engine)) = opened() else { return };
    let (items, classes) = (500, 7);
    let problem = Problem::random(Encoding::Probabilities, 4, items, classes, 5);
    let dense = items * classes;
    // Two pairs of sources, and room for what each pair says and what both pairs say.
    let one = buffer(&open, &[laid_out(&problem, 0, dense, classes), vec![BETWEEN; 3 * dense]].concat(), OUT);
    let fusion = Fusion::new(Rule::LogPool).outputs(&[Output::Posterior]).weighting(Weighting::Fixed(vec![3.0, 1.0]));
    let pair = |first: usize| {
        EvidenceBuffer::new(&one, Encoding::Probabilities, [2, items, classes]).offset(4 * (first * dense) as u64)
    };
    let to = |plane: usize| AnswerBuffers::posterior_at(&one, 4 * (plane * dense) as u64, None);
    // None is waited for; each reads what those before it wrote.
    let all = [(0, 4), (2, 5), (4, 6)]
        .map(|(from, into)| engine.fuse_buffers(&fusion, &pair(from), &to(into)).expect("submitted"));
    let got = floats(&words(&open, &one));
    for submitted in all {
        engine.finish(submitted).expect("valid evidence");
    }
    let of = |first: &[f32], second: &[f32]| {
        let evidence = Evidence::probabilities(classes, &[first, second]).expect("two planes");
        engine.fuse(&fusion, &evidence).expect("valid evidence").posterior().to_vec()
    };
    let plane = |source: usize| problem.planes[source].f32s();
    let (left, right) = (of(plane(0), plane(1)), of(plane(2), plane(3)));
    assert_eq!(got[4 * dense..5 * dense], left);
    assert_eq!(got[5 * dense..6 * dense], right);
    assert_eq!(got[6 * dense..], of(&left, &right));
    assert_eq!(got[..dense], *plane(0), "the evidence is as it was");
}

#[test]
fn an_invalid_opinion_in_a_buffer_is_named() {
    let Some((open, engine)) = opened() else { return };
    let mut problem = Problem::random(Encoding::Probabilities, 3, 90, 4, 5);
    problem.planes[1].f32s_mut()[4 * 77 + 2] = f32::NAN;
    for usage in [IN, BufferUsages::STORAGE] {
        let evidence = buffer(&open, &laid_out(&problem, 5, 400, 4), usage);
        let posterior = buffer(&open, &[0.0; 360], OUT);
        let from = EvidenceBuffer::new(&evidence, Encoding::Probabilities, [3, 90, 4]).offset(20).strides(400, 4);
        let fusion = Fusion::default().outputs(&[Output::Posterior]);
        let submitted = engine.fuse_buffers(&fusion, &from, &AnswerBuffers::posterior(&posterior)).expect("submitted");
        let error = engine.finish(submitted).expect_err("an invalid opinion");
        if usage == IN {
            let invalid = error.invalid_opinion().unwrap_or_else(|| panic!("{error}"));
            assert_eq!((invalid.source, invalid.item, invalid.class), (1, 77, Some(2)));
            assert_eq!(invalid.reason, InvalidReason::NotANumber);
        } else {
            let ErrorKind::Evidence(EvidenceError::InvalidUnseen { item: 77 }) = error.kind() else {
                panic!("{error}")
            };
            assert!(error.is_invalid_evidence(), "{error}");
        }
    }
}

#[test]
fn buffers_that_will_not_do_are_refused() {
    let Some((open, engine)) = opened() else { return };
    let evidence = buffer(&open, &[0.5; 2 * 6 * 2], IN);
    let posterior = buffer(&open, &[0.0; 12], OUT);
    let from = EvidenceBuffer::new(&evidence, Encoding::Probabilities, [2, 6, 2]);
    let to = AnswerBuffers::posterior(&posterior);
    let fusion = Fusion::default().outputs(&[Output::Posterior]);
    let refused = |fusion: &Fusion, from: &EvidenceBuffer<'_>, to: &AnswerBuffers<'_>| {
        let error = engine.fuse_buffers(fusion, from, to).expect_err("a buffer that will not do");
        match error.kind() {
            ErrorKind::Device(error) => error.clone(),
            _ => panic!("{error}"),
        }
    };
    let (what, evidence_what) = ("the posterior", "the evidence");
    let given = 96;
    assert_eq!(
        refused(&fusion, &from.offset(4), &to),
        DeviceError::BufferTooSmall { what: evidence_what, needed: 100, given }
    );
    let needed = 4 * (12 + 5 * 2 + 2 + 1);
    assert_eq!(
        refused(&fusion, &from.strides(13, 2), &to),
        DeviceError::BufferTooSmall { what: evidence_what, needed, given }
    );
    let far = from.strides(usize::MAX, 2);
    assert!(matches!(refused(&fusion, &far, &to), DeviceError::BufferTooSmall { needed: u64::MAX, .. }));
    assert_eq!(
        refused(&fusion, &from.offset(2), &to),
        DeviceError::Misaligned { what: evidence_what, offset: 2, multiple: 4 }
    );
    let stride = DeviceError::Stride { what: "between the items of the evidence", stride: 1, least: 2 };
    assert_eq!(refused(&fusion, &from.strides(12, 1), &to), stride);
    let stride = DeviceError::Stride { what: "between the items of the posterior", stride: 1, least: 2 };
    assert_eq!(refused(&fusion, &from, &AnswerBuffers::posterior_at(&posterior, 0, Some(1))), stride);
    assert_eq!(
        refused(&fusion, &from, &AnswerBuffers::posterior_at(&posterior, 4, None)),
        DeviceError::BufferTooSmall { what, needed: 52, given: 48 }
    );
    let plain = buffer(&open, &[0.5; 24], BufferUsages::COPY_SRC);
    let usage = |what| DeviceError::BufferUsage { what, needed: "STORAGE" };
    let from_plain = EvidenceBuffer::new(&plain, Encoding::Probabilities, [2, 6, 2]);
    assert_eq!(refused(&fusion, &from_plain, &to), usage(evidence_what));
    assert_eq!(refused(&fusion, &from, &AnswerBuffers::posterior(&plain)), usage(what));

    let decision = fusion.clone().outputs(&[Output::Decision]);
    assert_eq!(refused(&decision, &from, &to), DeviceError::NoBuffer { what: "the columns" });
    let columns = AnswerBuffers::columns(&posterior, 0);
    assert_eq!(refused(&fusion, &from, &columns), DeviceError::NoBuffer { what });
    let multiple = u64::from(open.device.limits().min_storage_buffer_offset_alignment);
    if multiple > 4 {
        assert_eq!(
            refused(&decision, &from, &AnswerBuffers::columns(&posterior, 4)),
            DeviceError::Misaligned { what: "the columns", offset: 4, multiple }
        );
    }
    assert_eq!(
        refused(&decision, &from, &AnswerBuffers::columns(&posterior, 256)),
        DeviceError::BufferTooSmall { what: "the columns", needed: 280, given: 48 }
    );

    // A buffer that is destroyed, and an engine without a device.
    let gone = buffer(&open, &[0.5; 24], IN);
    gone.destroy();
    let from_gone = EvidenceBuffer::new(&gone, Encoding::Probabilities, [2, 6, 2]);
    assert!(matches!(refused(&fusion, &from_gone, &to), DeviceError::ForeignBuffer { .. }));
    let error = Engine::cpu().unwrap().fuse_buffers(&fusion, &from, &to).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Device(DeviceError::NoDevice)), "{error}");

    // After all that the engine works; and what was submitted to it is finished by no other.
    let submitted = engine.fuse_buffers(&fusion, &from, &to).expect("submitted");
    let (_, other) = opened().expect("a second device");
    let error = other.finish(submitted).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Device(DeviceError::HeldElsewhere)), "{error}");
    // Two of three rules are undecided, the vote takes the lower class.
    assert_eq!(floats(&words(&open, &posterior)), [0.666_666_7, 0.333_333_34].repeat(6));

    let none = EvidenceBuffer::new(&evidence, Encoding::Probabilities, [2, 0, 2]);
    engine.finish(engine.fuse_buffers(&fusion, &none, &to).expect("nothing to do")).expect("nothing was wrong");
    for (shape, wanted) in [([0, 6, 2], "no sources"), ([2, 6, 0], "no classes")] {
        let from = EvidenceBuffer::new(&evidence, Encoding::Probabilities, shape);
        let error = engine.fuse_buffers(&fusion, &from, &to).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
}
