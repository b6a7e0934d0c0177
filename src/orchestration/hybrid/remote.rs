//! Work that is carried out elsewhere.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::error::{Result, SourceError};
use crate::orchestration::Reply;

/// Whoever carries out a batch on other machines, or on an accelerator that does many questions as fast as one.
pub trait Remote<I: ?Sized>: Send + Sync {
    /// Has each question answered, in their order. An error means that the batch was not carried out; what single sources fail
    /// with stands in their places.
    fn carry_out(&self, batch: Batch<I>) -> BoxFuture<'_, Result<Vec<Result<Reply, SourceError>>>>;

    /// Whether it can take a batch now.
    fn is_ready(&self) -> bool {
        true
    }
}

/// Questions that are asked together.
#[derive(Debug)]
pub struct Batch<I: ?Sized> {
    /// Whom to ask what.
    pub questions: Vec<(Arc<str>, Arc<I>)>,
    /// Over how many classes.
    pub classes: usize,
    /// When answers come too late.
    pub deadline: Instant,
}
