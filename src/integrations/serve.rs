//! The service and the engine behind an HTTP front door that a team can run.
//!
//! | path | what it does |
//! |---|---|
//! | `POST /api/v1/unified/process` | answers one question: router, sources, fusion, ledger |
//! | `POST /api/v1/unified/feedback` | says what would have been right, from which the service learns |
//! | `POST /api/v1/fuse` | fuses a batch of evidence, as JSON or as a stream of Arrow's IPC format |
//! | `GET`, `PUT /api/v1/unified/strategy` | how the service chooses whom to ask |
//! | `GET`, `PUT /api/v1/unified/control` | what the controller sees, says and does, and how far it goes |
//! | `GET /api/v1/unified/metrics` | how the server and its sources do, as JSON |
//! | `GET /api/v1/events` | what sources say, as they say it: server-sent events |
//! | `GET /health`, `/health/live`, `/health/ready` | whether it lives, and whether it takes requests |
//! | `GET /metrics` | what it counts and measures, for Prometheus |
//! | `GET /openapi.json` | all of this as an OpenAPI document |
//! | `GET /` | a page that shows it |
//!
//! Whatever is refused says why as RFC 9457 has it, and when to come back where that is known. Everything but health, the page
//! and the document needs the token, where there is one; without one a server listens to its own machine alone.
//!
//! After every interval a [`Controller`](crate::orchestration::control::Controller) looks at what was measured. It says what it
//! sees and, as far as it is let, changes how many requests are under way at a time and turned away, how many are fused at
//! once and on what, and which sources are asked.
//!
//! What was learned is saved in the ledger's file each second in which something was, and is there again at the next start.

mod body;
mod buffers;
mod connections;
mod control;
mod document;
mod events;
mod fuse;
mod health;
mod keeper;
mod meters;
mod options;
mod problem;
mod process;
mod shared;
mod status;
mod steering;
mod strategy;
mod token;
mod window;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::net::TcpListener;

pub use self::meters::{HTTP_IN_FLIGHT, HTTP_REQUESTS, HTTP_SECONDS, READY, Route, Status};
pub use self::options::Options;
use self::shared::Shared;
pub use self::steering::{
    CONTROL_ACTIONS, CONTROL_ALARMS, CONTROL_MOST_AT_ONCE, CONTROL_OBJECTIVE, CONTROL_RESTING, CONTROL_SHED,
};
pub use self::token::Token;
use crate::engine::Engine;
use crate::error::{EvidenceError, RequestError, Result};
use crate::orchestration::Service;
use crate::orchestration::batcher::Shutdown;
use crate::orchestration::control::{Forecaster, Governed, Options as ControlOptions};
use crate::orchestration::ledger::Ledger;
use crate::orchestration::telemetry::Exporter;

/// A service and an engine behind HTTP.
///
/// # Examples
///
/// *Served until somebody says that it is enough.*
///
/// ```
/// use std::sync::Arc;
///
/// use consilience::Engine;
/// use consilience::orchestration::router::Group;
/// use consilience::orchestration::{Opinion, Question, Service, source};
/// use consilience::serve::Server;
/// use tokio::net::TcpListener;
/// use tokio::sync::oneshot;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let engine = Arc::new(Engine::cpu()?);
/// let says = |name: &str, p: f32| source::of(name, async move |_: Question<str>| Ok(Opinion::Binary(p).into()));
/// let service = Service::builder(Arc::clone(&engine), 2)
///     .group(Group::ai("model"), vec![Arc::new(says("model", 0.9))])
///     .group(Group::runtime("table"), vec![Arc::new(says("table", 0.6))])
///     .build()?;
/// let server = Server::builder(Arc::new(service), engine).labels(["cat", "dog"]).build()?;
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let (enough, told) = oneshot::channel::<()>();
/// let serving = server.serve(listener, async { drop(told.await) });
/// enough.send(()).ok();
/// serving.await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    shared: Arc<Shared>,
    ledger: Option<Arc<Ledger>>,
}

