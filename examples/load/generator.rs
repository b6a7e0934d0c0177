//! Runs of load.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;

use crate::agreement::{Agreement, Buckets};
use crate::args::{Args, Arrivals, What};
use crate::connection::{Answer, Connection};
use crate::exposition::Exposition;
use crate::schedule::{Arrival, Schedule};
use crate::tally::{Ending, Tally, Times};
use crate::target::Target;
use crate::{Failure, machine};

/// Requests a second, beside the load, that ask for next to nothing.
const PROBES: f64 = 100.0;
/// How long a scrape may take.
const SCRAPE: Duration = Duration::from_secs(5);
/// How long the server may take to count a request after its last byte has come.
const COUNTED: Duration = Duration::from_secs(1);
/// How long a run waits for its threads before the first request is due.
const START: Duration = Duration::from_millis(20);
/// The stack of a thread that holds one connection.
const STACK: usize = 256 << 10;

/// Puts load on a server, over connections that outlive a run.
#[derive(Debug)]
pub struct Generator {
    target: Target,
    what: What,
    arrivals: Arrivals,
    timeout: Duration,
    /// Of the next run.
    seed: u64,
    connections: Vec<Connection>,
    prober: Connection,
    scraper: Connection,
    /// Requests of all runs.
    requests: u64,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Done {
    pub tally: Tally,
    /// From when a request for next to nothing was sent until its answer was there.
    pub outside: Times,
    /// From the beginning until the last request ended, or what was asked for where that is longer.
    pub span: Duration,
    /// What this process had of all cores.
    pub cpu: Option<Duration>,
}

/// What the threads of a run share.
#[derive(Debug)]
struct Run<'a> {
    target: &'a Target,
    schedule: Schedule,
    began: Instant,
    timeout: Duration,
    tally: Mutex<Tally>,
}

impl Generator {
    pub fn new(args: &Args) -> Result<Self, Failure> {
        Ok(Self {
            target: Target::new(args)?,
            what: args.what,
            arrivals: args.arrivals,
            timeout: args.timeout(),
            seed: args.seed,
            connections: (0..args.connections).map(|_| Connection::new()).collect::<Result<_, _>>()?,
            prober: Connection::new()?,
            scraper: Connection::new()?,
            requests: 0,
        })
    }

    /// Asks once, so that no load is put on what would refuse all of it: another server, or one with another token.
    pub fn knock(&mut self) -> Result<(), Failure> {
        let asked = self.scraper.ask(&self.target, self.target.request(self.requests), self.timeout);
        self.requests += 1;
        match asked {
            // Turned away for now: there is too much else, and that is for the load to show.
            Ok(Answer { status: 200..=299 | 429 | 500.., .. }) => Ok(()),
            Ok(Answer { status, body }) => {
                Err(format!("the server answers {status} to a first request: {}", String::from_utf8_lossy(&body))
                    .into())
            }
            Err(ending) => Err(format!("a first request to the server: {ending}").into()),
        }
    }

    /// Load of so many requests a second for so long, and until all of them have ended.
    pub fn run(&mut self, rate: f64, length: Duration) -> Result<Done, Failure> {
        self.run_and_tell(rate, length, length, |_, _, _| Ok(()))
    }

    /// The same; after every interval it tells when that ended, and what became of the requests that ended in it. Asked
    /// for within are the server's own figures.
    pub fn run_and_tell(
        &mut self,
        rate: f64,
        length: Duration,
        interval: Duration,
        mut tell: impl FnMut(Duration, &Tally, Result<Exposition, Failure>) -> Result<(), Failure>,
    ) -> Result<Done, Failure> {
        let Self { connections, prober, scraper, .. } = self;
        let target = &self.target;
        let first = self.requests;
        let cpu = machine::cpu_time();
        let run = Run::new(target, Schedule::new(self.arrivals, rate, length, self.seed), self.timeout)?;
        let probes = Schedule::new(Arrivals::Constant, PROBES, length, 0);
        let probes = Run { began: run.began, ..Run::new(target, probes, self.timeout)? };
        let mut whole = Tally::new()?;
        let told = thread::scope(|scope| {
            let start = || {
                let builder = || Builder::new().stack_size(STACK);
                for connection in connections {
                    let run = &run;
                    builder().spawn_scoped(scope, move || run.work(connection, |n| target.request(first + n)))?;
                }
                builder().spawn_scoped(scope, || probes.work(prober, |_| target.live()))?;
                let mut end = interval;
                while end < length {
                    run.sleep_until(end);
                    let part = run.take();
                    whole.add(&part);
                    tell(end, &part, scrape(scraper, target))?;
                    end += interval;
                }
                Ok(())
            };
            let told: Result<(), Failure> = start();
            if told.is_err() {
                run.schedule.stop();
                probes.schedule.stop();
            }
            told
        });
        told?;
        let span = run.elapsed().max(length);
        let rest = run.take();
        whole.add(&rest);
        if interval < length {
            tell(span, &rest, scrape(scraper, target))?;
        }
        self.requests += run.schedule.handed_out();
        self.seed = self.seed.wrapping_add(1);
        let cpu = machine::cpu_time().zip(cpu).map(|(after, before)| after.saturating_sub(before));
        Ok(Done { tally: whole, outside: probes.take().service, span, cpu })
    }

