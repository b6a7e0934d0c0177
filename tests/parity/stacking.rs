//! The stacking kernels.

mod softmax_regression;
