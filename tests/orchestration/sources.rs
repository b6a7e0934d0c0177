//! Opinions and the sources that come with the crate.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::{Cost, Opinion, Question, Reply, Source, source};
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

fn question(seconds: u64) -> Question<str> {
    Question::new(Arc::from("?"), 2, Instant::now() + Duration::from_secs(seconds))
}

#[test]
fn opinions_become_probabilities() {
    let third = (1.0_f32 / 3.0).ln();
    let cases: [(Opinion, usize, Option<&[f32]>); 8] = [
        (Opinion::Probabilities(vec![0.25, 0.75]), 2, Some(&[0.25, 0.75])),
        (Opinion::LogProbabilities(vec![0.0, f32::NEG_INFINITY]), 2, Some(&[1.0, 0.0])),
        (Opinion::Logits(vec![third, third + 2.0_f32.ln()]), 2, Some(&[1.0 / 3.0, 2.0 / 3.0])),
        (Opinion::label(2), 3, Some(&[0.0, 0.0, 1.0])),
        (Opinion::Label { class: 0, confidence: Some(0.5) }, 3, Some(&[0.5, 0.25, 0.25])),
        (Opinion::Binary(0.3), 2, Some(&[0.3, 0.7])),
        (Opinion::Abstained, 2, None),
        (Opinion::label(0), 1, Some(&[1.0])),
    ];
    for (opinion, classes, expected) in cases {
        let p = opinion.probabilities(classes).expect("valid");
        assert_eq!(p.is_some(), expected.is_some(), "{opinion:?}");
        for (p, expected) in p.iter().flatten().zip(expected.iter().copied().flatten()) {
            assert!((p - expected).abs() < 1e-6, "{opinion:?}");
        }
    }
}

#[test]
fn what_is_no_opinion_is_named() {
    let cases = [
        (Opinion::Probabilities(vec![0.5; 3]), "it has 3 values where there are 2 classes"),
        (Opinion::Logits(Vec::new()), "it has 0 values where there are 2 classes"),
        (Opinion::Probabilities(vec![0.5, f32::NAN]), "class 1: NaN is not a number"),
        (Opinion::Probabilities(vec![-0.5, 1.5]), "class 0: -0.5 is negative"),
        (Opinion::Probabilities(vec![0.5, 0.6]), "the probabilities sum to 1.1"),
        (Opinion::Logits(vec![f32::INFINITY, 0.0]), "class 0: inf is not finite"),
        (Opinion::label(2), "it names class 2; classes are 0 to 1"),
        (Opinion::label(u16::MAX), "it names class 65535; classes are 0 to 1"),
        (Opinion::Label { class: 0, confidence: Some(1.5) }, "1.5 is above one"),
        (Opinion::Binary(1.5), "1.5 is above one"),
    ];
    for (opinion, expected) in cases {
        let error = opinion.probabilities(2).expect_err("no opinion");
        assert!(matches!(error, SourceError::Invalid { .. }));
        assert!(error.to_string().contains(expected), "{opinion:?}: {error}");
    }
    let three = Opinion::Binary(0.5).probabilities(3).expect_err("three classes");
    assert!(three.to_string().contains("binary f32"), "{three}");
}

#[test]
fn costs_add_up_and_stay_at_the_most() {
    let most = Cost { calls: u64::MAX, ..Cost::CALL };
    let sum: Cost = [most, Cost { calls: 1, tokens_in: 2, tokens_out: 3, micros: 4 }].into_iter().sum();
    assert_eq!(sum, Cost { calls: u64::MAX, tokens_in: 2, tokens_out: 3, micros: 4 });
}

#[tokio::test(start_paused = true)]
async fn a_channel_waits_for_room_and_is_told_who_has_gone() {
    let (asker, mut desk) = source::channel::<str>("desk", 1);
    let asker = Arc::new(asker);
    let ask = |asker: &Arc<source::Channel<str>>| {
        let asker = Arc::clone(asker);
        tokio::spawn(async move { asker.ask(question(9)).await })
    };
    let (first, second) = (ask(&asker), ask(&asker));
    let taken = desk.recv().await.expect("the first question");
    assert!(taken.is_wanted());
    taken.answer(Ok(Reply::from(Opinion::label(1)).content("yes")));
    assert_eq!(first.await.expect("a task").expect("an answer").content.as_deref(), Some("yes"));

    let waiting = desk.recv().await.expect("the second question");
    second.abort();
    assert!(second.await.is_err());
    assert!(!waiting.is_wanted());
    // Nobody is there to be told.
    waiting.answer(Ok(Opinion::Abstained.into()));

    let third = ask(&asker);
    drop(desk.recv().await.expect("the third question"));
    assert!(matches!(third.await.expect("a task"), Err(SourceError::Closed)));
    drop(desk);
    assert!(matches!(asker.ask(question(9)).await, Err(SourceError::Closed)));
}

#[tokio::test]
async fn blocking_code_runs_so_many_at_a_time_and_panics_alone() {
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, seen) = (Arc::clone(&running), Arc::clone(&most));
    let slow = source::blocking("slow", 2, move |asked: Question<str>| {
        seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(5));
        now.fetch_sub(1, Ordering::SeqCst);
        assert_eq!(asked.attempt, 0, "a test asked for this panic");
        Ok(Opinion::label(0).into())
    });
    for reply in join_all((0..8).map(|_| slow.ask(question(60)))).await {
        assert_eq!(reply.expect("an answer").opinion, Opinion::label(0));
    }
    assert_eq!((most.load(Ordering::SeqCst), running.load(Ordering::SeqCst)), (2, 0));

    let mut again = question(60);
    again.attempt = 1;
    let Err(SourceError::Panicked { message }) = slow.ask(again).await else { panic!("it must panic") };
    assert!(message.contains("asked for this panic"));
}

#[tokio::test]
async fn blocking_code_that_is_no_longer_wanted_never_begins() {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let (gate, open) = mpsc::channel::<()>();
    let open = Mutex::new(open);
    let slow = source::blocking("slow", 1, move |_: Question<str>| {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = open.lock().expect("no panic under it").recv();
        Ok(Opinion::label(0).into())
    });
    let mut first = slow.ask(question(60));
    assert!(timeout(Duration::from_millis(20), &mut first).await.is_err());
    // Waits for its turn, and is dropped waiting.
    assert!(timeout(Duration::from_millis(5), slow.ask(question(60))).await.is_err());
    gate.send(()).expect("somebody waits");
    assert_eq!(first.await.expect("an answer").opinion, Opinion::label(0));
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    let late = slow.ask(question(0)).await;
    assert!(matches!(late, Err(SourceError::TimedOut { .. })), "{late:?}");
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}
