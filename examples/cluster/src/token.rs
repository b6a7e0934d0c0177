//! A word by which a scheduler knows those who may ask.
//!
//! A client sends it with each call; without it, or with another, the scheduler answers nothing. It needs TLS, for anybody could
//! read it on the way. Ballista 55 lets executors send none: their calls, and what they hand on, are for whoever holds a
//! certificate.

use std::error::Error;
use std::path::PathBuf;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use ballista_core::extension::SessionConfigExt;
use clap::Args;
use datafusion::prelude::SessionConfig;
use subtle::ConstantTimeEq;
use tonic::Status;

/// Where the word stands else.
pub const VARIABLE: &str = "CONSILIENCE_TOKEN";

/// Where a program finds the word.
#[derive(Debug, Clone, Default, Args)]
pub struct TokenFile {
    /// A file with the word that a client sends with each call, and without which the scheduler answers none; needs TLS. Else
    /// it is the environment variable `CONSILIENCE_TOKEN`.
    #[arg(long, value_name = "PATH")]
    pub token_file: Option<PathBuf>,
}

/// The word.
#[derive(Clone)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(..)")
    }
}

impl TokenFile {
    /// Reads it, if there is one.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, a word that is none, links without TLS.
    pub fn read(&self, tls: bool) -> Result<Option<Token>, Box<dyn Error>> {
        let (place, word) = match &self.token_file {
            Some(path) => {
                let place = format!("--token-file {}", path.display());
                let word = std::fs::read_to_string(path).map_err(|error| format!("{place}: {error}"))?;
                (place, word)
            }
            None => match std::env::var(VARIABLE) {
                Ok(word) => (VARIABLE.to_owned(), word),
                Err(std::env::VarError::NotPresent) => return Ok(None),
                Err(error) => return Err(format!("{VARIABLE}: {error}").into()),
            },
        };
        if !tls {
            return Err(format!(
                "{place}: without TLS anybody reads it on the way; give --tls-ca, --tls-cert, --tls-key"
            )
            .into());
        }
        let word = word.trim();
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("{place}: a token is one word of printable ASCII").into());
        }
        Ok(Some(Token(word.to_owned())))
    }

    /// The arguments that give another program the same; what stands in the environment, it has.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        self.token_file.iter().map(|path| format!("--token-file={}", path.display())).collect()
    }
}

impl Token {
    /// A session that sends it.
    #[must_use]
    pub fn session(&self, config: SessionConfig) -> SessionConfig {
        config.with_ballista_grpc_metadata([(AUTHORIZATION.to_string(), format!("Bearer {}", self.0))].into())
    }

    fn is_in(&self, request: &Request) -> bool {
        let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        sent.is_some_and(|sent| sent.ct_eq(self.0.as_bytes()).into())
    }
}

/// Lets through whatever has the word, if there is one, and what executors say.
pub async fn check(State(token): State<Option<Token>>, request: Request, next: Next) -> Response {
    let call = request.uri().path().strip_prefix("/ballista.protobuf.SchedulerGrpc/");
    let of_an_executor = matches!(call, Some("PollWork" | "HeartBeatFromExecutor" | "ExecutorStopped"));
    if of_an_executor || token.is_none_or(|token| token.is_in(&request)) {
        return next.run(request).await;
    }
    let wrong = if request.headers().contains_key(AUTHORIZATION) { "another token than" } else { "no token, but" };
    Status::unauthenticated(format!("the call has {wrong} the scheduler's (--token-file or {VARIABLE})")).into_http()
}
