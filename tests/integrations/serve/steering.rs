//! The controller behind the server.

use std::net::SocketAddr;
use std::time::Duration;

use consilience::orchestration::control::{self, Bounds, Mode};
use consilience::serve::Options;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::client::{SOON, ask, get, json, series};
use super::served::{Served, Setup};
use crate::orchestration::scripted::Act;

const CONTROL: &str = "/api/v1/unified/control";

/// With a table that fails, and intervals of a tenth of a second.
async fn failing(mode: Mode) -> Served {
    let options = Options { interval: Duration::from_millis(100), ..Options::default() };
    let control = Some(control::Options { mode, ..control::Options::default() });
    Setup { table: Act::Fail, options, control, ..Setup::default() }.serve().await
}

/// Asks until the controller says something that is sought.
async fn until(at: SocketAddr, sought: impl Fn(&Value) -> bool) -> Value {
    let asking = async {
        loop {
            assert_eq!(ask(at, "?").await.status, 200);
            let control = get(at, CONTROL).await.json();
            if sought(&control) {
                return control;
            }
        }
    };
    timeout(SOON, asking).await.expect("what is sought")
}

fn is_resting(control: &Value) -> bool {
    control["setting"]["trust"]["table"] == 0.0
}

#[tokio::test]
async fn a_source_that_fails_is_put_to_rest() {
    let served = failing(Mode::Act).await;
    let control = until(served.at, is_resting).await;
    let act = control["log"].as_array().unwrap()[0].clone();
    assert_eq!((&act["kind"], &act["what"]), (&json!("taken"), &json!("the trust in `table` from 1.00 to 0.00")));
    assert!(act["reason"].as_str().unwrap().contains("`table`"), "{act}");
    // It lowers no confidence any more.
    let answer = ask(served.at, "?").await.json();
    assert_eq!(answer["sources"][1]["fate"], "abstained");
    assert_eq!(answer["confidence"], answer["posterior"][0]);
    let status = get(served.at, "/api/v1/unified/metrics").await.json();
    assert_eq!((&status["sources"][1]["resting"], &status["sources"][0]["resting"]), (&json!(true), &json!(false)));
    // What it is not asked is no answer of its.
    assert_eq!(status["sources"][1]["calls"], status["sources"][1]["failures"]);
    assert_eq!(series(served.at, "consilience_control_sources_resting").await, 1.0);
    assert!(series(served.at, "consilience_control_actions_total{kind=\"taken\"}").await >= 1.0);
    assert!(series(served.at, "consilience_control_alarms_total").await >= 1.0);
    served.end().await.unwrap();
}

#[tokio::test]
async fn what_is_only_advised_is_not_done_before_it_may_be() {
    let served = failing(Mode::Advise).await;
    let control = until(served.at, |control| !control["log"].as_array().unwrap().is_empty()).await;
    assert_eq!((&control["mode"], &control["log"][0]["kind"]), (&json!("advise"), &json!("advised")));
    assert!(control["bottleneck"].as_str().unwrap().contains("`table`"), "{control}");
    assert_eq!(
        control["setting"],
        json!({ "concurrency": 100, "batch": 1, "executor": "auto", "shed": 0.0, "trust": {} })
    );
    assert_eq!(ask(served.at, "?").await.json()["sources"][1]["fate"], "failed");
    let acting = json(served.at, &format!("PUT {CONTROL}"), r#"{"mode": "act"}"#).await;
    assert_eq!((acting.status, &acting.json()["mode"]), (200, &json!("act")));
    until(served.at, is_resting).await;
    let unknown = json(served.at, &format!("PUT {CONTROL}"), r#"{"mode": "run"}"#).await;
    assert!(unknown.status == 422 && unknown.detail().contains("`run`"), "{}", unknown.detail());
    served.end().await.unwrap();
}

#[tokio::test]
async fn what_is_too_much_is_turned_away() {
    // Neither source is slower than the other, and nothing but shedding may be tried.
    let slow = || Act::say_after(60, &[0.9, 0.1]);
    let bounds = Bounds { concurrency: 100..=100, batch: 1..=1, executor: false, ..Bounds::default() };
    let latency = Duration::from_millis(20);
    let control = Some(control::Options { mode: Mode::Act, latency, bounds, ..control::Options::default() });
    let options = Options { interval: Duration::from_millis(100), ..Options::default() };
    let served = Setup { model: slow(), table: slow(), options, control, ..Setup::default() }.serve().await;
    let at = served.at;
    let asking = async {
        loop {
            let answers = futures_util::future::join_all((0..8).map(|_| ask(at, "?"))).await;
            if let Some(refused) = answers.into_iter().find(|answer| answer.status == 503) {
                return refused;
            }
        }
    };
    let refused = timeout(SOON, asking).await.expect("somebody who is turned away");
    assert!(refused.detail().contains("a share of them is turned away"), "{}", refused.detail());
    assert_eq!(refused.header("retry-after"), Some("1"));
    let log = get(at, CONTROL).await.json()["log"].clone();
    assert!(log[0]["what"].as_str().unwrap().starts_with("the share that is shed from 0.00 to"), "{log}");
    let reason = log[0]["reason"].as_str().unwrap();
    assert!(reason.contains("requests a second come") && !reason.starts_with("0.0 "), "{log}");
    served.end().await.unwrap();
}

#[tokio::test]
async fn nothing_is_said_of_what_is_as_it_should_be() {
    let options = Options { interval: Duration::from_millis(50), ..Options::default() };
    let control = Some(control::Options { mode: Mode::Act, ..control::Options::default() });
    let served = Setup { options, control, ..Setup::default() }.serve().await;
    let mut intervals = 0;
    while intervals < 10 {
        ask(served.at, "?").await;
        intervals = get(served.at, "/api/v1/unified/metrics").await.json()["history"].as_array().unwrap().len();
    }
    let control = get(served.at, CONTROL).await.json();
    assert_eq!((&control["log"], &control["bottleneck"]), (&json!([]), &Value::Null));
    assert_eq!(series(served.at, "consilience_control_most_at_once").await, 100.0);
    served.end().await.unwrap();

    // A service that is set outside of what the controller may set is none of its.
    let control = Some(control::Options::default());
    let error = Setup { most_at_once: 2, control, ..Setup::default() }.builder().build().unwrap_err().to_string();
    assert!(error.contains("the number of requests at a time is 2; it must be in [4, 1024]"), "{error}");
}
