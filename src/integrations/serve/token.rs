//! A word by which a server knows those who may ask.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use subtle::ConstantTimeEq;

use super::problem::Problem;
use super::shared::Shared;
use crate::error::{FileError, RequestError, Result};

/// The fewest characters of a token: as many as 64 random bits take in hexadecimal.
const LEAST: usize = 16;

/// A word by which a server knows those who may ask. It is never shown.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    /// A word of printable ASCII without spaces, of at least 16 characters; what stands around it is cut off.
    ///
    /// # Errors
    ///
    /// Another word.
    pub fn new(word: &str) -> Result<Self> {
        let word = word.trim();
        if word.len() < LEAST || !word.bytes().all(|byte| byte.is_ascii_graphic()) {
            let is = format!("has {} bytes, or a character that is none of printable ASCII", word.len());
            let must = format!("it must be one word of at least {LEAST} printable ASCII characters");
            return Err(RequestError::Setting { setting: "the token", is, must }.into());
        }
        Ok(Self(word.into()))
    }

    /// The word that a file holds and nothing else.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds no such word.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::new(&std::fs::read_to_string(path).map_err(FileError::io(path, "reading the token"))?)
    }

    fn is(&self, word: &str) -> bool {
        self.0.as_bytes().ct_eq(word.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Lets a request through that has the token, or any where there is none.
pub(super) async fn check(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(token) = &shared.token else { return Ok(next.run(request).await) };
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let word =
        given.and_then(|given| given.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match word {
        Some((_, word)) if token.is(word.trim()) => Ok(next.run(request).await),
        Some(_) => Err(Problem::new(StatusCode::UNAUTHORIZED, "this token is not the server's")),
        None => {
            let must = "the request has no token; send the header `Authorization: Bearer <token>`";
            Err(Problem::new(StatusCode::UNAUTHORIZED, must))
        }
    }
}
