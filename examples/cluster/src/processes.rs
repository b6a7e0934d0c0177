//! A cluster of processes on this machine.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::LEAST_EXECUTOR_TIMEOUT;
use crate::link::ask;
use crate::tls::Tls;

/// A scheduler and its executors, which end with it.
#[derive(Debug)]
pub struct Cluster {
    /// Where a client connects.
    pub url: String,
    /// The executors, as they were started.
    pub executors: Vec<Executor>,
    address: String,
    tls: Option<Tls>,
    scheduler: Command,
    process: Process,
}

/// One executor.
#[derive(Debug)]
pub struct Executor {
    /// Where what its tasks hand on is kept.
    pub work_dir: PathBuf,
    /// Where it is fetched.
    pub address: SocketAddr,
    process: Process,
}

/// A process that is killed when it is dropped.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a cluster is made of.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The folder of the programs `scheduler` and `executor`.
    pub programs: &'a Path,
    /// A folder for what the processes write, among it their logs.
    pub folder: &'a Path,
    /// The scheduler.
    pub scheduler: Part,
    /// The executors.
    pub executors: Vec<Part>,
    /// How this process asks the scheduler how it is.
    pub tls: Option<Tls>,
}

/// One process of a cluster.
#[derive(Debug, Clone)]
pub struct Part {
    /// Where it listens.
    pub address: Ipv4Addr,
    /// The command that begins it elsewhere, as in `ip netns exec NAME`: the program and its arguments follow.
    pub prefix: Vec<String>,
    /// Further arguments.
    pub arguments: Vec<String>,
}

impl Default for Part {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST, prefix: Vec::new(), arguments: Vec::new() }
    }
}

impl Cluster {
    /// Starts the processes, and waits until all executors are known.
    ///
    /// # Errors
    ///
    /// A program that is not there or does not start within a minute.
    pub fn start(plan: &Plan<'_>) -> io::Result<Self> {
        fs::create_dir_all(plan.folder)?;
        let address = format!("{}:{}", plan.scheduler.address, free_port()?);
        let mut scheduler = command(plan, &plan.scheduler, "scheduler", "scheduler")?;
        scheduler.args([
            format!("--bind={address}"),
            format!("--executors={}", plan.executors.len()),
            format!("--executor-timeout={}", LEAST_EXECUTOR_TIMEOUT),
        ]);
        let process = spawn(&mut scheduler)?;
        let mut cluster = Self {
            url: format!("df://{address}"),
            executors: Vec::new(),
            tls: plan.tls.clone(),
            address,
            scheduler,
            process,
        };
        wait("the scheduler", || cluster.answers("/healthz"))?;
        let port = cluster.address.rsplit_once(':').map_or("", |(_, port)| port);
        cluster.executors = (plan.executors.iter().enumerate())
            .map(|(number, part)| {
                let work_dir = plan.folder.join(format!("executor-{number}"));
                let address = SocketAddr::from((part.address, free_port()?));
                let mut executor = command(plan, part, "executor", &format!("executor-{number}"))?;
                executor.args([
                    format!("--scheduler-host={}", plan.scheduler.address),
                    format!("--scheduler-port={port}"),
                    format!("--bind={}", part.address),
                    format!("--port={}", address.port()),
                    format!("--work-dir={}", work_dir.display()),
                    "--tasks=1".to_owned(),
                ]);
                Ok(Executor { work_dir, address, process: spawn(&mut executor)? })
            })
            .collect::<io::Result<Vec<_>>>()?;
        wait("the executors", || cluster.is_ready())?;
        Ok(cluster)
    }

    /// Whether as many executors are alive as were asked for.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.answers("/readyz")
    }

    /// Ends the scheduler at once, and with it what it knew.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn kill_scheduler(&mut self) -> io::Result<()> {
        self.process.0.kill()?;
        self.process.0.wait().map(|_| ())
    }

    /// Starts it again, at the same address.
    ///
    /// # Errors
    ///
    /// It does not start within a minute.
    pub fn restart_scheduler(&mut self) -> io::Result<()> {
        self.process = spawn(&mut self.scheduler)?;
        wait("the scheduler", || self.answers("/healthz"))
    }

    /// Whether the scheduler says of itself that it is well, in a thread of its own, for the caller's may be one of a runtime.
    fn answers(&self, path: &str) -> bool {
        let asked = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            let answer = runtime.block_on(ask(&self.address, self.tls.as_ref(), path));
            answer.ok().map(|(status, _)| status == StatusCode::OK)
        };
        thread::scope(|scope| scope.spawn(asked).join()).ok().flatten().unwrap_or(false)
    }
}

impl Executor {
    /// Whether any of its tasks of a stage, of whatever job, has handed anything on.
    #[must_use]
    pub fn has_written(&self, stage: usize) -> bool {
        let Ok(jobs) = fs::read_dir(&self.work_dir) else { return false };
        jobs.flatten().any(|job| holds_a_file(&job.path().join(stage.to_string())))
    }

    /// Whether the process runs, reached or not.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn is_running(&mut self) -> io::Result<bool> {
        Ok(self.process.0.try_wait()?.is_none())
    }

    /// Ends it at once, as a machine ends whose power fails.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.0.kill()
    }
}

/// Waits, up to a minute.
///
/// # Errors
///
/// It did not come.
pub fn wait(what: &str, mut is_there: impl FnMut() -> bool) -> io::Result<()> {
    let began = Instant::now();
    while !is_there() {
        if began.elapsed() > Duration::from_secs(60) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{what} did not come in a minute")));
        }
        thread::sleep(Duration::from_millis(25));
    }
    Ok(())
}

/// A program, whose log is named.
fn command(plan: &Plan<'_>, part: &Part, program: &str, name: &str) -> io::Result<Command> {
    let log = File::create(plan.folder.join(format!("{name}.log")))?;
    let mut command = elsewhere(&part.prefix, &plan.programs.join(program));
    command.args(&part.arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}

/// A program, begun by the command that is put before it if there is one.
#[must_use]
pub fn elsewhere(prefix: &[String], program: &Path) -> Command {
    let Some((first, rest)) = prefix.split_first() else { return Command::new(program) };
    let mut command = Command::new(first);
    command.args(rest).arg(program);
    command
}

fn spawn(command: &mut Command) -> io::Result<Process> {
    let started = command.spawn().map(Process);
    started.map_err(|error| {
        io::Error::new(error.kind(), format!("{} does not start: {error}", command.get_program().display()))
    })
}

/// A port that was free a moment ago.
///
/// # Errors
///
/// The system's.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn holds_a_file(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() { holds_a_file(&path) } else { true }
    })
}
