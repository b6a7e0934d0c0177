//! Saved state: the same bits back, and every damage named.

use std::fs;

use consilience::learning::{Confusion, Hedge, Reliability, State, Weights};
use consilience::{Error, ErrorKind, FileError, StateError};
use proptest::prelude::*;

use super::updates::{Learners, learners};
use super::*;

fn learnt() -> Learners {
    let stream = Stream::random(3, 40, 4, 11);
    let mut learners = learners(&stream, true);
    learners.learn(&stream);
    learners
}

/// A text with this state under a header that fits it.
fn signed(kind: &str, state: &str) -> String {
    let (bytes, crc32) = (state.len(), crc32fast::hash(state.as_bytes()));
    format!(
        r#"{{"format":"consilience state","kind":"{kind}","version":1,"bytes":{bytes},"crc32":"{crc32:08x}"}}
{state}
"#
    )
}

fn fault(error: &Error) -> &StateError {
    assert!(error.is_state() && !error.is_io(), "{error:?}");
    match error.kind() {
        ErrorKind::State(fault) => fault,
        other => panic!("{other:?}"),
    }
}

fn back<T: State + std::fmt::Debug + PartialEq>(state: &T) {
    let dir = tempfile::tempdir().expect("a readable state");
    let path = dir.path().join("state.json");
    fs::write(&path, "an older file").expect("a readable state");
    state.save(&path).expect("a readable state");
    let text = fs::read_to_string(&path).expect("a readable state");
    assert_eq!(text, state.to_text().expect("a readable state"));
    let loaded = T::load(&path).expect("a readable state");
    assert_eq!(&loaded, state);
    // Debug prints every f64 so that it can be told from its neighbours.
    assert_eq!(format!("{loaded:?}"), format!("{state:?}"));
    assert_eq!(loaded.to_text().expect("a readable state"), text);
    assert_eq!(fs::read_dir(dir.path()).expect("a readable state").count(), 1, "a temporary file is left");
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn every_bit_comes_back(stream in streams(), forgetful: bool) {
        let mut learners = learners(&stream, forgetful);
        learners.learn(&stream);
        back(&learners.0);
        back(&learners.1);
        back(&learners.2);
        back(&learners.3);
    }
}

#[test]
fn two_lines_of_json() {
    let learner = Reliability::new(1, Default::default()).unwrap();
    let state = r#"{"options":{"discount":1.0,"a":1.0,"b":1.0,"loss":"zero_one","threshold":0.6},"tallies":[{"right":0.0,"heard":0.0}]}"#;
    assert_eq!(learner.to_text().unwrap(), signed("reliability", state));
    assert_eq!(Reliability::from_text(&signed("reliability", state)).unwrap(), learner);
}

#[test]
fn every_altered_byte_is_found() {
    let text = learnt().0.to_text().unwrap();
    for at in 0..text.len() {
        for flip in [1, 0x20] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(altered) = String::from_utf8(bytes) else { continue };
            let error = Reliability::from_text(&altered).expect_err(&altered);
            assert!(!matches!(fault(&error), StateError::Invalid { .. }), "byte {at}: {error}");
        }
    }
}

#[test]
fn every_cut_is_found() {
    let text = learnt().3.to_text().unwrap();
    let header = text.find('\n').unwrap();
    for len in 0..text.len() - 1 {
        let error = Hedge::from_text(&text[..len]).expect_err("a text cut short");
        match fault(&error) {
            StateError::NotState { .. } => assert!(len < header, "{len}: {error}"),
            StateError::Damaged { why, .. } => {
                assert_eq!(
                    *why,
                    format!(
                        "the state is {} bytes long, the header says {}",
                        len.saturating_sub(header + 1),
                        text.len() - header - 2
                    )
                );
            }
            other => panic!("{len}: {other:?}"),
        }
    }
}