    /// The server's own figures.
    pub fn scrape(&mut self) -> Result<Exposition, Failure> {
        scrape(&mut self.scraper, &self.target)
    }

    /// Compares a run with what the server has measured since `before`.
    pub fn compare(&mut self, before: Result<Exposition, Failure>, done: &Done) -> Result<Agreement, Failure> {
        if self.what != What::Process {
            return Err("a large body takes long before the server's clock begins; questions are compared only".into());
        }
        let before = Buckets::of_process(&before?)?;
        let asked = Instant::now();
        loop {
            let there = Buckets::of_process(&self.scrape()?)?.since(&before)?;
            if there.total() >= done.tally.service.len() || asked.elapsed() > COUNTED {
                return Agreement::of(done, &there);
            }
            thread::sleep(COUNTED / 20);
        }
    }
}

fn scrape(scraper: &mut Connection, target: &Target) -> Result<Exposition, Failure> {
    let answer = scraper.ask(target, target.metrics(), SCRAPE).map_err(|ending| format!("/metrics: {ending}"))?;
    match answer.status {
        200 => Ok(Exposition::new(String::from_utf8_lossy(&answer.body).into_owned())),
        status => Err(format!("/metrics: {status}").into()),
    }
}

impl<'a> Run<'a> {
    fn new(target: &'a Target, schedule: Schedule, timeout: Duration) -> Result<Self, Failure> {
        Ok(Self { target, schedule, began: Instant::now() + START, timeout, tally: Mutex::new(Tally::new()?) })
    }

    /// Sends what is due, one after the other, until there is no more.
    fn work(&self, connection: &mut Connection, request: impl Fn(u64) -> Request<Full<Bytes>>) {
        while let Some(Arrival { number, at: due }) = self.schedule.next() {
            let is_free = Instant::now() <= self.began + due;
            let request = request(number);
            self.sleep_until(due);
            let sent = self.elapsed();
            let left = (due + self.timeout).saturating_sub(sent);
            let ending = if left.is_zero() {
                Ending::Unsent
            } else {
                connection
                    .ask(self.target, request, left)
                    .map_or_else(|ending| ending, |answer| Ending::Answered(answer.status))
            };
            let ended = self.elapsed();
            let mut tally = self.tally();
            let lag = sent.saturating_sub(due);
            if is_free {
                tally.late.record(lag)
            } else {
                tally.queued.record(lag)
            }
            tally.count(due, sent, ended, ending);
        }
    }

    /// Zero before it has begun.
    fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(self.began)
    }

    fn sleep_until(&self, time: Duration) {
        thread::sleep((self.began + time).saturating_duration_since(Instant::now()));
    }

    /// What was counted since the last time.
    fn take(&self) -> Tally {
        let mut tally = self.tally();
        let taken = tally.clone();
        tally.clear();
        taken
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        // Nothing is left half done where the lock is held.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Done {
    /// An error where more failed than may.
    pub fn within(&self, most_errors: u64) -> Result<(), Failure> {
        let errors = self.tally.errors();
        if errors <= most_errors {
            return Ok(());
        }
        let each: Vec<String> = self
            .tally
            .endings
            .iter()
            .filter(|(ending, _)| !ending.is_success())
            .map(|(ending, count)| format!("{count} {ending}"))
            .collect();
        Err(format!("{errors} of {} requests failed: {}", self.tally.requests(), each.join(", ")).into())
    }
}
