//! A meta-learner's last word.

use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::parallel_fusion::{Fate, Judge, Outcome};
use consilience::orchestration::{Opinion, Question, Source, source};

use super::super::scripted::{self, Act, fusion};
use super::{fates, options};

async fn judged(act: Act) -> Outcome {
    let judge: Arc<dyn Source<str>> = Arc::new(source::of("judge", move |question: Question<str>| {
        let names: Vec<_> = question.peers.iter().map(|peer| peer.name.to_string()).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(question.peers[1].opinion, Opinion::Probabilities(vec![0.3, 0.7]));
        act.clone().perform()
    }));
    let acts = [Act::say(&[0.2, 0.8]), Act::Fail, Act::say_after(10, &[0.3, 0.7])];
    let asked = fusion(2, &acts, options()).with_meta_learner(judge, Duration::from_secs(1));
    asked.expect("a fusion").ask("?").await.expect("an answer")
}

#[tokio::test(start_paused = true)]
async fn it_sees_what_the_others_said_and_has_the_last_word() {
    let outcome = judged(Act::say(&[0.75, 0.25])).await;
    assert_eq!((outcome.judge, outcome.decision), (Judge::MetaLearner, 0));
    assert_eq!((outcome.posterior, outcome.confidence), (vec![0.75, 0.25], 0.75 * 0.9));
    assert_eq!(outcome.reports.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn where_it_fails_the_fusion_stands_and_says_so() {
    for (act, fate) in [(Act::Fail, Fate::Failed), (Act::Never, Fate::TimedOut), (Act::say(&[2.0, 0.0]), Fate::Invalid)]
    {
        let outcome = judged(act).await;
        assert_eq!((outcome.judge, outcome.decision), (Judge::Fallback, 1));
        assert_eq!(outcome.reports[3].fate, fate);
        // Two failures: one of the three, and the judge.
        assert!((outcome.confidence - outcome.posterior[1] * 0.81).abs() < 1e-6);
    }
}

#[tokio::test(start_paused = true)]
async fn its_time_is_taken_from_the_others() {
    let acts = [Act::say(&[0.2, 0.8]), Act::say_after(4_001, &[0.3, 0.7])];
    let judge = scripted::source("judge", Act::say(&[0.9, 0.1]));
    let asked = fusion(2, &acts, options()).with_meta_learner(judge, Duration::from_secs(1)).expect("a fusion");
    let outcome = asked.ask("?").await.expect("an answer");
    assert_eq!((fates(&outcome)[1], outcome.elapsed), (Fate::TimedOut, Duration::from_secs(4)));
}
