//! How a server ends, and what it says of itself.

use std::num::NonZeroU32;
use std::time::Duration;

use consilience::serve::{Options, Server, Token};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::{Response, SOON, ask, get, rest, send, series};
use super::served::Setup;
use crate::orchestration::scripted::Act;

#[tokio::test]
async fn what_is_under_way_is_answered_before_the_end() {
    let mut served = Setup { model: Act::say_after(300, &[0.9, 0.1]), ..Setup::default() }.serve().await;
    let at = served.at;
    let under_way = tokio::spawn(async move { ask(at, "?").await.status });
    let mut listens = TcpStream::connect(at).await.unwrap();
    listens.write_all(b"GET /api/v1/events HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    while series(at, "consilience_requests_in_flight").await < 1.0 {
        tokio::task::yield_now().await;
    }
    served.tell();
    assert_eq!(under_way.await.unwrap(), 200);
    // Whoever listens hears that it is over.
    let heard = Response::of(&rest(&mut listens).await);
    assert_eq!(heard.status, 200);
    served.end().await.unwrap();
    assert!(TcpStream::connect(at).await.is_err());
}

#[tokio::test]
async fn what_takes_too_long_is_not_waited_for() {
    let options = Options { drain: Duration::from_millis(100), ..Options::default() };
    let served = Setup { model: Act::Never, options, ..Setup::default() }.serve().await;
    let at = served.at;
    let under_way = tokio::spawn(async move { ask(at, "?").await });
    while series(at, "consilience_requests_in_flight").await < 1.0 {
        tokio::task::yield_now().await;
    }
    timeout(Duration::from_secs(3), served.end()).await.unwrap().unwrap();
    let told = under_way.await.unwrap();
    assert!(told.status == 503 && told.detail().contains("shut down"), "{}", told.detail());
}

/// A client that goes away while its answer is being made.
#[tokio::test]
async fn who_goes_away_is_asked_for_no_longer() {
    let served = Setup { model: Act::Never, table: Act::Never, ..Setup::default() }.serve().await;
    let mut stream = TcpStream::connect(served.at).await.unwrap();
    let body = r#"{"question": "?"}"#;
    let head = "POST /api/v1/unified/process HTTP/1.1\r\nhost: test\r\ncontent-type: application/json";
    stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    while series(served.at, "consilience_requests_in_flight").await < 1.0 {
        tokio::task::yield_now().await;
    }
    drop(stream);
    let gone = async {
        while series(served.at, "consilience_requests_total{ending=\"cancelled\"}").await < 1.0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(3), gone).await.unwrap();
    assert_eq!(series(served.at, "consilience_source_calls_total{fate=\"censored\"}").await, 2.0);
    // The scrape itself is in flight.
    assert_eq!(series(served.at, "consilience_http_in_flight").await, 1.0);
    served.end().await.unwrap();
}

/// Paths and methods of the document, and of what is served.
#[tokio::test]
async fn the_document_says_what_is_served() {
    let served = Setup::default().serve().await;
    let document = get(served.at, "/openapi.json").await.json();
    // With a token it is that of all servers; without one it says nothing of it.
    let token = Some(Token::new("0123456789abcdef").unwrap());
    let closed = Setup { token, ..Setup::default() }.serve().await;
    let all: Value = serde_json::from_str(&Server::document()).unwrap();
    assert_eq!(get(closed.at, "/openapi.json").await.json(), all);
    closed.end().await.unwrap();
    let process = |document: &Value| document["paths"]["/api/v1/unified/process"]["post"].clone();
    assert_eq!(process(&all)["security"], serde_json::json!([{ "token": [] }]));
    assert!(process(&all)["responses"]["401"].is_object());
    assert!(process(&document)["security"].is_null() && process(&document)["responses"]["401"].is_null());
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push(format!("{} {path}", method.to_uppercase()));
            let responses = operation["responses"].as_object().unwrap();
            let body = if operation["requestBody"].is_null() { "" } else { "\r\ncontent-type: application/json" };
            let answered = if path.ends_with("events") {
                let mut stream = TcpStream::connect(served.at).await.unwrap();
                stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").as_bytes()).await.unwrap();
                let mut bytes = vec![0; 4096];
                let read = timeout(SOON, stream.read(&mut bytes)).await.unwrap().unwrap();
                Response::of(&bytes[..read])
            } else {
                send(served.at, &format!("{} {path} HTTP/1.1{body}", method.to_uppercase()), b"{}").await
            };
            assert!(responses.contains_key(&answered.status.to_string()), "{method} {path}: {}", answered.head);
            let kind = answered.header("content-type").map(|kind| kind.split(';').next().unwrap().to_owned());
            let content = &responses[&answered.status.to_string()]["content"];
            let listed = kind.as_ref().is_none_or(|kind| content.get(kind).is_some());
            assert!(listed, "{method} {path}: {kind:?} is none of {content}");
        }
    }
    found.sort();
    let expected = [
        "GET /api/v1/events",
        "GET /api/v1/unified/control",
        "GET /api/v1/unified/metrics",
        "GET /api/v1/unified/strategy",
        "GET /health",
        "GET /health/live",
        "GET /health/ready",
        "GET /metrics",
        "POST /api/v1/fuse",
        "POST /api/v1/unified/feedback",
        "POST /api/v1/unified/process",
        "PUT /api/v1/unified/control",
        "PUT /api/v1/unified/strategy",
    ];
    assert_eq!(found, expected);
    served.end().await.unwrap();
}

