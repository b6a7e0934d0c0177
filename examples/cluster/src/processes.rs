//! A cluster of processes on this machine.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A scheduler and its executors, which end with it.
#[derive(Debug)]
pub struct Cluster {
    /// Where a client connects.
    pub url: String,
    /// The executors, as they were started.
    pub executors: Vec<Executor>,
    port: u16,
    _scheduler: Process,
}

/// One executor.
#[derive(Debug)]
pub struct Executor {
    /// Where what its tasks hand on is kept.
    pub work_dir: PathBuf,
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
    /// Further arguments of each executor, of which there are as many.
    pub executors: Vec<Vec<String>>,
    /// After how many seconds without a sign of life an executor is given up.
    pub executor_timeout: u64,
}

impl Cluster {
    /// Starts the processes, and waits until all executors are known.
    ///
    /// # Errors
    ///
    /// A program that is not there or does not start within half a minute.
    pub fn start(plan: &Plan<'_>) -> io::Result<Self> {
        fs::create_dir_all(plan.folder)?;
        let port = free_port()?;
        let scheduler = spawn(
            plan,
            "scheduler",
            "scheduler",
            &[
                format!("--bind=127.0.0.1:{port}"),
                format!("--executors={}", plan.executors.len()),
                format!("--executor-timeout={}", plan.executor_timeout),
            ],
        )?;
        wait("the scheduler", || health(port, "/healthz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")))?;
        let executors = (plan.executors.iter().enumerate())
            .map(|(number, further)| {
                let work_dir = plan.folder.join(format!("executor-{number}"));
                let mut arguments = vec![
                    format!("--scheduler-port={port}"),
                    format!("--port={}", free_port()?),
                    format!("--grpc-port={}", free_port()?),
                    format!("--work-dir={}", work_dir.display()),
                    "--tasks=1".to_owned(),
                    "--heartbeat=1".to_owned(),
                ];
                arguments.extend_from_slice(further);
                Ok(Executor { work_dir, process: spawn(plan, "executor", &format!("executor-{number}"), &arguments)? })
            })
            .collect::<io::Result<Vec<_>>>()?;
        let cluster = Self { url: format!("df://127.0.0.1:{port}"), executors, port, _scheduler: scheduler };
        wait("the executors", || cluster.is_ready())?;
        Ok(cluster)
    }

    /// Whether as many executors are alive as were asked for.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        health(self.port, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }
}

impl Executor {
    /// Whether any of its tasks has handed anything on.
    #[must_use]
    pub fn has_written(&self) -> bool {
        holds_a_file(&self.work_dir)
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

/// Waits, up to half a minute.
///
/// # Errors
///
/// It did not come.
pub fn wait(what: &str, mut is_there: impl FnMut() -> bool) -> io::Result<()> {
    let began = Instant::now();
    while !is_there() {
        if began.elapsed() > Duration::from_secs(30) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{what} did not come in 30 s")));
        }
        thread::sleep(Duration::from_millis(25));
    }
    Ok(())
}

fn spawn(plan: &Plan<'_>, program: &str, name: &str, arguments: &[String]) -> io::Result<Process> {
    let log = File::create(plan.folder.join(format!("{name}.log")))?;
    let mut command = Command::new(plan.programs.join(program));
    command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(Process(command.spawn().map_err(|error| {
        io::Error::new(error.kind(), format!("{} does not start: {error}", plan.programs.join(program).display()))
    })?))
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// What a scheduler answers, if it does.
fn health(port: u16, path: &str) -> Option<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn holds_a_file(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() { holds_a_file(&path) } else { true }
    })
}
