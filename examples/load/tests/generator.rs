use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use clap::Parser;

use super::server::{Server, Text};
use crate::args::Args;
use crate::generator::Generator;
use crate::tally::{Ending, Tally};

const SECOND: Duration = Duration::from_secs(1);

fn args(url: &str, more: &[&str]) -> Args {
    Args::parse_from(["load", "--url", url].into_iter().chain(more.iter().copied()))
}

fn ok() -> Text {
    (200, "{}".to_owned())
}

fn count(tally: &Tally, ending: Ending) -> u64 {
    tally.endings.get(&ending).copied().unwrap_or_default()
}

/// A server stalls once for a second while 100 requests a second are due: about 100 were delayed, by up to a second, one
/// as likely as the other. So it must come out with many connections, of which each waits for one answer, and with few, for
/// which the others have to wait to be sent.
#[test]
fn a_stall_delays_all_requests_that_were_due_in_it() {
    for connections in ["256", "2"] {
        let server = Server::start(|_, _, at| async move {
            // A request that comes in the stall waits for its end.
            let stall = SECOND..2 * SECOND;
            if stall.contains(&at) {
                tokio::time::sleep(stall.end - at).await;
            }
            ok()
        });
        let args = args(&server.url(), &["--connections", connections]);
        let done = Generator::new(&args).unwrap().run(100.0, 3 * SECOND).unwrap();
        let latency = &done.tally.latency;
        assert_eq!((latency.len(), done.tally.errors()), (300, 0));
        // Others are done in a few milliseconds, so 2 or 3 of those in the stall are not told from them. A machine that is
        // busy with something else delays more, never fewer.
        for (longer_than, least) in [(50, 90), (250, 70), (500, 45), (750, 20)] {
            let delayed = latency.longer_than(Duration::from_millis(longer_than));
            assert!(
                (least..=least + 60).contains(&delayed),
                "{delayed} took over {longer_than} ms, not {least} or more"
            );
        }
        let longest = latency.quantile(1.0).unwrap();
        assert!(longest > Duration::from_millis(900) && longest < 2 * SECOND, "{longest:?}");
        let queued = done.tally.queued.len();
        assert!(if connections == "2" { queued >= 85 } else { queued < 85 }, "{queued} of {connections} connections");
    }
}

#[test]
fn failures_are_counted_by_kind() {
    let server = Server::start(|_, body, _| async move {
        let question: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let number: u64 = question["question"].as_str().unwrap_or("0").parse().unwrap();
        match number % 4 {
            1 => (503, String::new()),
            2 => {
                tokio::time::sleep(60 * SECOND).await;
                ok()
            }
            3 => panic!("the connection is cut off"),
            _ => ok(),
        }
    });
    let args = args(&server.url(), &["--question", "{}", "--timeout", "2"]);
    let done = Generator::new(&args).unwrap().run(40.0, SECOND).unwrap();
    let of = |ending| count(&done.tally, ending);
    let counts = [Ending::Answered(200), Ending::Answered(503), Ending::TimedOut, Ending::Broken].map(of);
    assert_eq!(counts, [10, 10, 10, 10], "{:?}", done.tally.endings);
    // Only what succeeded has a latency; what was answered has a time of service.
    assert_eq!((done.tally.latency.len(), done.tally.service.len()), (10, 20));
    assert_eq!(done.tally.errors(), 30);
    done.within(30).unwrap();
    let error = done.within(29).unwrap_err().to_string();
    assert_eq!(error, "30 of 40 requests failed: 10 503, 10 cut off, 10 timed out");
}

/// Whoever closes a connection while nothing is under way has lost no request, and no request may fail for it.
#[test]
fn a_connection_that_was_closed_meanwhile_is_opened_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        // One answer for each connection, which does not say that it is the last. The end comes when nobody listens.
        while let Ok((mut stream, _)) = listener.accept() {
            thread::spawn(move || {
                let mut request = Vec::new();
                while !request.ends_with(b"}") && !request.starts_with(b"GET") {
                    let mut part = [0; 1024];
                    let Ok(len @ 1..) = stream.read(&mut part) else { break };
                    request.extend_from_slice(&part[..len]);
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap_or_default();
                thread::sleep(Duration::from_millis(20));
            });
        }
    });
    let done = Generator::new(&args(&url, &["--connections", "1"])).unwrap().run(10.0, SECOND).unwrap();
    assert_eq!(count(&done.tally, Ending::Answered(200)), 10, "{:?}", done.tally.endings);
}