#[tokio::test]
async fn what_fails_and_what_is_refused_are_counted_apart() {
    let options =
        Options { interval: Duration::from_millis(200), most_a_second: NonZeroU32::new(1), ..Options::default() };
    let served = Setup { model: Act::Fail, table: Act::Fail, options, ..Setup::default() }.serve().await;
    let mut statuses = Vec::new();
    while !(statuses.contains(&502) && statuses.contains(&429)) {
        statuses.push(ask(served.at, "?").await.status);
    }
    let count = |status: u16| statuses.iter().filter(|of| **of == status).count() as u64;
    let sum = |status: &Value, field: &str| -> u64 {
        let history = status["history"].as_array().unwrap().iter();
        history.map(|interval| interval[field].as_u64().unwrap()).sum()
    };
    let counted = async {
        loop {
            let status = get(served.at, "/api/v1/unified/metrics").await.json();
            if sum(&status, "requests") == statuses.len() as u64 {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let status = timeout(SOON, counted).await.expect("all of them");
    assert_eq!((sum(&status, "errors"), sum(&status, "refused")), (count(502), count(429)));
    served.end().await.unwrap();
}

#[tokio::test]
async fn what_is_measured_is_what_happened() {
    let options = Options { interval: Duration::from_millis(400), ..Options::default() };
    let served = Setup { table: Act::say_after(20, &[0.6, 0.4]), options, ..Setup::default() }.serve().await;
    for _ in 0..5 {
        assert_eq!(ask(served.at, "?").await.status, 200);
    }
    assert_eq!(series(served.at, "consilience_http_seconds_count{route=\"process\"}").await, 5.0);
    assert!(series(served.at, "consilience_http_seconds_sum{route=\"process\"}").await >= 0.1);
    // Each took 20 ms and more.
    assert_eq!(series(served.at, "consilience_http_seconds_bucket{route=\"process\",le=\"0.016\"}").await, 0.0);
    assert!(series(served.at, "process_resident_memory_bytes").await > 1e6);
    assert_eq!(series(served.at, "consilience_ready").await, 1.0);
    let status = loop {
        let status = get(served.at, "/api/v1/unified/metrics").await.json();
        if !status["window"].is_null() {
            break status;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let of = |field: &str| {
        let history = status["history"].as_array().unwrap();
        history.iter().map(|interval| interval[field].as_f64().unwrap()).sum::<f64>()
    };
    assert_eq!((of("requests"), of("errors"), of("refused")), (5.0, 0.0, 0.0));
    let busy = status["history"].as_array().unwrap().iter().find(|interval| interval["requests"] != 0).unwrap();
    assert!(busy["p50_ms"].as_f64().unwrap() >= 19.8, "{busy}");
    assert_eq!(
        (&status["sources"][1]["name"], &status["sources"][1]["calls"]),
        (&Value::from("table"), &Value::from(5))
    );
    served.end().await.unwrap();
}
