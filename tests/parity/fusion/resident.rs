//! Evidence that was uploaded before it is fused.

use consilience::learning::{Confusion, ConfusionOptions};
use consilience::{
    Answer, Device, DeviceError, Encoding, Engine, EngineOptions, ErrorKind, Evidence, EvidenceError, Fusion,
    MISSING_U8, OnInvalid, Opinions, Output, Rule,
};

use super::{parametrised, with_every_output};
use crate::support::compare::bits;
use crate::support::problem::{FORMS, Problem};
use crate::support::{engines, specs};

/// Engines of every kind, the GPU also with so little memory that evidence lies in many pieces.
fn engines() -> Vec<(String, Engine)> {
    let open = |device, memory_bytes| Engine::open(&EngineOptions { device, memory_bytes, ..Default::default() });
    let mut engines = vec![("cpu".to_owned(), open(Device::Cpu, None).expect("a CPU engine"))];
    engines.extend(
        [None, Some(200 << 10)].into_iter().filter_map(|memory| Some(("gpu".to_owned(), engines::gpu(memory)?))),
    );
    engines
}

/// The same bits, whether the evidence is uploaded with the call or was before.
fn check(engine: &(String, Engine), fusion: &Fusion, problem: &Problem) {
    let (name, engine) = engine;
    let evidence = problem.evidence();
    let resident = engine.upload(&evidence).expect("room");
    let want = engine.fuse(fusion, &evidence).expect("valid evidence");
    for again in 0..2 {
        let got = engine.fuse(fusion, &resident).expect("valid evidence");
        assert_eq!(got.items(), problem.items());
        assert_eq!(bits(&got), bits(&want), "{name}, {again}: {fusion:?}");
    }
}

#[test]
fn every_rule_reads_what_is_held() {
    let forms = &FORMS[..10];
    let n = forms.len();
    let problem = Problem::of(forms, 1500, 10, 3).with_holes(3).with_confidences(3);
    for engine in engines() {
        // The default ensemble with every output, and those that put values aside or look at items often.
        for rule in [Rule::default(), Rule::Median, Rule::LogPool, specs::everything(n, 10, 5)] {
            let fusion = with_every_output(&parametrised(Fusion::new(rule), n, 10, 1).on_invalid(OnInvalid::Missing));
            check(&engine, &fusion, &problem);
        }
    }
}

#[test]
fn every_form_and_every_shape_is_held() {
    for engine in engines() {
        for form in FORMS {
            let classes = 2;
            for items in [1, 31, 32, 33, 4097] {
                check(&engine, &Fusion::new(Rule::LogPool), &Problem::of(&[form; 3], items, classes, 7).with_holes(7));
            }
        }
        check(&engine, &Fusion::default(), &Problem::random(Encoding::Logits, 4, 70, 300, 9).with_confidences(9));
        let median = Fusion::new(Rule::Median);
        check(&engine, &median, &Problem::random(Encoding::Probabilities, 5, 260, 300, 11));
    }
}

/// The same bits, whether the answers come back with the call or are read later.
#[test]
fn answers_that_stay_are_the_same_when_they_are_read() {
    let problem = Problem::of(&FORMS[..8], 1500, 10, 3).with_holes(3).with_confidences(3);
    for (name, engine) in engines() {
        let evidence = problem.evidence();
        let resident = engine.upload(&evidence).expect("room");
        let fusions = [Rule::default(), Rule::Median, Rule::LogPool]
            .map(|rule| with_every_output(&parametrised(Fusion::new(rule), 8, 10, 1).on_invalid(OnInvalid::Missing)));
        // All wait together; what is read first ends the waiting of all.
        let held = fusions.each_ref().map(|fusion| engine.fuse_resident(fusion, &resident).expect("room"));
        for (fusion, held) in fusions.iter().zip(&held).rev() {
            let want = engine.fuse(fusion, &evidence).expect("valid evidence");
            for again in 0..2 {
                let got = held.read(&engine).expect("valid evidence");
                assert_eq!(bits(&got), bits(&want), "{name}, {again}: {fusion:?}");
            }
        }
    }
}

