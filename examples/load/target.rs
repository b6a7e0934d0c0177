//! The server, and what it is asked.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Uri};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;
use serde_json::json;

use crate::args::{Args, What};
use crate::{Failure, random};

/// The server, and what it is asked.
#[derive(Debug)]
pub struct Target {
    pub addresses: Vec<SocketAddr>,
    host: HeaderValue,
    token: Option<HeaderValue>,
    load: Load,
    load_uri: Uri,
    live: Uri,
    metrics: Uri,
}

/// What is asked over and over.
#[derive(Debug)]
enum Load {
    Process { question: String, deadline_ms: Option<u64> },
    Fuse { batch: Bytes, kind: HeaderValue },
}

impl Target {
    pub fn new(args: &Args) -> Result<Self, Failure> {
        let not = |why: &str| format!("--url {}: {why}; write it like http://127.0.0.1:8080", args.url);
        let uri: Uri = args.url.parse().map_err(|e| not(&format!("{e}")))?;
        if uri.scheme_str() != Some("http") {
            return Err(not("it is not of plain HTTP").into());
        }
        let host = uri.host().ok_or_else(|| not("no host"))?;
        let port = uri.port_u16().unwrap_or(80);
        // An address of version 6 stands in brackets.
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let (load, path) = match args.what {
            What::Process => {
                let (question, deadline_ms) = (args.question.clone(), args.deadline);
                (Load::Process { question, deadline_ms }, "/api/v1/unified/process")
            }
            What::Fuse => (batch(args)?, "/api/v1/fuse"),
        };
        let below = |path: &str| format!("{}{path}", uri.path().trim_end_matches('/')).parse::<Uri>();
        Ok(Self {
            addresses: (name, port).to_socket_addrs().map_err(|e| not(&format!("{e}")))?.collect(),
            host: HeaderValue::from_str(&format!("{host}:{port}"))?,
            token: args.token_file.as_deref().map(token).transpose()?,
            load,
            load_uri: below(path)?,
            live: below("/health/live")?,
            metrics: below("/metrics")?,
        })
    }

    /// The request of this number.
    pub fn request(&self, number: u64) -> Request<Full<Bytes>> {
        let (body, kind) = match &self.load {
            Load::Process { question, deadline_ms } => {
                let question = question.replace("{}", &number.to_string());
                let body = match deadline_ms {
                    Some(deadline_ms) => json!({ "question": question, "deadline_ms": deadline_ms }),
                    None => json!({ "question": question }),
                };
                (body.to_string().into(), HeaderValue::from_static("application/json"))
            }
            Load::Fuse { batch, kind } => (batch.clone(), kind.clone()),
        };
        let mut request = self.to(&self.load_uri, body);
        *request.method_mut() = Method::POST;
        request.headers_mut().insert(CONTENT_TYPE, kind);
        request
    }

    /// Asks for next to nothing: how long that takes is spent outside of what the server measures.
    pub fn live(&self) -> Request<Full<Bytes>> {
        self.to(&self.live, Bytes::new())
    }

    /// Asks for the server's own figures.
    pub fn metrics(&self) -> Request<Full<Bytes>> {
        self.to(&self.metrics, Bytes::new())
    }

    fn to(&self, uri: &Uri, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.uri_mut() = uri.clone();
        request.headers_mut().insert(HOST, self.host.clone());
        if let Some(token) = &self.token {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        request
    }
}

fn token(path: &Path) -> Result<HeaderValue, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let value = HeaderValue::from_str(&format!("Bearer {}", text.trim()));
    let mut value = value.map_err(|_| format!("{}: no token has such characters", path.display()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn batch(args: &Args) -> Result<Load, Failure> {
    if let Some(path) = &args.body {
        let batch = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?.into();
        let is_json = path.extension().is_some_and(|ending| ending == "json");
        let kind = if is_json { "application/json" } else { "application/vnd.apache.arrow.stream" };
        return Ok(Load::Fuse { batch, kind: HeaderValue::from_static(kind) });
    }
    let mut random = SplitMix64::seed_from_u64(args.seed);
    let mut opinion = || {
        // Even over all distributions.
        let drawn: Vec<f64> = (0..args.classes).map(|_| -(1.0 - random::unit(&mut random)).ln()).collect();
        let sum: f64 = drawn.iter().sum();
        drawn.into_iter().map(|x| (x / sum) as f32).collect::<Vec<f32>>()
    };
    let mut source = || json!({ "opinions": (0..args.items).map(|_| opinion()).collect::<Vec<_>>() });
    let sources: Vec<_> = (0..args.sources).map(|_| source()).collect();
    let batch = json!({ "classes": args.classes, "sources": sources }).to_string().into();
    Ok(Load::Fuse { batch, kind: HeaderValue::from_static("application/json") })
}