#[test]
fn files_that_are_something_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let load = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Reliability::load(&path).expect_err("something else")
    };
    for bytes in [&b""[..], b"\n", b"{}", b"item,label\n7,1\n", b"PAR1\xff\xfe\x00", b"[1, 2]", b"null"] {
        let error = load(bytes);
        assert!(matches!(fault(&error), StateError::NotState { .. }), "{error}");
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
    }
    let text = learnt().0.to_text().unwrap();
    let error = load(text.replace("consilience state", "another state").as_bytes());
    assert!(error.to_string().ends_with("the format is `another state`, not `consilience state`"), "{error}");
    let error = load(learnt().1.to_text().unwrap().as_bytes());
    assert!(error.to_string().ends_with("saved state of kind `weights`, where `reliability` is needed"), "{error}");
    let error = load(text.replace("\"version\":1", "\"version\":2").as_bytes());
    assert!(error.to_string().ends_with("`reliability` of version 2; this build reads version 1"), "{error}");
    let error = load(text.replacen("\"right\":", "\"right\":1", 1).as_bytes());
    assert!(matches!(fault(&error), StateError::Damaged { .. }), "{error}");
}

#[test]
fn values_that_no_learner_has() {
    fn says<T: State>(state: &str, text: &str) {
        let error = T::from_text(&signed(T::KIND, state)).err().expect("values that no learner has");
        assert!(matches!(fault(&error), StateError::Invalid { .. }), "{error:?}");
        assert!(error.to_string().contains(text), "{error}");
        // What is read by another door is checked as well.
        let error = serde_json::from_str::<T>(state).err().expect("values that no learner has");
        assert!(error.to_string().contains(text), "{error}");
    }
    let state = |text: String| text.lines().nth(1).unwrap().to_owned();
    let Learners(a, b, c, d) = Learners::new(2, 2, false);
    let (a, b) = (state(a.to_text().unwrap()), state(b.to_text().unwrap()));
    let (c, d) = (state(c.to_text().unwrap()), state(d.to_text().unwrap()));

    let tally = |right: &str, heard: &str| {
        a.replacen(r#"{"right":0.0,"heard":0.0}"#, &format!(r#"{{"right":{right},"heard":{heard}}}"#), 1)
    };
    says::<Reliability>(&tally("-1.0", "3.0"), "right of source 0 is -1, it must be in [0, 3");
    says::<Reliability>(&tally("4.0", "3.0"), "right of source 0 is 4, it must be in [0, 3");
    says::<Reliability>(&tally("1.0", "1e300"), "heard of source 0 is 1");
    says::<Reliability>(&tally("null", "1.0"), "invalid type: null");
    says::<Reliability>(&tally("1e999", "1.0"), "number out of range");
    says::<Reliability>(&a.replacen("0.75", "-0.75", 1), "b is -0.75, it must be in [0, 2^53]");
    let none = r#"{"options":{"discount":1.0,"a":1.0,"b":1.0,"loss":"zero_one","threshold":0.6},"tallies":[]}"#;
    says::<Reliability>(none, "the number of sources is 0");
    says::<Reliability>(&a.replacen("tallies", "talies", 1), "unknown field `talies`");
    says::<Reliability>("[]", "invalid length 0");

    let weight = b.rfind("\"weights\":[").unwrap();
    says::<Weights>(&format!("{}\"weights\":[1.0]}}", &b[..weight]), "weights has 1 entries, it must have 2");
    says::<Weights>(&format!("{}\"weights\":[1.0,0.5]}}", &b[..weight]), "sum from one is 0.5");
    says::<Weights>(&format!("{}\"weights\":[-1.0,2.0]}}", &b[..weight]), "a weight is -1");
    says::<Weights>(&b.replacen("\"discount\":1.0", "\"discount\":0.5", 1), "other options than the weights say");
    says::<Weights>(&b.replacen("\"start\":[1.0,2.0]", "\"start\":[1.0]", 1), "weights has 2 entries, it must have 1");

    says::<Confusion>(&c.replacen("\"counts\":[0.0,", "\"counts\":[", 1), "counts has 11 entries, it must have 12");
    says::<Confusion>(&c.replacen("\"counts\":[0.0,", "\"counts\":[-0.5,", 1), "a count is -0.5");
    says::<Confusion>(&c.replacen("\"classes\":2", "\"classes\":4611686018427387904", 1), "it must be at most 2^28");
    says::<Confusion>(&c.replacen("\"classes\":2", "\"classes\":0", 1), "evidence has no classes");

    says::<Hedge>(
        &d.replacen("\"log_weights\":[0.0,", "\"log_weights\":[", 1),
        "accounts has 2 entries, it must have 1",
    );
    says::<Hedge>(&d.replacen("\"log_weights\":[0.0,", "\"log_weights\":[-1e17,", 1), "a log weight from zero is 1");
    says::<Hedge>(
        &d.replacen("\"streams\":0", "\"streams\":3", 1),
        "streams is 3, it must be between 1 and the 0 rounds",
    );
    says::<Hedge>(&d.replacen("\"mixture\":0.0", "\"mixture\":-1.0", 1), "the mixture beside a source is -1");
    says::<Hedge>(&d.replacen("\"share\":0.0", "\"share\":1.0", 1), "share is 1, it must be in [0, 1)");
}

#[test]
fn what_the_system_refuses() {
    let learner = learnt().2;
    let dir = tempfile::tempdir().unwrap();
    let io = |error: Error, does: &str| {
        assert!(error.is_io() && !error.is_state(), "{error}");
        assert!(matches!(error.kind(), ErrorKind::File(FileError::Io { action, .. }) if *action == does), "{error:?}");
    };
    io(Confusion::load(dir.path().join("none.json")).unwrap_err(), "reading");
    io(learner.save(dir.path().join("none/state.json")).unwrap_err(), "creating");
    io(learner.save("/").unwrap_err(), "creating");
    // A directory cannot be replaced by a file; the temporary one is gone again.
    let taken = dir.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("inside"), "").unwrap();
    io(learner.save(&taken).unwrap_err(), "storing");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_saved_file_may_be_read_by_whom_any_file_may() {
    let dir = tempfile::tempdir().unwrap();
    let (saved, other) = (dir.path().join("state.json"), dir.path().join("other"));
    learnt().0.save(&saved).unwrap();
    fs::write(&other, "").unwrap();
    assert_eq!(fs::metadata(saved).unwrap().permissions(), fs::metadata(other).unwrap().permissions());
}

#[test]
fn a_loaded_learner_goes_on_where_it_was() {
    let stream = Stream::random(3, 30, 4, 3);
    let mut one = learners(&stream, true);
    one.learn(&stream);
    let text = (one.0.to_text().unwrap(), one.1.to_text().unwrap(), one.2.to_text().unwrap(), one.3.to_text().unwrap());
    let mut two = Learners(
        Reliability::from_text(&text.0).unwrap(),
        Weights::from_text(&text.1).unwrap(),
        Confusion::from_text(&text.2).unwrap(),
        Hedge::from_text(&text.3).unwrap(),
    );
    one.learn(&stream);
    two.learn(&stream);
    assert_eq!(one, two);
    // State of three sources and other evidence.
    let other = Stream::full(2, 4, 4, 3);
    for error in two.update(&other.evidence(), &other.labels).into_iter().map(|result| result.unwrap_err()) {
        assert_eq!(fault(&error), &StateError::Shape { unit: "sources", learner: 3, evidence: 2 });
    }
    let other = Stream::full(3, 4, 2, 3);
    let error = two.2.update(&other.evidence(), &other.labels).unwrap_err();
    assert_eq!(fault(&error), &StateError::Shape { unit: "classes", learner: 4, evidence: 2 });
}
