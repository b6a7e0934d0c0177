//! Questions and answers.

use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::ledger::{self, Ledger};
use consilience::{Evidence, Fusion};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::client::{SOON, ask, get, json, send, series};
use super::served::Setup;
use crate::orchestration::engine::engine;
use crate::orchestration::scripted::Act;

#[tokio::test]
async fn a_question_is_answered_with_who_said_what() {
    let served = Setup::default().serve().await;
    let answer = ask(served.at, "cat or dog?").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let answer = answer.json();
    let (model, table) = ([0.9, 0.1], [0.6, 0.4]);
    let evidence = Evidence::probabilities(2, &[&model, &table]).unwrap();
    let fused = engine().fuse(&Fusion::two_source(), &evidence).unwrap();
    let numbers = |value: &Value| -> Vec<f32> { serde_json::from_value(value.clone()).unwrap() };
    assert_eq!(numbers(&answer["posterior"]), fused.posterior());
    assert_eq!((&answer["decision"], &answer["label"]), (&json!(0), &json!("cat")));
    assert_eq!(answer["confidence"].as_f64().unwrap() as f32, fused.confidence()[0]);
    assert_eq!(answer["recorded"], json!({ "state": "off" }));
    assert_eq!(
        (&answer["way"], &answer["reason"], &answer["stopped"]),
        (&json!("at_once"), &json!("fixed"), &json!("complete"))
    );
    let sources = answer["sources"].as_array().unwrap();
    assert_eq!(numbers(&sources[0]["opinion"]), model);
    assert_eq!((&sources[1]["name"], &sources[1]["fate"]), (&json!("table"), &json!("answered")));
    assert_eq!(sources[1]["weight"].as_f64().unwrap() as f32, 0.4);
    served.end().await.unwrap();
}

