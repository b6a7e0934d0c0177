//! Eight thoughts and their synthesis, of a model behind HTTP: one after the other, and side by side.
//!
//! ```sh
//! cargo run --release --features http --example iterate
//! cargo run --release --features http --example iterate -- --url http://localhost:11434/v1 --model llama3.2
//! ```
//!
//! The questions are handwritten digits, drawn in characters. Without `--url` a server of its own answers them over HTTP
//! like a chat service: a small classifier that is trained when it starts, sees of each picture what the temperature
//! leaves, and takes its time, so many calls at once. The time that is measured is real time, waited for.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod args;
mod chat;
#[path = "../batch_fusion/digits.rs"]
#[expect(dead_code, reason = "places in the data set are for files")]
mod digits;
mod drawing;
mod model;
mod pass;
#[path = "../../src/methods/random.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod random;
mod report;
mod server;
mod view;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use consilience::http::{CLASS_AND_CONFIDENCE, ChatOptions, ChatSource};
use consilience::orchestration::Source;
use consilience::orchestration::iteration::Order;
use tokio::runtime::Builder;

use self::args::{Args, Orders};
use self::chat::Chat;
use self::digits::{CLASSES, Digits};
use self::model::Model;
use self::pass::Pass;
use self::server::Server;

/// What a program may fail with.
type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let digits = Digits::split(args.seed);
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (server, base, name) = match (&args.url, &args.model) {
            (Some(url), Some(model)) => {
                println!("Asked is {model} at {url}.");
                (None, url.clone(), model.clone())
            }
            _ => {
                let model = Model::train(&digits.train, &digits.calibration, args.temperature, args.seed);
                println!("{}", model.made);
                let chat = Chat { model, service_time: args.service_time() };
                let server = Server::start(chat, usize::from(args.at_once)).await?;
                println!(
                    "It answers at {}, {} calls at a time, each in half to one and a half times {} ms.",
                    server.base(),
                    args.at_once,
                    args.service_time
                );
                let base = server.base();
                (Some(server), base, "digits".to_owned())
            }
        };
        println!();
        let options = ChatOptions {
            system: CLASS_AND_CONFIDENCE.to_owned(),
            temperature: Some(args.temperature),
            seed: Some(args.seed as u32),
            ..ChatOptions::default()
        };
        let classes = (0..CLASSES).map(|class| class.to_string());
        let source: Arc<dyn Source<str>> = Arc::new(ChatSource::open(name.as_str(), &base, &*name, classes, options)?);

        let sequential = Order::Sequential { alike: None };
        let parallel = Order::Parallel { at_once: args.thoughts, speculate_at: Some(args.thoughts / 2 + 1) };
        let orders = match args.order {
            Orders::Both => vec![("one after the other", sequential), ("side by side", parallel)],
            Orders::Sequential => vec![("one after the other", sequential)],
            Orders::Parallel => vec![("side by side", parallel)],
        };
        let mut passes = Vec::new();
        for (name, order) in orders {
            passes.push(Pass::run(name, order, &source, &digits.test, args).await?);
        }
        report::print(&passes, args)?;
        if let Some(server) = server {
            // What was paid for is what was asked: nobody else calls it.
            let calls: u64 = passes.iter().map(|pass| pass.cost.calls).sum();
            let stopped: u64 = passes.iter().map(|pass| pass.stopped).sum();
            assert!((calls - stopped..=calls).contains(&server.requests()), "a call was not counted, or counted twice");
            let answered = |thoughts: &Vec<Option<_>>| thoughts.iter().flatten().count() == args.thoughts as usize;
            assert!(passes.iter().all(|pass| pass.thoughts.iter().all(answered)), "a thought failed that should not");
        }
        Ok(())
    })
}
