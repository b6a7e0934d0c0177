//! A process that records is killed, again and again; what it had acknowledged is there.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use std::{env, io, thread};

use consilience::learning::State;
use consilience::orchestration::ledger::{Ledger, Options, Query, Recorder};
use rand::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use serde::{Deserialize, Serialize};

use super::{entry, open, place};

/// How often the process is killed.
const KILLS: u32 = 200;

/// Where the process finds the ledger, and the number of its first entry.
const PATH: &str = "CONSILIENCE_TEST_LEDGER";
const FIRST: &str = "CONSILIENCE_TEST_FIRST";

/// Numbers of entries that one process may use.
const EACH: u32 = 1_000_000;

#[derive(Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
struct Seen(u32);

impl State for Seen {
    const KIND: &'static str = "seen";
    const VERSION: u32 = 1;
}

/// The process that is killed: eight writers that record and print what was acknowledged, and one that saves state.
#[test]
#[ignore = "run by `nothing_acknowledged_is_lost_when_the_process_is_killed`"]
fn killed() {
    let path = env::var_os(PATH).expect("the test beside this one sets it");
    let first: u32 = env::var(FIRST).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ledger = Arc::new(Ledger::open(path, Options::default()).unwrap());
    let recorder = Arc::new(Recorder::start(Arc::clone(&ledger)).unwrap());
    let next = Arc::new(AtomicU32::new(first));
    let say = |line: String| {
        let mut out = io::stdout().lock();
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).unwrap();
    };
    for _ in 0..8 {
        let (recorder, next) = (Arc::clone(&recorder), Arc::clone(&next));
        runtime.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let id = recorder.record(&entry(number)).await.unwrap().unwrap();
                say(format!("\nrecorded {id} {number}\n"));
            }
        });
    }
    for number in first.. {
        ledger.save_state("seen", &Seen(number)).unwrap();
        say(format!("\nsaved {number}\n"));
    }
}

/// When a process is killed.
#[derive(Clone, Copy)]
enum Moment {
    AfterStart(Duration),
    AfterFirstAcknowledged(Duration),
}

/// What one process acknowledged before it was killed.
#[derive(Default)]
struct Acknowledged {
    recorded: Vec<(u64, u32)>,
    saved: Option<u32>,
}

fn run_and_kill(path: &Path, first: u32, moment: Moment) -> Acknowledged {
    let name = format!("{}::killed", module_path!().split_once("::").unwrap().1);
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", &name, "--ignored", "--nocapture"])
        .env(PATH, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (begun, begins) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut acknowledged = Acknowledged::default();
        let mut line = Vec::new();
        let mut out = out;
        while out.read_until(b'\n', &mut line).unwrap() > 0 {
            // A line that the kill cut is no acknowledgement.
            if let Some(whole) = line.strip_suffix(b"\n") {
                let words: Vec<&str> = str::from_utf8(whole).unwrap().split(' ').collect();
                match words[..] {
                    ["recorded", id, number] => {
                        // Whoever waits for it may have killed the process meanwhile.
                        let _ = begun.send(());
                        acknowledged.recorded.push((id.parse().unwrap(), number.parse().unwrap()));
                    }
                    ["saved", number] => acknowledged.saved = Some(number.parse().unwrap()),
                    _ => {}
                }
            }
            line.clear();
        }
        acknowledged
    });
    match moment {
        Moment::AfterStart(after) => thread::sleep(after),
        Moment::AfterFirstAcknowledged(after) => {
            begins.recv().expect("it ended by itself");
            thread::sleep(after);
        }
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(status.code().is_none_or(|code| cfg!(windows) && code == 1), "it ended by itself: {status}");
    reader.join().unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let (_directory, path) = place();
    let mut rng = SplitMix64::seed_from_u64(5);
    let mut acknowledged = BTreeMap::new();
    let (mut saved, mut last_saved) = (0, None);
    let mut idle = 0;
    for kill in 0..KILLS {
        let after = Duration::from_micros(rng.random_range(0..60_000));
        // One in four while it starts and opens the ledger, the others while it writes.
        let moment = if kill % 4 == 0 { Moment::AfterStart(after) } else { Moment::AfterFirstAcknowledged(after) };
        let said = run_and_kill(&path, kill * EACH, moment);
        idle += u32::from(said.recorded.is_empty());
        last_saved = said.saved.or(last_saved);
        saved += u32::from(said.saved.is_some());
        let ledger = open(&path);
        ledger.audit().unwrap_or_else(|error| panic!("after kill {kill}: {error}"));
        for (id, number) in said.recorded {
            assert_eq!(acknowledged.insert(id, number), None, "{id} was given twice");
            let kept = ledger.get(id).unwrap().unwrap_or_else(|| panic!("kill {kill} lost {id}"));
            assert_eq!(kept.entry, entry(number), "after kill {kill}");
        }
        let state: Option<Seen> = ledger.load_state("seen").unwrap();
        assert!(state >= last_saved.map(Seen), "kill {kill}: {state:?}, though {last_saved:?} was acknowledged");
    }
    let ledger = open(&path);
    for (&id, &number) in &acknowledged {
        assert_eq!(ledger.get(id).unwrap().unwrap().entry, entry(number));
    }
    assert!(idle <= KILLS / 4 && saved > KILLS / 4, "{idle} of {KILLS} recorded nothing, {saved} saved");
    let newest = ledger.query(&Query::default()).unwrap().next().unwrap().unwrap().id;
    assert!(newest >= *acknowledged.keys().next_back().unwrap());
    assert_eq!(ledger.record(&entry(0)).unwrap(), Some(newest + 1));
    println!("{} acknowledged, {} recorded, {idle} of {KILLS} killed before the first", acknowledged.len(), newest + 1);
}

#[test]
fn a_process_killed_while_it_makes_a_ledger_leaves_none_or_a_whole_one() {
    let mut rng = SplitMix64::seed_from_u64(6);
    let mut made = 0;
    for _ in 0..60 {
        let (_directory, path) = place();
        let after = Duration::from_micros(rng.random_range(0..30_000));
        let said = run_and_kill(&path, 0, Moment::AfterStart(after));
        made += u32::from(path.exists());
        let ledger = open(&path);
        ledger.audit().unwrap();
        let kept = ledger.count(&Query::default()).unwrap();
        assert!(kept >= said.recorded.len() as u64, "{kept} of {}", said.recorded.len());
    }
    println!("{made} of 60 had made it");
}
