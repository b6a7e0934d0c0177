//! What is fitted to labelled items: features packed once, loss and gradient evaluated many times.

mod features;
mod forward;
mod gradient;
mod softmax_regression;

pub(super) use self::softmax_regression::Held;
