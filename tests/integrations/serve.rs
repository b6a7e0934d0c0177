//! The server, over real connections.

mod answers;
mod batches;
mod client;
mod endings;
mod killed;
mod limits;
mod served;
mod steering;
