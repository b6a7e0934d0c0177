//! The server, over real connections.

mod answers;
mod batches;
mod client;
mod endings;
mod limits;
mod served;
mod steering;
