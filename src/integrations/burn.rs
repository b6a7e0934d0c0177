//! Modules of burn as live sources, and the fusion of burn's tensors where they lie.
//!
//! A [`Network`] is a [`Model`](crate::orchestration::source::Model):
//! [`source::batched`](crate::orchestration::source::batched) makes a source of it, whose questions wait for each other
//! while the network works and then go through it together.
//!
//! [`fuse`] takes what N networks say about B items over C classes, stacked or one tensor each, and makes their posterior a
//! tensor on the same device, to be computed with further.
//!
//! | tensors of | are read | the posterior's memory |
//! |---|---|---|
//! | `flex`, burn's CPU backend | in place where each source's [B, C] is contiguous, as in any slice along sources or items; else after a copy | the executor's, handed over |
//! | `wgpu`, with the feature `burn-wgpu` | in burn's own buffers, on burn's device and queue, where rows are contiguous and sources at equal distances; else after a copy on the device | burn's own |
//! | burn's other backends | not: [`BurnError::Backend`](crate::BurnError::Backend) | |
//!
//! # On a wgpu device
//!
//! A `WgpuEngine` runs on burn's own device and queue; it is made of what burn hands out beside a device. What burn has
//! queued for the opinions is submitted first, then the fusion, and nothing is waited for: what burn submits later finds the
//! posterior. Whether every opinion is valid the device tells in the end: [`Fused::checked`] waits for that and names the
//! opinion that is not, [`Fused::into_posterior`] does not ask. It is the same whether burn's kernel fusion is on or off; an
//! operation here ends what burn fuses into one kernel.
//!
//! # Gradients
//!
//! Tensors of a device with [`autodiff`](::burn::tensor::Device::autodiff) go through the same kernels, and the posterior
//! hands gradients on to them: its backward is composed of burn's operations on the inner backend. The rules that have one
//! are `Linear`, `LogPool` and `Evidence`, under weights that depend neither on the opinions nor on the class, without
//! temperatures and mended opinions; it is [`kernel::fusion::gradient`](crate::kernel::fusion::gradient)'s. With w_n the weights, summing
//! to one, e_n the exponents in their place, G the gradient of a loss by the posterior P, and
//!
//! D_k = G_k - sum_j G_j P_j,
//!
//! the gradient by a row of probabilities p_n is
//!
//! | rule | P | the loss by p_n(k) |
//! |---|---|---|
//! | `Linear` | L / sum_j L_j, L = sum w_n p_n | w_n D_k |
//! | `LogPool` | softmax S, S_k = sum w_n ln max(p_n(k), eps) | w_n P_k D_k / p_n(k) where eps < p_n(k) <= 1, else 0 |
//! | `Evidence` | softmax S, S_k = ln rho_k + sum e_n (ln max(p_n(k), eps) - ln rho_k) | the same with e_n |
//!
//! The division by a sum is where D comes from: dP_k / dL_j = (\[k = j\] - P_k) / sum L, and the sum of a valid row is one;
//! likewise dP_k / dS_j = P_k (\[k = j\] - P_j). Log-probabilities x take p times that, and logits, with p their softmax,
//! p_k (g_k - sum_j g_j p_j), where g is the gradient by p.
//!
//! # Examples
//!
//! *Two sources, and what the first of them should have said.*
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use consilience::{Encoding, Engine, Fusion, Rule};
//!
//! let (engine, device) = (Engine::cpu()?, Device::flex().autodiff());
//! let a = Tensor::<2>::from_data([[0.75, 0.25]], &device).require_grad();
//! let b = Tensor::<2>::from_data([[0.25, 0.75]], &device);
//! let fusion = Fusion::new(Rule::Linear);
//! let fused = consilience::burn::fuse(&engine, &fusion, Encoding::Probabilities, [a.clone(), b])?;
//! let posterior = fused.checked()?;
//! assert_eq!(posterior.to_data().try_to_vec::<f32>()?, [0.5, 0.5]);
//!
//! // The first class was right: the loss is its negative log-likelihood.
//! let loss = -posterior.slice([0..1, 0..1]).log().sum();
//! let gradients = loss.backward();
//! let towards = a.grad(&gradients).expect("a gradient");
//! assert_eq!(towards.to_data().try_to_vec::<f32>()?, [-0.5, 0.5]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "burn-optim")]
mod autoregression;
mod cpu;
#[cfg(feature = "burn-wgpu")]
mod cube;
mod fuse;
mod gradient;
mod network;

#[cfg(feature = "burn-optim")]
pub use self::autoregression::{Autoregression, AutoregressionOptions};
#[cfg(feature = "burn-wgpu")]
pub use self::cube::WgpuEngine;
pub use self::fuse::{Fused, Input, On, fuse};
pub use self::network::Network;
