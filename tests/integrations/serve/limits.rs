//! What is not let in.

use std::num::NonZeroU32;
use std::time::Duration;

use consilience::serve::{Options, Token};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::client::{Response, ask, get, json, rest, send, series};
use super::served::Setup;
use crate::orchestration::scripted::Act;

const WORD: &str = "0123456789abcdef";

#[tokio::test]
async fn the_token_is_asked_of_everything_that_tells_or_does_something() {
    let served = Setup { token: Some(Token::new(WORD).unwrap()), ..Setup::default() }.serve().await;
    let closed = [
        "POST /api/v1/unified/process",
        "POST /api/v1/unified/feedback",
        "POST /api/v1/fuse",
        "GET /api/v1/unified/strategy",
        "PUT /api/v1/unified/strategy",
        "GET /api/v1/unified/control",
        "PUT /api/v1/unified/control",
        "GET /api/v1/unified/metrics",
        "GET /api/v1/events",
        "GET /metrics",
    ];
    for request in closed {
        for (header, says) in [
            ("", "has no token"),
            ("\r\nauthorization: Bearer 0123456789abcdeF", "not the server's"),
            ("\r\nauthorization: Bearer 0123456789abcde", "not the server's"),
            ("\r\nauthorization: Basic 0123456789abcdef", "has no token"),
            ("\r\nauthorization: 0123456789abcdef", "has no token"),
        ] {
            let refused = send(served.at, &format!("{request} HTTP/1.1{header}"), b"").await;
            assert_eq!(refused.status, 401, "{request} {header}");
            assert!(refused.detail().contains(says), "{request} {header}: {}", refused.detail());
            assert_eq!(refused.header("www-authenticate"), Some("bearer"));
        }
    }
    let head = format!("GET /api/v1/unified/strategy HTTP/1.1\r\nauthorization: bearer {WORD}");
    assert_eq!(send(served.at, &head, b"").await.status, 200);
    for path in ["/", "/health", "/health/live", "/health/ready", "/openapi.json"] {
        assert_eq!(get(served.at, path).await.status, 200, "{path}");
    }
    served.end().await.unwrap();
}

#[tokio::test]
async fn a_server_without_a_token_is_for_its_own_machine() {
    let server = Setup::default().builder().build().unwrap();
    let everywhere = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let error = server.serve(everywhere, std::future::ready(())).await.unwrap_err().to_string();
    assert!(error.contains("the token is missing, while others may connect to 0.0.0.0"), "{error}");
    let server = Setup { token: Some(Token::new(WORD).unwrap()), ..Setup::default() }.builder().build().unwrap();
    let everywhere = TcpListener::bind("0.0.0.0:0").await.unwrap();
    server.serve(everywhere, std::future::ready(())).await.unwrap();

    for word in ["", "short", "0123456789 abcdef", "0123456789abcd\u{e9}"] {
        let error = Token::new(word).unwrap_err().to_string();
        assert!(error.contains("at least 16 printable ASCII characters") && !error.contains("0123"), "{error}");
    }
    assert_eq!(format!("{:?}", Token::new(WORD).unwrap()), "Token(..)");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    assert!(Token::from_file(&path).unwrap_err().is_io());
    std::fs::write(&path, format!("  {WORD}\n")).unwrap();
    Token::from_file(&path).unwrap();
}