#[test]
fn answers_are_evidence_again_and_all_is_one_submission() {
    let (items, classes) = (1100, 6);
    let problem = Problem::random(Encoding::Logits, 4, items, classes, 8);
    let pooled = Fusion::new(Rule::LogPool).outputs(&[Output::Posterior]);
    let last = with_every_output(&Fusion::default());
    for (name, engine) in engines() {
        let pairs = [problem.sources(&[0, 1]), problem.sources(&[2, 3])];
        let uploaded = pairs.each_ref().map(|pair| engine.upload(&pair.evidence()).expect("room"));
        let before = engine.submissions();
        let held = uploaded.each_ref().map(|pair| engine.fuse_resident(&pooled, pair).expect("room"));
        let stacked = engine.stack(&[&held[0], &held[1]]).expect("room");
        let both = engine.fuse_resident(&last, &stacked).expect("room");
        assert_eq!(engine.submissions(), before, "{name}: nothing has begun");
        engine.flush().expect("a device that works");
        let handed_over = engine.submissions() - before;
        assert_eq!(handed_over, u64::from(engine.is_gpu()), "{name}: three fusions and two copies");
        engine.flush().expect("nothing waits");
        assert_eq!(engine.submissions() - before, handed_over, "{name}");

        let posteriors = pairs.map(|pair| engine.fuse(&pooled, &pair.evidence()).expect("valid evidence"));
        let planes = posteriors.each_ref().map(|fused| fused.posterior());
        let want = engine.fuse(&last, &Evidence::probabilities(classes, &planes).unwrap()).expect("valid evidence");
        assert_eq!(bits(&both.read(&engine).expect("valid evidence")), bits(&want), "{name}");
        // What is stacked is evidence like any other, with the call's answers too.
        assert_eq!(bits(&engine.fuse(&last, &stacked).expect("valid evidence")), bits(&want), "{name}");
    }
}

#[test]
fn sources_are_selected_where_they_are_held() {
    let problem = Problem::of(&FORMS[..8], 1500, 10, 3).with_holes(3).with_confidences(3);
    let fusion = with_every_output(&Fusion::new(Rule::LogPool));
    for (name, engine) in engines() {
        let resident = engine.upload(&problem.evidence()).expect("room");
        for sources in [&[5][..], &[0, 1, 2, 3, 4, 6, 7], &[7, 2, 2]] {
            let selected = engine.select(&resident, sources).expect("room");
            assert_eq!(selected.sources(), sources.len(), "{name}");
            let want = engine.fuse(&fusion, &problem.sources(sources).evidence()).expect("valid evidence");
            let got = engine.fuse(&fusion, &selected).expect("valid evidence");
            assert_eq!(bits(&got), bits(&want), "{name}, {sources:?}");
        }
        let error = engine.select(&resident, &[3, 8]).expect_err("there is none");
        let want = "the list of sources, of which 8 is selected, has 8 entries where the evidence needs 9";
        assert_eq!(error.to_string(), want, "{name}");
        assert!(engine.select(&resident, &[]).is_err(), "{name}");
    }
}

#[test]
fn what_is_held_comes_back_as_it_was() {
    let problem = Problem::of(&FORMS[..8], 1500, 10, 3).with_holes(3).with_confidences(3);
    let fusion = with_every_output(&Fusion::default());
    for (name, engine) in engines() {
        let evidence = problem.evidence();
        let owned = engine.upload(&evidence).expect("room").read(&engine).expect("a device that works");
        let read = owned.evidence().expect("evidence");
        for source in 0..8 {
            // As texts, for what nobody was asked about is no number.
            let as_text =
                |evidence: &Evidence<'_>| format!("{:?}", (evidence.opinions(source), evidence.confidence(source)));
            assert!(as_text(&read) == as_text(&evidence), "{name}: source {source} came back changed");
            let asked =
                |evidence: &Evidence<'_>| (0..1500).map(|item| evidence.answer(source, item)).collect::<Vec<_>>();
            assert_eq!(asked(&read), asked(&evidence), "{name}, {source}");
        }
        let want = engine.fuse(&fusion, &evidence).expect("valid evidence");
        assert_eq!(bits(&engine.fuse(&fusion, &read).expect("valid evidence")), bits(&want), "{name}");
    }
}

