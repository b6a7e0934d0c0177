//! The recorded workload: when which tickets came.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::{Failure, whole_file};

/// A request of the workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Milliseconds after the beginning.
    pub at: u64,
    pub kind: Kind,
    /// One ticket, or those of an export.
    pub tickets: Vec<String>,
}

/// What kind of request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A ticket nobody asked about before.
    New,
    /// One that was asked about before, to the letter or nearly so.
    Repeat,
    /// One of many at once, which are about a few tickets.
    Burst,
    /// An export of many tickets that are new.
    Export,
    /// An export that was asked about before, with some tickets exchanged.
    ExportAgain,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::New, Self::Repeat, Self::Burst, Self::Export, Self::ExportAgain];

    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Repeat => "repeat",
            Self::Burst => "burst",
            Self::Export => "export",
            Self::ExportAgain => "export again",
        }
    }
}

const SUBJECTS: [&str; 8] =
    ["My parcel", "The invoice", "Your app", "The router", "My order", "The refund", "Your site", "The card"];
const PROBLEMS: [&str; 6] =
    ["has not arrived", "is wrong again", "does not open", "was charged twice", "works at last", "looks broken"];
const FURTHER: [&str; 4] = [
    "",
    " Can you tell me why?",
    " I have written to you before. Nobody answered. What shall I do now?",
    " It says `code == 42` and then stops. Why does `retry()` not help?",
];

/// The mean time between requests; between those of a burst, in milliseconds.
const BETWEEN: f64 = 2000.0;
const BETWEEN_IN_BURST: f64 = 10.0;

/// So many requests.
pub fn draw(seed: u64, requests: usize) -> Vec<Request> {
    let random = &mut StdRng::seed_from_u64(seed);
    let mut trace: Vec<Request> = Vec::with_capacity(requests);
    let (mut at, mut asked, mut exports) = (0.0, Vec::<String>::new(), Vec::<Vec<String>>::new());
    let mut number = 0;
    while trace.len() < requests {
        at += pause(random, BETWEEN);
        let mut new = |random: &mut StdRng| {
            number += 1;
            ticket(random, number)
        };
        match random.random_range(0..100) {
            // An outage: many write at once, about the same things.
            0..2 => {
                let about: Vec<String> = (0..6).map(|_| new(random)).collect();
                for _ in 0..random.random_range(20..40) {
                    at += pause(random, BETWEEN_IN_BURST);
                    let which = random.random_range(0..about.len());
                    let ticket = reworded(random, &about[which]);
                    trace.push(Request { at: at as u64, kind: Kind::Burst, tickets: vec![ticket] });
                }
                asked.extend(about);
            }
            2..7 => {
                let tickets: Vec<String> = (0..random.random_range(150..250)).map(|_| new(random)).collect();
                exports.push(tickets.clone());
                trace.push(Request { at: at as u64, kind: Kind::Export, tickets });
            }
            7..12 if !exports.is_empty() => {
                let last = exports.len();
                let mut tickets = exports[random.random_range(last.saturating_sub(3)..last)].clone();
                for ticket in &mut tickets {
                    if random.random_bool(0.05) {
                        *ticket = new(random);
                    }
                }
                exports.push(tickets.clone());
                trace.push(Request { at: at as u64, kind: Kind::ExportAgain, tickets });
            }
            12..56 if !asked.is_empty() => {
                // The k-th last 1/k as often as the last.
                let back = (random.random::<f64>() * (asked.len() as f64).ln()).exp() as usize;
                let before = asked[asked.len() - back.clamp(1, asked.len())].clone();
                let ticket = reworded(random, &before);
                trace.push(Request { at: at as u64, kind: Kind::Repeat, tickets: vec![ticket] });
            }
            _ => {
                let ticket = new(random);
                asked.push(ticket.clone());
                trace.push(Request { at: at as u64, kind: Kind::New, tickets: vec![ticket] });
            }
        }
    }
    trace.truncate(requests);
    trace
}

fn pause(random: &mut StdRng, mean: f64) -> f64 {
    -mean * (1.0 - random.random::<f64>()).ln()
}

fn ticket(random: &mut StdRng, number: u32) -> String {
    let mut of = |words: &[&'static str]| words[random.random_range(0..words.len())];
    format!("Ticket {number}: {} {}.{}", of(&SUBJECTS), of(&PROBLEMS), of(&FURTHER))
}

/// The same as it may come again: to the letter, or in capitals, or with other spaces.
fn reworded(random: &mut StdRng, ticket: &str) -> String {
    match random.random_range(0..3) {
        0 => ticket.to_uppercase(),
        1 => ticket.replace(' ', "  "),
        _ => ticket.to_owned(),
    }
}

/// What is the same of all wordings that mean the same.
pub fn canonical(ticket: &str) -> String {
    ticket.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

pub fn read(path: &Path) -> Result<Vec<Request>, Failure> {
    let in_file = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut trace: Vec<Request> = Vec::new();
    for (number, line) in BufReader::new(File::open(path).map_err(|error| in_file(&error))?).lines().enumerate() {
        let line = line?;
        let request: Request =
            serde_json::from_str(&line).map_err(|error| format!("{}, line {}: {error}", path.display(), number + 1))?;
        if request.tickets.is_empty() {
            return Err(format!("{}, line {}: a request of no tickets", path.display(), number + 1).into());
        }
        if trace.last().is_some_and(|last| last.at > request.at) {
            return Err(format!("{}, line {}: a request before the one above it", path.display(), number + 1).into());
        }
        trace.push(request);
    }
    if trace.is_empty() { Err(in_file(&"no requests").into()) } else { Ok(trace) }
}

pub fn write(path: &Path, trace: &[Request]) -> Result<(), Failure> {
    whole_file::write(path, |file| {
        let mut file = std::io::BufWriter::new(file);
        for request in trace {
            serde_json::to_writer(&mut file, request)?;
            file.write_all(b"\n")?;
        }
        Ok(file.flush()?)
    })
}

pub fn summary(trace: &[Request]) -> String {
    let of = |kind: Kind| {
        let its = || trace.iter().filter(move |request| request.kind == kind);
        let tickets: usize = its().map(|request| request.tickets.len()).sum();
        format!("{} {} of {tickets}", its().count(), kind.name())
    };
    let kinds: Vec<String> = Kind::ALL.into_iter().map(of).collect();
    let minutes = trace.last().map_or(0, |last| last.at) as f64 / 60e3;
    format!("{} requests in {minutes:.0} minutes; by kind, with their tickets: {}", trace.len(), kinds.join(", "))
}
