//! Servers of services that do as told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::control::{self, Governed};
use consilience::orchestration::ledger::{Ledger, Recorder};
use consilience::orchestration::parallel_fusion::Fate;
use consilience::orchestration::router::{self, Group, Strategy};
use consilience::orchestration::service::{self, Service};
use consilience::orchestration::telemetry::{Exporter, Telemetry};
use consilience::serve::{Builder, Options, Server, Token};
use consilience::{Error, Result};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::orchestration::engine::engine;
use crate::orchestration::scripted::{self, Act};

/// What is served, and how.
pub struct Setup {
    pub model: Act,
    pub table: Act,
    pub options: Options,
    pub most_at_once: usize,
    pub token: Option<Token>,
    pub ledger: Option<Arc<Ledger>>,
    pub control: Option<control::Options>,
}

/// A server that runs.
pub struct Served {
    pub at: SocketAddr,
    enough: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<()>>,
}

impl Default for Setup {
    /// A model that says 0.9 for the first of two classes, and a table that says 0.6, asked at once.
    fn default() -> Self {
        Self {
            model: Act::say(&[0.9, 0.1]),
            table: Act::say(&[0.6, 0.4]),
            options: Options::default(),
            most_at_once: 100,
            token: None,
            ledger: None,
            control: None,
        }
    }
}

impl Setup {
    pub fn builder(self) -> Builder {
        let exporter = Exporter::new();
        let options = service::Options {
            router: router::Options { strategy: Strategy::ParallelFusion, ..router::Options::default() },
            most_at_once: self.most_at_once,
            ..service::Options::default()
        };
        let governed = |name: &str, act: Act| {
            Arc::new(Governed::new(scripted::source(name, act), Duration::from_millis(20)).unwrap())
        };
        let (model, table) = (governed("model", self.model), governed("table", self.table));
        let service = metrics::with_local_recorder(&exporter.recorder(), || {
            let mut service = Service::builder(engine(), 2)
                .options(options)
                .group(Group::ai("models"), vec![model.clone()])
                .group(Group::runtime("tables"), vec![table.clone()])
                .telemetry(Arc::new(Telemetry::new(Fate::Censored)));
            if let Some(ledger) = &self.ledger {
                service = service.recorder(Arc::new(Recorder::start(Arc::clone(ledger)).unwrap()));
            }
            service.build().unwrap()
        });
        let mut server = Server::builder(Arc::new(service), engine())
            .labels(["cat", "dog"])
            .options(self.options)
            .exporter(exporter)
            .governed(vec![model, table]);
        if let Some(token) = self.token {
            server = server.token(token);
        }
        if let Some(options) = self.control {
            server = server.control(options);
        }
        if let Some(ledger) = self.ledger {
            server = server.ledger(ledger);
        }
        server
    }

    pub async fn serve(self) -> Served {
        let server = self.builder().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (enough, told) = oneshot::channel();
        let running = tokio::spawn(server.serve(listener, async move { drop(told.await) }));
        let served = Served { at, enough: Some(enough), running };
        while super::client::get(at, "/health/ready").await.status != 200 {
            tokio::task::yield_now().await;
        }
        served
    }
}

impl Served {
    /// Tells it that it is enough.
    pub fn tell(&mut self) {
        drop(self.enough.take());
    }

    /// Tells it so, and waits until it has ended.
    pub async fn end(mut self) -> Result<(), Error> {
        self.tell();
        self.running.await.unwrap()
    }
}