#[test]
fn votes_are_those_of_the_evidence() {
    for (name, engine) in engines() {
        let problem = Problem::of(&FORMS[..8], 1500, 10, 3).with_holes(3).with_confidences(3);
        let evidence = problem.evidence();
        let resident = engine.upload(&evidence).expect("room");
        let owned = engine.votes(&resident).expect("valid evidence");
        let votes = owned.evidence().expect("evidence");
        for source in 0..8 {
            for item in 0..1500 {
                assert_eq!(votes.answer(source, item), evidence.answer(source, item), "{name}, {source}, {item}");
                let mut row = [0.0; 10];
                let is_given = evidence.opinion(source, item, &mut row).expect("a valid opinion") == Answer::Given;
                let largest = (0..10).rev().max_by(|&a, &b| row[a].total_cmp(&row[b]));
                assert_eq!(votes.vote(source, item), largest.filter(|_| is_given), "{name}, {source}, {item}");
            }
        }
        // Learners learn the same.
        let labels: Vec<Option<u32>> = (0..1500).map(|item| (item % 3 != 0).then_some(item % 10)).collect();
        let (mut one, mut other) =
            (Confusion::new(8, 10, options()).unwrap(), Confusion::new(8, 10, options()).unwrap());
        one.update(&votes, &labels).expect("valid evidence");
        other.update(&evidence, &labels).expect("valid evidence");
        assert!(one == other, "{name}: what was learned differs");

        let mut rows = vec![0.5; 2 * 3000];
        rows[2 * 2999] = -0.25;
        let planes: [&[f32]; 2] = [&[0.5; 2 * 3000], &rows];
        let resident = engine.upload(&Evidence::probabilities(2, &planes).unwrap()).expect("room");
        let error = engine.votes(&resident).expect_err("an invalid opinion");
        let invalid = error.invalid_opinion().unwrap_or_else(|| panic!("{name}: {error}"));
        assert_eq!((invalid.source, invalid.item, invalid.class), (1, 2999, Some(0)), "{name}");
    }
}

fn options() -> ConfusionOptions {
    ConfusionOptions { diagonal: 1.0, off_diagonal: 0.5, discount: 0.9 }
}

#[test]
fn an_invalid_opinion_is_told_of_by_answers_that_stayed() {
    for (name, engine) in engines() {
        let mut rows = vec![0.5; 2 * 3000];
        rows[2 * 2999] = -0.25;
        let resident = engine.upload(&Evidence::probabilities(2, &[&rows]).unwrap()).expect("room");
        let answers = engine.fuse_resident(&Fusion::default(), &resident).expect("not looked at yet");
        let error = answers.read(&engine).expect_err("an invalid opinion");
        assert_eq!(
            error.invalid_opinion().map(|invalid| (invalid.item, invalid.class)),
            Some((2999, Some(0))),
            "{name}"
        );
        drop(resident);
        let error = answers.read(&engine).expect_err("an invalid opinion");
        assert!(
            matches!(error.kind(), ErrorKind::Evidence(EvidenceError::InvalidUnseen { item: 2999 })),
            "{name}: {error}"
        );
    }
}

#[test]
fn answers_that_stay_are_counted_bounded_and_of_their_engine() {
    for (name, engine) in engines() {
        let rows = vec![0.5; 100];
        let resident = engine.upload(&Evidence::probabilities(2, &[&rows]).unwrap()).expect("room");
        let bare = engine.resident();
        let fusion = Fusion::default().outputs(&[Output::Posterior, Output::Decision]);
        let answers = engine.fuse_resident(&fusion, &resident).expect("room");
        // 50 rows of two numbers, and a decision each; on a GPU a word that says whether all were valid.
        assert!((600..=604).contains(&answers.bytes()), "{name}: {}", answers.bytes());
        let stats = engine.resident();
        assert_eq!((stats.handles, stats.bytes), (bare.handles + 1, bare.bytes + answers.bytes()), "{name}");
        let decision = fusion.clone().outputs(&[Output::Decision]);
        let no_posterior = engine.fuse_resident(&decision, &resident).expect("room");
        let error = engine.stack(&[&answers, &no_posterior]).expect_err("no posterior");
        assert!(error.is_shape() && error.to_string().contains("the posterior of answer 1"), "{name}: {error}");
        let error = engine.stack(&[]).expect_err("nothing");
        assert!(matches!(error.kind(), ErrorKind::Evidence(EvidenceError::NoSources)), "{name}: {error}");
        let fewer = engine.upload(&Evidence::probabilities(2, &[&rows[..98]]).unwrap()).expect("room");
        let short = engine.fuse_resident(&fusion, &fewer).expect("room");
        let error = engine.stack(&[&answers, &short]).expect_err("49 items");
        assert_eq!(
            error.to_string(),
            "the list of items of answer 1 has 49 entries where the evidence needs 50",
            "{name}"
        );
        drop((answers, no_posterior, fewer, short));
        assert_eq!(engine.resident(), bare, "{name}");

        let tight = EngineOptions { device: device(&engine), resident_bytes: Some(900), ..Default::default() };
        let tight = Engine::open(&tight).unwrap();
        let held = tight.upload(&Evidence::probabilities(2, &[&rows]).unwrap()).expect("room");
        let error = tight.fuse_resident(&fusion, &held).expect_err("no room");
        assert!(matches!(error.kind(), ErrorKind::Device(DeviceError::ResidentBudget { allowed: 900, .. })), "{error}");
        let answers = tight.fuse_resident(&decision, &held).expect("room");
        for error in
            [answers.read(&engine).err(), engine.fuse_resident(&fusion, &held).err(), engine.stack(&[&answers]).err()]
        {
            let error = error.expect("another engine's");
            assert!(matches!(error.kind(), ErrorKind::Device(DeviceError::HeldElsewhere)), "{name}: {error}");
        }
    }
}