#[tokio::test]
async fn bodies_have_a_limit_whether_they_say_their_length_or_not() {
    let options =
        Options { most_request_bytes: 100, most_batch_bytes: 400, most_batches_bytes: 400, ..Options::default() };
    let served = Setup { options, ..Setup::default() }.serve().await;
    let of_length = |length: usize| format!(r#"{{"question": "{}"}}"#, "x".repeat(length - 16));
    assert_eq!(json(served.at, "POST /api/v1/unified/process", &of_length(100)).await.status, 200);
    let refused = json(served.at, "POST /api/v1/unified/process", &of_length(101)).await;
    assert!(refused.status == 413 && refused.detail().contains("100 bytes"), "{}", refused.detail());
    // A quarter of what a batch may have.
    let refused = json(served.at, "POST /api/v1/fuse", &" ".repeat(101)).await;
    assert!(refused.status == 413 && refused.detail().contains("100 bytes"), "{}", refused.detail());

    let mut stream = TcpStream::connect(served.at).await.unwrap();
    let head = "POST /api/v1/unified/process HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
                content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..2 {
        stream.write_all(format!("40\r\n{}\r\n", " ".repeat(64)).as_bytes()).await.unwrap();
    }
    assert_eq!(Response::of(&rest(&mut stream).await).status, 413);

    // Room for one batch of the largest size at a time; who does not say how large his is may send that much.
    let mut stream = TcpStream::connect(served.at).await.unwrap();
    let stream_head = "POST /api/v1/fuse HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
                       content-type: application/vnd.apache.arrow.stream\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(stream_head.as_bytes()).await.unwrap();
    while series(served.at, "consilience_http_in_flight").await < 2.0 {
        tokio::task::yield_now().await;
    }
    let body = r#"{"classes": 2, "sources": [{"labels": [1]}]}"#;
    let full = json(served.at, "POST /api/v1/fuse", body).await;
    assert!(full.status == 503 && full.header("retry-after") == Some("1"), "{}", full.head);
    drop(stream);
    while json(served.at, "POST /api/v1/fuse", body).await.status == 503 {
        tokio::task::yield_now().await;
    }
    served.end().await.unwrap();
}

#[tokio::test]
async fn who_sends_slowly_is_not_waited_for() {
    let (head_time, body_time) = (Duration::from_millis(200), Duration::from_millis(200));
    let served =
        Setup { options: Options { head_time, body_time, ..Options::default() }, ..Setup::default() }.serve().await;
    let began = Instant::now();
    let mut stream = TcpStream::connect(served.at).await.unwrap();
    stream.write_all(b"POST /api/v1/unified/process HTTP/1.1\r\nhost: te").await.unwrap();
    // It may be told so, or cut off.
    rest_or_nothing(&mut stream).await;
    assert!(began.elapsed() >= head_time && began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());

    let mut stream = TcpStream::connect(served.at).await.unwrap();
    let head = "POST /api/v1/unified/process HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let refused = Response::of(&rest(&mut stream).await);
    assert!(refused.status == 408 && refused.detail().contains("200ms"), "{}", refused.detail());

    // One that is idle is closed after the same time.
    let mut stream = TcpStream::connect(served.at).await.unwrap();
    rest_or_nothing(&mut stream).await;
    served.end().await.unwrap();
}

/// Reads until the server closes, whether it says something or not.
async fn rest_or_nothing(stream: &mut TcpStream) {
    use tokio::io::AsyncReadExt;
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(super::client::SOON, stream.read_to_end(&mut bytes)).await.expect("an end");
}

#[tokio::test]
async fn more_than_may_come_is_refused_with_when_to_come_back() {
    let options = Options { most_a_second: NonZeroU32::new(2), ..Options::default() };
    let served = Setup { options, ..Setup::default() }.serve().await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = ask(served.at, "?").await;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert_eq!(answer.header("retry-after"), Some("1"));
            assert!(answer.detail().contains("the 2 in a second"), "{}", answer.detail());
            assert!(answer.json()["retry_after_ms"].as_u64().unwrap() <= 500);
        }
    }
    assert_eq!((statuses[..2].to_vec(), statuses.contains(&429)), (vec![200, 200], true));
    // What is no request for an answer comes through.
    assert_eq!(get(served.at, "/api/v1/unified/metrics").await.status, 200);
    assert!(series(served.at, "consilience_http_requests_total{status=\"429\"}").await >= 1.0);
    served.end().await.unwrap();

    let served = Setup { model: Act::say_after(300, &[0.9, 0.1]), most_at_once: 1, ..Setup::default() }.serve().await;
    let at = served.at;
    let first = tokio::spawn(async move { ask(at, "?").await.status });
    while series(at, "consilience_requests_in_flight").await < 1.0 {
        tokio::task::yield_now().await;
    }
    let full = ask(at, "?").await;
    assert!(full.status == 503 && full.detail().contains("the service is full"), "{}", full.detail());
    assert_eq!(first.await.unwrap(), 200);
    served.end().await.unwrap();
}

#[tokio::test]
async fn who_is_refused_need_not_send_a_body() {
    let options = Options { most_a_second: NonZeroU32::new(1), ..Options::default() };
    let served = Setup { options, ..Setup::default() }.serve().await;
    for path in ["/api/v1/unified/process", "/api/v1/fuse"] {
        // On a slow machine a second goes by, and one more comes in and is waited for.
        let mut refused = None;
        for _ in 0..4 {
            ask(served.at, "?").await;
            let mut stream = TcpStream::connect(served.at).await.unwrap();
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
                 content-type: application/json\r\ncontent-length: 50\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            if let Ok(answer) = tokio::time::timeout(Duration::from_secs(5), rest(&mut stream)).await {
                refused = Some(Response::of(&answer));
                break;
            }
        }
        let refused = refused.unwrap_or_else(|| panic!("{path}: a body is waited for"));
        assert!(refused.status == 429 && refused.detail().contains("the 1 in a second"), "{path}: {}", refused.head);
    }
    served.end().await.unwrap();
}

#[tokio::test]
async fn a_thousand_idle_connections_are_in_nobodys_way() {
    let served = Setup::default().serve().await;
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(TcpStream::connect(served.at).await.unwrap());
    }
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(ask(served.at, "?").await.status, 200);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // Not even in that of the end.
    served.end().await.unwrap();
    drop(idle);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let served =
        Setup { options: Options { most_connections: 2, ..Options::default() }, ..Setup::default() }.serve().await;
    let at = served.at;
    let first = TcpStream::connect(at).await.unwrap();
    let second = TcpStream::connect(at).await.unwrap();
    let third = tokio::spawn(async move { ask(at, "?").await.status });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!third.is_finished());
    drop(first);
    assert_eq!(third.await.unwrap(), 200);
    drop(second);
    served.end().await.unwrap();
}

#[test]
fn options_outside_their_range_are_refused() {
    let second = Duration::from_secs(1);
    let cases = [
        (Options { most_connections: 0, ..Options::default() }, "the number of connections"),
        (Options { most_request_bytes: 0, ..Options::default() }, "the bytes of a request"),
        (Options { most_batches_bytes: 1, ..Options::default() }, "the bytes of all batches"),
        (Options { head_time: Duration::ZERO, ..Options::default() }, "the time for a head"),
        (Options { interval: 100_000 * second, ..Options::default() }, "the interval of measurements"),
    ];
    for (options, says) in cases {
        let error = Setup { options, ..Setup::default() }.builder().build().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let error = Setup::default().builder().labels(["one"]).build().unwrap_err().to_string();
    assert!(error.contains("the list of labels"), "{error}");
}
