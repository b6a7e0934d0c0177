//! A server that is killed under load, and started again.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use consilience::orchestration::ledger::{Ledger, Options as LedgerOptions};
use consilience::serve::Options;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::client::{Response, ask, get, json};
use super::served::Setup;
use crate::orchestration::scripted::Act;

/// Where the process finds the ledger.
const PATH: &str = "CONSILIENCE_TEST_SERVED_LEDGER";

/// How often it is killed.
const KILLS: usize = 3;

/// The process that is killed: it says where it listens, and serves.
#[test]
#[ignore = "run by `a_killed_server_has_what_it_acknowledged_and_learned`"]
fn killed() {
    let path = env::var_os(PATH).expect("the test beside this one sets it");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Arc::new(Ledger::open(path, LedgerOptions { verify: false, ..LedgerOptions::default() }).unwrap());
        let options = Options { save_every: Duration::from_millis(50), ..Options::default() };
        let setup = Setup { table: Act::say(&[0.4, 0.6]), options, ledger: Some(ledger), ..Setup::default() };
        let served = setup.serve().await;
        println!("\nlistens at {}", served.at);
        std::future::pending::<()>().await;
    });
}

/// A process, which is killed when it is dropped.
struct Server {
    process: Child,
    at: SocketAddr,
}

impl Server {
    fn start(ledger: &Path) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["integrations::serve::killed::killed", "--exact", "--ignored", "--nocapture"])
            .env(PATH, ledger)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let at = said.lines().find_map(|line| line.unwrap().strip_prefix("listens at ").map(str::to_owned));
        Self { process, at: at.expect("where it listens").parse().unwrap() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Asks on one connection until it is told to stop, or the server is gone; the entries that were acknowledged, with what was
/// answered.
async fn acknowledged(at: SocketAddr, enough: Arc<AtomicBool>) -> Vec<(u64, f32)> {
    let mut found = Vec::new();
    let Ok(mut stream) = TcpStream::connect(at).await else { return found };
    let body = r#"{"question": "cat or dog?"}"#;
    let head = "POST /api/v1/unified/process HTTP/1.1\r\nhost: test\r\ncontent-type: application/json";
    let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut bytes = vec![0; 1 << 16];
    while !enough.load(Ordering::Relaxed) {
        if stream.write_all(request.as_bytes()).await.is_err() {
            break;
        }
        // An answer is one write of the server's.
        let Ok(read @ 1..) = stream.read(&mut bytes).await else { break };
        let answer = Response::of(&bytes[..read]).json();
        let posterior = answer["posterior"][0].as_f64().unwrap() as f32;
        found.push((answer["recorded"]["id"].as_u64().unwrap(), posterior));
    }
    found
}

async fn weights(at: SocketAddr) -> Vec<f64> {
    let status = get(at, "/api/v1/unified/metrics").await.json();
    status["sources"].as_array().unwrap().iter().map(|source| source["weight"].as_f64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_has_what_it_acknowledged_and_learned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.redb");
    let mut all = Vec::new();
    let mut learned = None;
    for kill in 0..KILLS {
        let began = Instant::now();
        let server = Server::start(&path);
        assert_eq!(get(server.at, "/health/ready").await.status, 200);
        println!("ready after {:?}, with {} entries", began.elapsed(), all.len());
        if let Some(learned) = learned {
            assert_eq!(weights(server.at).await, learned, "kill {kill}");
        }
        // Twelve lessons at first, for weights move from the tenth on.
        for _ in 0..12 {
            let answer = ask(server.at, "cat or dog?").await.json();
            all.push((answer["recorded"]["id"].as_u64().unwrap(), answer["posterior"][0].as_f64().unwrap() as f32));
            let truth = json!({ "request": answer["request"], "truth": 0 }).to_string();
            assert_eq!(json(server.at, "POST /api/v1/unified/feedback", &truth).await.status, 204);
        }
        learned = Some(weights(server.at).await);
        assert!(learned.as_ref().unwrap()[0] > 0.6);
        let enough = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..8).map(|_| tokio::spawn(acknowledged(server.at, Arc::clone(&enough)))).collect();
        // Ten times as long as until it is saved.
        sleep(Duration::from_millis(500)).await;
        drop(server);
        enough.store(true, Ordering::Relaxed);
        let before = all.len();
        for client in clients {
            all.extend(client.await.unwrap());
        }
        assert!(all.len() > before + 8, "the load was none");
    }
    let ledger = Ledger::open(&path, LedgerOptions::default()).unwrap();
    ledger.audit().unwrap();
    for (id, posterior) in all {
        assert_eq!(ledger.get(id).unwrap().unwrap_or_else(|| panic!("{id} is lost")).entry.posterior[0], posterior);
    }
}