/// Puts a [`Server`] together.
#[must_use]
pub struct Builder {
    service: Arc<Service<str>>,
    engine: Arc<Engine>,
    labels: Vec<String>,
    options: Options,
    token: Option<Token>,
    exporter: Exporter,
    ledger: Option<Arc<Ledger>>,
    control: Option<ControlOptions>,
    governed: Vec<Arc<Governed<str>>>,
    forecaster: Option<Forecaster>,
}

impl Builder {
    /// The names of the classes, in their order.
    pub fn labels(mut self, labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.labels = labels.into_iter().map(Into::into).collect();
        self
    }

    /// What is let in, and how long is waited.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The word by which those are known who may ask.
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// What gathers the metrics that `/metrics` shows: the recorder of the service's telemetry, if it is to be among them.
    pub fn exporter(mut self, exporter: Exporter) -> Self {
        self.exporter = exporter;
        self
    }

    /// Where what is learned is saved, and taken up again: the file of the service's recorder, or another.
    pub fn ledger(mut self, ledger: Arc<Ledger>) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// How the controller decides, which looks at what was measured after every interval; else it observes, within bounds
    /// that include how the service is set.
    pub fn control(mut self, options: ControlOptions) -> Self {
        self.control = Some(options);
        self
    }

    /// The sources that the controller knows of, which are among the service's: it sees how they do, and may have one rest.
    pub fn governed(mut self, sources: Vec<Arc<Governed<str>>>) -> Self {
        self.governed = sources;
        self
    }

    /// What predicts the load of each minute, which the controller reads.
    pub fn forecaster(mut self, forecaster: Forecaster) -> Self {
        self.forecaster = Some(forecaster);
        self
    }

    /// The server, which does not serve yet.
    ///
    /// # Errors
    ///
    /// An option outside its range, labels that are more or fewer than the classes, or a service that is set outside of the
    /// controller's bounds.
    pub fn build(self) -> Result<Server> {
        self.options.check()?;
        if !self.labels.is_empty() {
            EvidenceError::check_len("the list of labels", self.service.classes(), self.labels.len())?;
        }
        let ledger = self.ledger.clone();
        let shared = Arc::new(Shared::new(self)?);
        Ok(Server { shared, ledger })
    }
}

impl Server {
    /// A server of a service, and of an engine for batches, which may be the service's own.
    pub fn builder(service: Arc<Service<str>>, engine: Arc<Engine>) -> Builder {
        let (labels, options, exporter) = (Vec::new(), Options::default(), Exporter::new());
        let (token, ledger, control, governed, forecaster) = (None, None, None, Vec::new(), None);
        Builder { service, engine, labels, options, token, exporter, ledger, control, governed, forecaster }
    }

    /// The OpenAPI document of what it serves where it has a token, as JSON; `/openapi.json` is that of the server at hand.
    #[must_use]
    pub fn document() -> String {
        document::of()
    }

    /// Takes up what was learned, then answers requests until `enough` ends. Then it takes no more, waits for those under way
    /// as long as the options say, shuts the service down, and saves what was learned.
    ///
    /// # Errors
    ///
    /// It has no token and listens to other machines; what was learned cannot be read, or is of other groups.
    pub async fn serve(self, listener: TcpListener, enough: impl Future<Output = ()>) -> Result<()> {
        let Self { shared, ledger } = self;
        let address = listener.local_addr().map_err(|cause| RequestError::NotSetUp {
            what: "the address that is listened at",
            cause: Arc::new(cause),
        })?;
        if shared.token.is_none() && !address.ip().is_loopback() {
            let is = format!("is missing, while others may connect to {address}");
            let must = "give one, or listen at 127.0.0.1 or [::1]".to_owned();
            return Err(RequestError::Setting { setting: "the token", is, must }.into());
        }
        let keeper = keeper::Keeper::start(&shared, ledger).await?;
        shared.set_ready(true);
        connections::serve(&shared, listener, enough).await;
        shared.service.shutdown(Shutdown::Reject).await;
        keeper.end().await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("service", &self.service)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