#[test]
fn no_load_is_put_on_what_would_refuse_it() {
    for (status, is_fine) in [(200, true), (503, true), (429, true), (401, false), (404, false), (422, false)] {
        let server = Server::start(move |_, _, _| async move { (status, "why".to_owned()) });
        let knocked = Generator::new(&args(&server.url(), &[])).unwrap().knock();
        assert_eq!(knocked.is_ok(), is_fine, "{status}");
        if let Err(error) = knocked {
            assert_eq!(error.to_string(), format!("the server answers {status} to a first request: why"));
        }
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Generator::new(&args(&format!("http://{free}"), &[])).unwrap().knock().unwrap_err();
    assert_eq!(error.to_string(), "a first request to the server: not connected");
}

#[test]
fn where_nobody_listens_no_connection_comes_about() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let done = Generator::new(&args(&format!("http://{free}"), &[])).unwrap().run(20.0, SECOND).unwrap();
    assert_eq!(count(&done.tally, Ending::Connect), 20, "{:?}", done.tally.endings);
}

#[test]
fn what_no_connection_was_free_for_in_time_is_an_error_and_ends_the_run() {
    let server = Server::start(|_, _, _| async {
        tokio::time::sleep(60 * SECOND).await;
        ok()
    });
    let args = args(&server.url(), &["--connections", "1", "--timeout", "0.3"]);
    let done = Generator::new(&args).unwrap().run(1000.0, SECOND / 2).unwrap();
    let (timed_out, unsent) = (count(&done.tally, Ending::TimedOut), count(&done.tally, Ending::Unsent));
    assert_eq!(timed_out + unsent, 500);
    // The first takes all of its time, the second and so on what is left of theirs: nothing or a millisecond.
    assert!(timed_out >= 1 && unsent >= 50, "{timed_out}, {unsent}");
    assert!(done.span < 2 * SECOND, "{:?}", done.span);
}

#[test]
fn numbers_run_on_from_run_to_run_and_the_token_is_sent() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let server = Server::start({
        let seen = Arc::clone(&seen);
        move |path, body, _| {
            if path == "/below/api/v1/unified/process" {
                seen.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
            }
            async { ok() }
        }
    });
    let args = args(&format!("{}/below/", server.url()), &["--question", "n {}", "--deadline", "250"]);
    let mut generator = Generator::new(&args).unwrap();
    for _ in 0..3 {
        generator.run(20.0, SECOND / 2).unwrap();
    }
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    let mut expected: Vec<String> =
        (0..30).map(|n| format!("{{\"deadline_ms\":250,\"question\":\"n {n}\"}}")).collect();
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn intervals_add_up_to_the_whole() {
    let server = Server::start(|_, _, _| async { ok() });
    let mut told = Vec::new();
    let mut generator = Generator::new(&args(&server.url(), &["--connections", "4"])).unwrap();
    let done = generator
        .run_and_tell(100.0, 2 * SECOND, SECOND / 2, |end, tally, _| {
            told.push((end, tally.latency.len()));
            Ok(())
        })
        .unwrap();
    assert_eq!(told.len(), 4);
    assert_eq!(told.iter().map(|(_, n)| n).sum::<u64>(), 200);
    assert_eq!(done.tally.latency.len(), 200);
    assert_eq!(told[0].0, SECOND / 2);
    assert!(told.iter().all(|(_, n)| n.abs_diff(50) <= 25), "{told:?}");
    // Beside the load there were probes.
    assert_eq!(done.outside.len(), 200);
    // Four, that of the probes and that of the scrapes, all kept alive.
    assert!(server.connections.load(Relaxed) <= 6, "{}", server.connections.load(Relaxed));
}

#[test]
fn who_cannot_be_asked_is_said_at_once() {
    for (url, expected) in [
        ("https://localhost", "plain HTTP"),
        ("localhost:8080", "plain HTTP"),
        ("http://no.such.host.invalid", "no.such.host.invalid"),
    ] {
        let error = Generator::new(&args(url, &[])).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("write it like"), "{error}");
    }
    let error = Generator::new(&args("http://127.0.0.1", &["--token-file", "/no/such/file"])).unwrap_err().to_string();
    assert!(error.starts_with("/no/such/file: "), "{error}");
}
