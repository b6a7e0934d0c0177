//! Messages of customers sorted over HTTP: five sources that answer at once, a service that learns whom to trust, a ledger, and
//! the server of `consilience::serve` in front of them.
//!
//! ```sh
//! cargo run --release --features serve --example serve
//! ```
//!
//! Then open <http://127.0.0.1:8080/>, or ask:
//!
//! ```sh
//! curl -H 'content-type: application/json' -d '{"question": "Why is my parcel late?"}' \
//!     http://127.0.0.1:8080/api/v1/unified/process
//! ```
//!
//! `--slow` and `--fail` make a source misbehave for a while, to see what becomes of it. With the feature
//! `burn-optim` as well, a small network forecasts the load.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod fault;
mod sources;

use std::error::Error;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use consilience::Engine;
use consilience::orchestration::control::{self, Forecaster, Governed, Horizon, Mode};
use consilience::orchestration::ledger::{self, Ledger, Recorder};
use consilience::orchestration::parallel_fusion::{self, Fate};
use consilience::orchestration::router::{self, Group, Strategy};
use consilience::orchestration::telemetry::{Exporter, Telemetry};
use consilience::orchestration::{Service, Source, service};
use consilience::serve::{Options, Server, Token};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use self::fault::Fault;

/// What a program may fail with.
type Failure = Box<dyn Error>;

/// Messages of customers sorted over HTTP.
#[derive(Debug, Parser)]
struct Args {
    /// Where to listen; anywhere but on this machine alone needs a token.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// A file with the token that requests must have; else it is the environment variable `CONSILIENCE_TOKEN`, if it is set.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// The file for answers and for what is learned; else nothing is kept.
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// Entries that the ledger keeps, the newest.
    #[arg(long, default_value_t = 200_000)]
    most_entries: u64,
    /// Requests in a second, at most.
    #[arg(long)]
    most_a_second: Option<NonZeroU32>,
    /// Requests at a time, at most.
    #[arg(long, default_value_t = 512)]
    most_at_once: usize,
    /// Waits for every source for up to five seconds, and not only until the decision cannot change.
    #[arg(long)]
    patient: bool,
    /// How far the controller goes: observe, advise or act.
    #[arg(long, default_value = "advise", value_parser = mode)]
    control: Mode,
    /// Makes a source slow: its name, by how many milliseconds, from which second on and for how many.
    #[arg(long, value_name = "NAME=MS@FROM+FOR")]
    slow: Vec<Fault>,
    /// Makes a source fail: its name, how many of a hundred calls, from which second on and for how many.
    #[arg(long, value_name = "NAME=PERCENT@FROM+FOR")]
    fail: Vec<Fault>,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(args: Args) -> Result<(), Failure> {
    let exporter = Exporter::new();
    if !exporter.install() {
        return Err("something else gathers metrics already".into());
    }
    let engine = Arc::new(Engine::auto()?);
    let token = match &args.token_file {
        Some(path) => Some(Token::from_file(path)?),
        None => std::env::var("CONSILIENCE_TOKEN").ok().map(|word| Token::new(&word)).transpose()?,
    };
    let ledger = args.ledger.as_ref().map(|path| open(path, args.most_entries)).transpose()?;

    let options = service::Options {
        fusion: if args.patient {
            parallel_fusion::Options::parallel_fusion()
        } else {
            parallel_fusion::Options::low_latency()
        },
        router: router::Options { strategy: Strategy::ParallelFusion, ..router::Options::default() },
        most_at_once: args.most_at_once,
        ..service::Options::default()
    };
    let [words, readers] = sources::groups(&args.slow, &args.fail)?;
    let governed: Vec<Arc<Governed<str>>> = words.iter().chain(&readers).cloned().collect();
    let mut service = Service::builder(Arc::clone(&engine), sources::CLASSES.len())
        .options(options)
        .group(Group::runtime("words"), of(words))
        .group(Group::ai("readers"), of(readers))
        .telemetry(Arc::new(Telemetry::new(Fate::Censored)));
    if let Some(ledger) = &ledger {
        service = service.recorder(Arc::new(Recorder::start(Arc::clone(ledger))?));
    }
    let service = Arc::new(service.build()?);

    let options = Options { most_a_second: args.most_a_second, ..Options::default() };
    let mut server =
        Server::builder(service, Arc::clone(&engine)).labels(sources::CLASSES).options(options).exporter(exporter);
    let control = control::Options { mode: args.control, ..control::Options::default() };
    server = server.governed(governed).control(control).forecaster(forecaster()?);
    if let Some(token) = token {
        server = server.token(token);
    }
    if let Some(ledger) = ledger {
        server = server.ledger(ledger);
    }
    let server = server.build()?;
    let listener =
        TcpListener::bind(args.listen).await.map_err(|error| format!("cannot listen at {}: {error}", args.listen))?;
    println!("{}", engine.describe());
    let at = listener.local_addr()?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    server
        .serve(listener, async move {
            // Nobody waits for the end before there is a beginning.
            println!("Listening at http://{at}/");
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            println!("Ending.");
        })
        .await?;
    Ok(())
}

/// What predicts the load of each minute: a network of burn where it is built in and better than the last value, else that.
fn forecaster() -> Result<Forecaster, Failure> {
    #[cfg(feature = "burn-optim")]
    let candidate = {
        use consilience::burn::{Autoregression, AutoregressionOptions};
        Autoregression::new(AutoregressionOptions::default())?
    };
    #[cfg(not(feature = "burn-optim"))]
    let candidate = control::LastValue;
    Ok(Forecaster::new(Box::new(candidate), Horizon::default())?)
}

/// The sources as a service takes them.
fn of(governed: Vec<Arc<Governed<str>>>) -> Vec<Arc<dyn Source<str>>> {
    governed.into_iter().map(|source| source as Arc<dyn Source<str>>).collect()
}

fn mode(name: &str) -> Result<Mode, String> {
    let modes = [("observe", Mode::Observe), ("advise", Mode::Advise), ("act", Mode::Act)];
    let found = modes.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, mode)| mode).ok_or_else(|| "it is observe, advise or act".to_owned())
}

/// A ledger that is there soon, however much it holds: it was written by this program and no other.
fn open(path: &PathBuf, most_entries: u64) -> Result<Arc<Ledger>, Failure> {
    let options = ledger::Options { most_entries: Some(most_entries), verify: false, ..ledger::Options::default() };
    Ok(Arc::new(Ledger::open(path, options)?))
}
