//! The kernels of what is fitted to labelled items.

pub mod softmax_regression;
