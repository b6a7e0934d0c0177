//! The gradient of a pool: of a number computed from the posterior, by the numbers of the opinions. It runs on the CPU.
//!
//! # Formula
//!
//! Names are those of [`pool`](super::pool). For one item, G_k = dF / dP_k is given and dF / dx_n(k) is asked for, F any
//! number computed from P. Weights must not depend on the opinions, nor on the class, so that with the exponents and the
//! priors they are constants.
//!
//! **From P to what is summed over the sources.** With Q the posterior before tempering, P = softmax(ln Q / T), so
//!
//! dF / d ln Q_k = h_k = P_k (G_k - sum_j G_j P_j) / T, and sum_k h_k = 0.
//!
//! * `Linear`: Q = S / sum_j S_j with S_k = sum_n w_n p_n(k) / W. So dF / dS_k = h_k / S_k - sum_j h_j / sum_j S_j =
//!   h_k / S_k, which is (G_k - sum_j G_j P_j) / sum_j S_j where T = 1; 0 where S_k = 0 and T is not 1. And
//!   d_n(k) = dF / dp_n(k) = w_n / W dF / dS_k.
//! * `LogPool`: ln Q_k = sum_n w_n / W ln p_n(k) + const; the constant adds sum_k h_k = 0. So
//!   a_n(k) = dF / d ln p_n(k) = w_n / W h_k.
//! * `Evidence`: likewise a_n(k) = e_n h_k, whatever the class prior.
//!
//! A logarithm at ln eps or below, or above 0, is clamped: there a_n(k) = 0.
//!
//! **From p_n to x_n.** With a_k = p_k d_k where d is known. Where T_n is not 1, ln p_k = ln q_k / T_n + const, so the
//! logarithm of q has the gradient (a_k - p_k sum_j a_j) / T_n, whose sum is 0; it stands in the place of a below, and q in
//! that of p.
//!
//! | x | p | dF / dx_k |
//! |---|---|---|
//! | probabilities | x | d_k, a_k / x_k |
//! | the same divided by their sum s: 16-bit rows, and rows that `Renormalise` mends | x / s | (d_k - sum a) / s, a_k / x_k - (sum a) / s |
//! | log-probabilities | exp x | a_k |
//! | the same, mended | exp x / s | a_k - p_k sum a |
//! | logits | softmax x | a_k - p_k sum a |
//!
//! Where x_k = 0 and only a is known, the gradient is 0. An opinion that is not present has a gradient of 0.
//!
//! Probabilities are taken as C free numbers: their gradient may point off the simplex, where a row is invalid. Whoever
//! trains probabilities trains what makes them, as a softmax before the pool does, or gives logits.
//!
//! # Tolerance
//!
//! Against f64: 2e-6 of the largest |G| times what it is multiplied by on the way (1 / x_k for logarithms of
//! probabilities), as a sum of C products of numbers good to 5e-7; divided by T and T_n.
