//! Eigenvalues and eigenvectors of symmetric 9 x 9 matrices.
//!
//! # Formula
//!
//! A = V L V^T, V orthogonal and L diagonal, by cyclic Jacobi rotations (Golub and Van Loan, *Matrix Computations*, 8.5): for
//! p < q, row by row, the rotation of the smaller angle that makes a_pq zero. Matrices are divided by their largest entry
//! first. A matrix is done before the sweep in which the squares off the diagonal sum to at most [`CONVERGED`] of all
//! squares, and after [`SWEEPS`] sweeps in any case; convergence is quadratic, six do for 9 x 9.
//!
//! Eigenvalues fall. An eigenvector has length one, and its first component whose magnitude is at least [`LEADING`] of the
//! largest is positive, so that devices agree. Vectors of one eigenvalue span its space; which they are is not said.
//!
//! # Layout
//!
//! `matrices` 45 planes of B f32: the entries (i, j), i <= j, row by row. `values` 9 planes; `vectors` 81, component i of
//! vector v in plane 9 v + i. A lane takes a matrix.
//!
//! # Tolerance
//!
//! Of |A|, the root of the sum of its squares: eigenvalues and V L V^T 3e-6, by some 250 rotations; V^T V 5e-6.

use bytemuck::{Pod, Zeroable};

use crate::kernel::{Access, Binding, Contract};

/// The WGSL text.
const SOURCE: &str = include_str!("../../../shaders/beam/eigen.wgsl");

/// Lanes in a workgroup.
pub const WORKGROUP_LANES: u32 = 64;

/// Items of a block.
pub const BLOCK: usize = WORKGROUP_LANES as usize;

/// Operations of a matrix.
pub const OPERATIONS: usize = 32_768;

/// Entries on and above the diagonal.
pub const ENTRIES: usize = 45;

/// The most sweeps.
pub const SWEEPS: u32 = 10;

/// The share of the squares that may be left off the diagonal.
pub const CONVERGED: f32 = 1e-13;

/// The share of the largest component's magnitude from which on a component decides the sign.
pub const LEADING: f32 = 0.9;

/// Below this a rotation is none: entries are at most 1.
pub const NEGLIGIBLE: f32 = 1e-30;

/// What every executor keeps to.
pub const CONTRACT: Contract = Contract::of::<Params>("beam/eigen", SOURCE, &BINDINGS, WORKGROUP_LANES);

/// What the shader binds, in order.
pub const BINDINGS: [Binding; 4] = [
    Binding { name: "params", access: Access::Uniform },
    Binding { name: "matrices", access: Access::Read },
    Binding { name: "values", access: Access::ReadWrite },
    Binding { name: "vectors", access: Access::ReadWrite },
];

/// The uniform block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Items of the chunk.
    pub items: u32,
    /// Items between planes.
    pub stride: u32,
    /// Workgroups in a row of the grid.
    pub groups_per_row: u32,
    /// Fills the block up.
    pub unused: u32,
}
