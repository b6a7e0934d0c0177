// Eigenvalues and eigenvectors of symmetric matrices. Formula and layout stand in src/kernel/beam/eigen.rs. A lane takes a
// matrix.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> matrices: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> vectors: array<f32>;

const LANES: u32 = 64u;
const SIDE: u32 = 9u;
const SWEEPS: u32 = 10u;
const CONVERGED: f32 = 1e-13;
const LEADING: f32 = 0.9;
const NEGLIGIBLE: f32 = 1e-30;

// Row by row; both halves are kept.
var<private> a: array<f32, 81>;
// Vector by vector.
var<private> v: array<f32, 81>;

// The squares off the diagonal, counted once, and on it.
fn squares() -> vec2<f32> {
    var sums = vec2(0.0);
    for (var i = 0u; i < SIDE; i++) {
        sums.y += a[10u * i] * a[10u * i];
        for (var j = i + 1u; j < SIDE; j++) { sums.x += a[SIDE * i + j] * a[SIDE * i + j]; }
    }
    return sums;
}

// Makes a_pq zero.
fn rotate(p: u32, q: u32) {
    let entry = a[SIDE * p + q];
    let difference = a[10u * q] - a[10u * p];
    let root = sqrt(difference * difference + 4.0 * entry * entry);
    let below = difference + select(root, -root, difference < 0.0);
    var t = 0.0;
    if (abs(below) > NEGLIGIBLE) { t = 2.0 * entry / below; }
    let c = 1.0 / sqrt(t * t + 1.0);
    let s = t * c;
    a[10u * p] -= t * entry;
    a[10u * q] += t * entry;
    a[SIDE * p + q] = 0.0;
    a[SIDE * q + p] = 0.0;
    for (var i = 0u; i < SIDE; i++) {
        if (i != p && i != q) {
            let x = a[SIDE * i + p];
            let y = a[SIDE * i + q];
            let to_p = c * x - s * y;
            let to_q = s * x + c * y;
            a[SIDE * i + p] = to_p;
            a[SIDE * p + i] = to_p;
            a[SIDE * i + q] = to_q;
            a[SIDE * q + i] = to_q;
        }
        let x = v[SIDE * p + i];
        let y = v[SIDE * q + i];
        v[SIDE * p + i] = c * x - s * y;
        v[SIDE * q + i] = s * x + c * y;
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let item = (group_id.x + group_id.y * params.groups_per_row) * LANES + lane;
    if (item >= params.items) { return; }
    var largest = 0.0;
    var plane = 0u;
    for (var i = 0u; i < SIDE; i++) {
        for (var j = i; j < SIDE; j++) {
            let entry = matrices[plane * params.stride + item];
            largest = max(largest, abs(entry));
            a[SIDE * i + j] = entry;
            a[SIDE * j + i] = entry;
            v[SIDE * i + j] = select(0.0, 1.0, i == j);
            v[SIDE * j + i] = select(0.0, 1.0, i == j);
            plane++;
        }
    }
    if (largest <= NEGLIGIBLE) { largest = 1.0; }
    for (var i = 0u; i < 81u; i++) { a[i] /= largest; }
    for (var sweep = 0u; sweep < SWEEPS; sweep++) {
        let sums = squares();
        if (sums.x <= CONVERGED * (sums.x + sums.y)) { break; }
        for (var p = 0u; p < SIDE - 1u; p++) {
            for (var q = p + 1u; q < SIDE; q++) { rotate(p, q); }
        }
    }
    // The largest of those left comes next.
    for (var i = 0u; i < SIDE; i++) {
        var best = i;
        for (var j = i + 1u; j < SIDE; j++) {
            if (a[10u * j] > a[10u * best]) { best = j; }
        }
        let value = a[10u * best];
        a[10u * best] = a[10u * i];
        a[10u * i] = value;
        var most = 0.0;
        for (var k = 0u; k < SIDE; k++) {
            let component = v[SIDE * best + k];
            v[SIDE * best + k] = v[SIDE * i + k];
            v[SIDE * i + k] = component;
            most = max(most, abs(component));
        }
        var sign = 0.0;
        for (var k = 0u; k < SIDE; k++) {
            let component = v[SIDE * i + k];
            if (sign == 0.0 && abs(component) >= LEADING * most) { sign = select(1.0, -1.0, component < 0.0); }
        }
        values[i * params.stride + item] = value * largest;
        for (var k = 0u; k < SIDE; k++) { vectors[(SIDE * i + k) * params.stride + item] = sign * v[SIDE * i + k]; }
    }
}