#[tokio::test]
async fn the_truth_is_told_once_and_learned_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Arc::new(Ledger::open(folder.path().join("results.redb"), ledger::Options::default()).unwrap());
    let weights = async |at| {
        let status = get(at, "/api/v1/unified/metrics").await.json();
        let sources = status["sources"].as_array().unwrap().clone();
        sources.iter().map(|source| source["weight"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    let setup = || Setup { table: Act::say(&[0.4, 0.6]), ledger: Some(open()), ..Setup::default() };
    let served = setup().serve().await;
    let mut numbers = Vec::new();
    for _ in 0..12 {
        let answer = ask(served.at, "?").await.json();
        assert_eq!(answer["recorded"]["id"], numbers.len());
        numbers.push(answer["request"].as_u64().unwrap());
        let told = json!({ "request": numbers.last(), "truth": 0 }).to_string();
        assert_eq!(json(served.at, "POST /api/v1/unified/feedback", &told).await.status, 204);
        let again = json(served.at, "POST /api/v1/unified/feedback", &told).await;
        assert_eq!(again.status, 404);
        assert!(again.detail().contains(&format!("`{}`", numbers.last().unwrap())), "{}", again.detail());
    }
    assert!(numbers.is_sorted_by(|a, b| a < b));
    let taught = weights(served.at).await;
    assert!(taught[0] > 0.6 && taught[1] < 0.4, "{taught:?}");
    // A truth that is no class is not the last word.
    let number = ask(served.at, "?").await.json()["request"].as_u64().unwrap();
    let tell = async |truth: u32| {
        json(served.at, "POST /api/v1/unified/feedback", &json!({ "request": number, "truth": truth }).to_string())
            .await
    };
    let wrong = tell(2).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.detail().contains("classes are 0 to 1"), "{}", wrong.detail());
    assert_eq!(tell(0).await.status, 204);
    let taught = weights(served.at).await;
    served.end().await.unwrap();

    let served = setup().serve().await;
    assert_eq!(weights(served.at).await, taught);
    let next = ask(served.at, "?").await.json();
    assert_eq!(next["recorded"]["id"], 13);
    assert!(next["request"].as_u64().unwrap() > number);
    served.end().await.unwrap();
}

#[tokio::test]
async fn the_strategy_is_shown_and_set() {
    let served = Setup::default().serve().await;
    let path = "/api/v1/unified/strategy";
    assert_eq!(get(served.at, path).await.json(), json!({ "strategy": "parallel_fusion", "mode": "active" }));
    let set = json(served.at, &format!("PUT {path}"), r#"{"strategy": "ai_first"}"#).await;
    assert_eq!(set.json(), json!({ "strategy": "ai_first", "mode": "active" }));
    let advisory = r#"{"strategy": "hybrid", "mode": "advisory"}"#;
    json(served.at, &format!("PUT {path}"), advisory).await;
    let set = json(served.at, &format!("PUT {path}"), r#"{"strategy": "ai_first"}"#).await;
    assert_eq!(set.json(), json!({ "strategy": "ai_first", "mode": "advisory" }), "the mode is as it was");
    let answer = ask(served.at, "?").await.json();
    assert_eq!((&answer["way"], answer["sources"].as_array().unwrap().len()), (&json!("ai_first"), 1));
    let unknown = json(served.at, &format!("PUT {path}"), r#"{"strategy": "guess"}"#).await;
    assert_eq!(unknown.status, 422);
    assert!(
        unknown.detail().contains("`guess`") && unknown.detail().contains("parallel_fusion"),
        "{}",
        unknown.detail()
    );
    assert_eq!(get(served.at, path).await.json()["strategy"], "ai_first");
    served.end().await.unwrap();
}

#[tokio::test]
async fn what_fails_says_who_failed() {
    let nobody = Setup { model: Act::Fail, table: Act::Panic, ..Setup::default() }.serve().await;
    let refused = ask(nobody.at, "?").await;
    assert_eq!(refused.status, 502);
    let detail = refused.detail();
    assert!(detail.contains("`model`: out of order") && detail.contains("`table`: it panicked"), "{detail}");
    assert_eq!(series(nobody.at, "consilience_http_requests_total{status=\"5xx\"}").await, 1.0);
    nobody.end().await.unwrap();

    let late = Setup { model: Act::Never, table: Act::Never, ..Setup::default() }.serve().await;
    let body = r#"{"question": "?", "deadline_ms": 30}"#;
    let refused = json(late.at, "POST /api/v1/unified/process", body).await;
    assert_eq!(refused.status, 504);
    assert!(refused.detail().contains("no answer within"), "{}", refused.detail());
    late.end().await.unwrap();
}

#[tokio::test]
async fn bad_requests_are_told_what_would_be_right() {
    let served = Setup::default().serve().await;
    let process = "POST /api/v1/unified/process";
    let fuse = "POST /api/v1/fuse";
    let cases = [
        (process, "", 400, "EOF"),
        (process, "{", 400, "EOF"),
        (process, "\u{0}", 400, "expected value"),
        (process, "{}", 422, "missing field `question`"),
        (process, r#"{"question": 3}"#, 422, "expected a string"),
        (process, r#"{"question": ""}"#, 422, "`question` is empty"),
        (process, r#"{"question": "?", "deadline": 3}"#, 422, "unknown field `deadline`"),
        (process, r#"{"question": "?", "deadline_ms": 0}"#, 422, "from 1 to 60000"),
        (process, r#"{"question": "?", "deadline_ms": 60001}"#, 422, "from 1 to 60000"),
        (process, r#"{"question": "?", "deadline_ms": -1}"#, 422, "invalid value"),
        (fuse, "[]", 422, "invalid length 0"),
        (fuse, r#"{"classes": 2, "sources": []}"#, 422, "no sources"),
        (fuse, r#"{"classes": 0, "sources": [{"labels": [0]}]}"#, 422, "class"),
        (fuse, r#"{"classes": 2, "sources": [{}]}"#, 422, "`opinions` and `labels` of source 0"),
        (fuse, r#"{"classes": 2, "sources": [{"labels": [0], "opinions": [[1, 0]]}]}"#, 422, "of source 0"),
        (fuse, r#"{"classes": 2, "sources": [{"labels": [2]}]}"#, 422, "source 0, item 0"),
        (fuse, r#"{"classes": 2, "sources": [{"opinions": [[1, 0], [1]]}]}"#, 422, "source 0 on item 1"),
        (fuse, r#"{"classes": 2, "sources": [{"labels": [0]}, {"labels": [0, 1]}]}"#, 422, "source 1"),
        (fuse, r#"{"classes": 2, "sources": [{"opinions": [[0.5, 0.6]]}]}"#, 422, "sum to 1.1"),
        (fuse, r#"{"classes": 2, "sources": [{"opinions": [[1e99, 0]]}]}"#, 400, "number out of range"),
        (fuse, r#"{"classes": 18446744073709551615, "sources": [{"opinions": [null]}]}"#, 413, "bytes"),
        (fuse, r#"{"classes": 70000, "sources": [{"labels": [0]}]}"#, 422, "65534"),
        (fuse, r#"{"classes": 2, "sources": [{"labels": [0]}], "fusion": {"rule": "guess"}}"#, 422, "`guess`"),
        ("POST /api/v1/unified/feedback", r#"{"request": 1, "truth": 0}"#, 404, "`1`"),
        ("POST /api/v1/unified/feedback", r#"{"request": 1}"#, 422, "missing field `truth`"),
        ("PUT /api/v1/unified/strategy", r#"{"strategy": "hybrid", "mode": "wild"}"#, 422, "`wild`"),
    ];
    for (request, body, status, says) in cases {
        let answer = json(served.at, request, body).await;
        assert_eq!(answer.status, status, "{request} {body}: {}", answer.text());
        assert!(answer.detail().contains(says), "{request} {body}: {}", answer.detail());
    }
    let no_type = send(served.at, &format!("{process} HTTP/1.1"), b"{}").await;
    assert_eq!(no_type.status, 415);
    assert!(no_type.detail().contains("has none; it must be application/json"), "{}", no_type.detail());
    let text = send(served.at, &format!("{fuse} HTTP/1.1\r\ncontent-type: text/csv"), b"1").await;
    assert!(text.status == 415 && text.detail().contains("`text/csv`"), "{}", text.detail());
    let query = send(served.at, &format!("{fuse}?rule=vote HTTP/1.1\r\ncontent-type: application/json"), b"{}").await;
    assert!(query.status == 400 && query.detail().contains("unknown field `rule`"), "{}", query.detail());
    let nowhere = get(served.at, "/api/v2").await;
    assert!(nowhere.status == 404 && nowhere.detail().contains("`/api/v2`"), "{}", nowhere.detail());
    let never = send(served.at, "DELETE /api/v1/fuse HTTP/1.1", b"").await;
    assert!(never.status == 405 && never.detail().contains("DELETE"), "{}", never.detail());
    assert!(never.header("allow").is_some(), "{}", never.head);
    // None of that is a fault of the server.
    assert_eq!(series(served.at, "consilience_http_requests_total{status=\"5xx\"}").await, 0.0);
    served.end().await.unwrap();
}

/// A stream of events, as far as it has come.
struct Events(TcpStream, String);

impl Events {
    async fn open(at: std::net::SocketAddr) -> Self {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(b"GET /api/v1/events HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        let mut events = Self(stream, String::new());
        events.until("text/event-stream").await;
        events
    }

    /// Reads on until something has come.
    async fn until(&mut self, what: &str) {
        let mut bytes = [0; 4096];
        let mut from = 0;
        let end = Instant::now() + SOON;
        while !self.1[from..].contains(what) {
            // Not all of it again. It is ASCII here.
            from = self.1.len().saturating_sub(what.len());
            let read = timeout_at(end, self.0.read(&mut bytes)).await.unwrap().unwrap();
            assert!(read > 0, "the stream ended without {what}: {}", self.1);
            self.1.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }

    /// The names of events and their data, in order.
    fn all(&self) -> Vec<(String, Value)> {
        let mut events = Vec::new();
        let mut name = None;
        for line in self.1.lines() {
            if let Some(of) = line.strip_prefix("event: ") {
                name = Some(of.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                events.push((name.take().unwrap(), serde_json::from_str(data).unwrap()));
            }
        }
        events
    }
}

#[tokio::test]
async fn whoever_listens_hears_what_the_sources_say() {
    let options = consilience::serve::Options { most_told_a_second: 1, ..Default::default() };
    let served = Setup { table: Act::Fail, options, ..Setup::default() }.serve().await;
    let mut events = Events::open(served.at).await;
    let answer = ask(served.at, "first").await.json();
    events.until("event: answered").await;
    let all = events.all();
    let names: Vec<&str> = all.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names, ["asked", "arrived", "failed", "stopped", "answered"]);
    for (_, told) in &all {
        assert_eq!((&told["request"], &told["question"]), (&answer["request"], &json!("first")));
    }
    assert_eq!((&all[1].1["source"], &all[1].1["decision"]), (&json!("model"), &json!(0)));
    assert_eq!(all[2].1["reason"], "failed: out of order");
    assert_eq!(all[4].1["posterior"], answer["posterior"]);
    assert_eq!(all[4].1["sources"][1]["fate"], "failed");

    // Of those that come too soon after it, only the number is told.
    ask(served.at, "second").await;
    ask(served.at, "third").await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    ask(served.at, "fourth").await;
    events.until("fourth").await;
    assert!(!events.1.contains("second") && !events.1.contains("third"), "{}", events.1);
    let (_, fourth) =
        events.all().into_iter().find(|(name, told)| name == "asked" && told["question"] == "fourth").unwrap();
    assert_eq!(fourth["skipped"], 2);

    // Whoever hangs up is not listened to any more, and nothing is left of him.
    assert_eq!(series(served.at, "consilience_http_requests_total{status=\"2xx\"}").await, 6.0);
    drop(events);
    served.end().await.unwrap();
}

#[tokio::test]
async fn who_reads_slowly_is_told_how_much_he_missed() {
    let options = consilience::serve::Options { most_told_a_second: 100_000, ..Default::default() };
    let served = Setup { options, ..Setup::default() }.serve().await;
    let mut events = Events::open(served.at).await;
    // Each has five events, which repeat it: together more than connections hold and 1024 events.
    let question = "x".repeat(32 << 10);
    for _ in 0..500 {
        assert_eq!(ask(served.at, &question).await.status, 200);
    }
    events.until("event: missed\ndata: {\"skipped\":").await;
    events.until("event: answered").await;
    let (_, after) = events.1.split_once("event: missed\ndata: ").unwrap();
    let missed: Value = serde_json::from_str(after.lines().next().unwrap()).unwrap();
    assert!(missed["skipped"].as_u64().unwrap() > 0, "{missed}");
    drop(events);
    served.end().await.unwrap();
}

#[tokio::test]
async fn only_the_last_answers_are_kept_for_the_truth() {
    let options = consilience::serve::Options { kept_answers: 2, ..Default::default() };
    let served = Setup { options, ..Setup::default() }.serve().await;
    let mut statuses = Vec::new();
    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(ask(served.at, "?").await.json()["request"].clone());
    }
    for number in numbers {
        let truth = json!({ "request": number, "truth": 0 }).to_string();
        statuses.push(json(served.at, "POST /api/v1/unified/feedback", &truth).await.status);
    }
    assert_eq!(statuses, [404, 204, 204]);
    served.end().await.unwrap();
}

/// What a service records is there before its answer is.
#[tokio::test]
async fn answers_with_a_number_are_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.redb");
    let ledger = Arc::new(Ledger::open(&path, ledger::Options::default()).unwrap());
    let served = Setup { ledger: Some(Arc::clone(&ledger)), ..Setup::default() }.serve().await;
    let answer = ask(served.at, "?").await.json();
    let record = ledger.get(answer["recorded"]["id"].as_u64().unwrap()).unwrap().unwrap();
    let posterior: Vec<f32> = serde_json::from_value(answer["posterior"].clone()).unwrap();
    assert_eq!(record.entry.posterior, posterior);
    served.end().await.unwrap();
}