fn device(engine: &Engine) -> Device {
    if engine.is_gpu() { Device::Gpu } else { Device::Cpu }
}

#[test]
fn no_items_are_held_as_well() {
    for (name, engine) in engines() {
        let resident = engine.upload(&Evidence::probabilities(3, &[&[], &[]]).unwrap()).unwrap();
        assert_eq!((resident.items(), resident.sources(), resident.classes()), (0, 2, 3));
        assert_eq!(engine.fuse(&Fusion::default(), &resident).unwrap().items(), 0, "{name}");
        let answers = engine.fuse_resident(&Fusion::default(), &resident).unwrap();
        assert_eq!(answers.read(&engine).unwrap(), engine.fuse(&Fusion::default(), &resident).unwrap(), "{name}");
        assert_eq!(engine.stack(&[&answers, &answers, &answers]).unwrap().sources(), 3, "{name}");
    }
}

#[test]
fn what_is_invalid_is_named_as_if_it_had_just_been_uploaded() {
    let items = 3000;
    let whole = vec![0.5; 2 * items];
    for (name, engine) in engines() {
        for item in [0, 33, 2999] {
            let mut rows = whole.clone();
            rows[2 * item + 1] = -0.25;
            let mut labels = vec![1_u8; items];
            labels[item] = 7;
            let sure: Vec<f32> = (0..items).map(|i| if i == item { 1.5 } else { 0.5 }).collect();
            let asked: Vec<bool> = (0..items).map(|i| i % 3 == item % 3).collect();
            let plain = Opinions::Probabilities(&whole);
            let unasked = vec![MISSING_U8; items];
            let cases = [
                Evidence::of(2, &[plain, Opinions::Probabilities(&rows)]).unwrap(),
                Evidence::of(2, &[plain, plain, Opinions::LabelsU8(&labels)])
                    .unwrap()
                    .with_presence(2, &asked)
                    .unwrap(),
                Evidence::of(2, &[Opinions::LabelsU8(&unasked), plain]).unwrap().with_confidence(1, &sure).unwrap(),
            ];
            for evidence in cases {
                let want = engine.fuse(&Fusion::default(), &evidence).unwrap_err();
                let resident = engine.upload(&evidence).unwrap();
                let got = engine.fuse(&Fusion::default(), &resident).unwrap_err();
                assert_eq!(got.to_string(), want.to_string(), "{name}");
                assert!(got.to_string().contains(&format!("item {item}")), "{name}: {got}");
            }
        }
    }
}

#[test]
fn what_is_held_is_counted_and_bounded() {
    let options = |device| EngineOptions { device, resident_bytes: Some(1000), ..Default::default() };
    let mut devices = vec![Device::Cpu];
    devices.extend(engines::gpu(None).map(|_| Device::Gpu));
    for device in devices {
        let engine = Engine::open(&options(device)).unwrap();
        let rows = vec![0.5; 100];
        let evidence = Evidence::probabilities(2, &[&rows]).unwrap();
        let first = engine.upload(&evidence).unwrap();
        // On a GPU, what is not there is a word each.
        assert!((400..=408).contains(&first.bytes()), "{first:?}");
        let second = engine.upload(&evidence).unwrap();
        let stats = engine.resident();
        assert_eq!((stats.handles, stats.bytes, stats.allowed), (2, 2 * first.bytes(), 1000));
        let refused = engine.upload(&evidence).unwrap_err();
        let ErrorKind::Device(DeviceError::ResidentBudget { needed, held, allowed }) = refused.kind() else {
            panic!("{refused}")
        };
        assert_eq!((*needed, *held, *allowed), (first.bytes(), 2 * first.bytes(), 1000));
        assert!(refused.is_device());
        drop(first);
        assert_eq!((engine.resident().handles, engine.resident().bytes), (1, second.bytes()));
        engine.upload(&evidence).unwrap();

        let other = Engine::open(&options(Device::Cpu)).unwrap();
        let elsewhere = other.fuse(&Fusion::default(), &second).unwrap_err();
        assert!(matches!(elsewhere.kind(), ErrorKind::Device(DeviceError::HeldElsewhere)), "{elsewhere}");
        // A handle outlives its engine, and is of no use then.
        drop(engine);
        assert_eq!(second.items(), 50);
    }
}
