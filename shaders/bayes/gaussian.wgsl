// Normal distributions fused. Formula and layout stand in src/kernel/bayes/gaussian.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    sources: u32,
    dimensions: u32,
    mode: u32,
    reserved: u32,
    reserved_2: u32,
}

override DIMENSIONS: u32 = 6u;
override MODE: u32 = 0u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sources: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> results: array<f32>;
@group(0) @binding(4) var<storage, read_write> status: array<u32>;

const LANES: u32 = 256u;
const MOST_DIMENSIONS: u32 = 6u;
const MOST_ENTRIES: u32 = 21u;
const LEAST_PIVOT: f32 = 1e-6;
const LEAST_VARIANCE: f32 = 1e-9;
const MOST: f32 = 1e9;
const EQUAL: f32 = 1e-6;
const HALVINGS: u32 = 24u;
const PRECISION_MODE: u32 = 0u;
const DETERMINANT_MODE: u32 = 1u;

alias Vector = array<f32, 6>;
// The lower triangle, row by row.
alias Triangle = array<f32, 21>;

struct Source {
    mean: Vector,
    triangle: Triangle,
}

var<workgroup> lowest: atomic<u32>;
var<private> item: u32;
// Whether everything of this item was positive definite and finite.
var<private> fine: bool;

fn at(row: u32, column: u32) -> u32 {
    let i = max(row, column);
    return i * (i + 1u) / 2u + min(row, column);
}

fn load(source: u32) -> Source {
    let entries = DIMENSIONS * (DIMENSIONS + 1u) / 2u;
    let first = source * (DIMENSIONS + entries);
    var loaded = Source();
    for (var i = 0u; i < DIMENSIONS; i += 1u) {
        let x = sources[(first + i) * params.stride + item];
        fine = fine && !is_bad(bitcast<u32>(x)) && abs(x) <= MOST;
        loaded.mean[i] = x;
    }
    for (var i = 0u; i < entries; i += 1u) {
        let x = sources[(first + DIMENSIONS + i) * params.stride + item];
        fine = fine && !is_bad(bitcast<u32>(x)) && abs(x) <= MOST;
        loaded.triangle[i] = x;
    }
    for (var i = 0u; i < DIMENSIONS; i += 1u) { fine = fine && loaded.triangle[at(i, i)] >= LEAST_VARIANCE; }
    return loaded;
}

// The inverse; every pivot must be more than this share of its diagonal entry.
fn inverse(matrix: Triangle, least: f32) -> Triangle {
    var l = matrix;
    for (var j = 0u; j < DIMENSIONS; j += 1u) {
        var pivot = l[at(j, j)];
        for (var k = 0u; k < j; k += 1u) { pivot -= l[at(j, k)] * l[at(j, k)]; }
        if (!(pivot > least * matrix[at(j, j)] && pivot >= SMALLEST_NORMAL)) {
            fine = false;
            pivot = 1.0;
        }
        // The factor's diagonal is kept as its reciprocals.
        let r = 1.0 / sqrt(pivot);
        l[at(j, j)] = r;
        for (var i = j + 1u; i < DIMENSIONS; i += 1u) {
            var sum = l[at(i, j)];
            for (var k = 0u; k < j; k += 1u) { sum -= l[at(i, k)] * l[at(j, k)]; }
            l[at(i, j)] = sum * r;
        }
    }
    // The factor's inverse in its place, row by row.
    for (var i = 1u; i < DIMENSIONS; i += 1u) {
        for (var j = 0u; j < i; j += 1u) {
            var sum = 0.0;
            for (var k = j; k < i; k += 1u) { sum += l[at(i, k)] * l[at(k, j)]; }
            l[at(i, j)] = -sum * l[at(i, i)];
        }
    }
    // Its square.
    for (var i = 0u; i < DIMENSIONS; i += 1u) {
        for (var j = 0u; j <= i; j += 1u) {
            var sum = 0.0;
            for (var k = i; k < DIMENSIONS; k += 1u) { sum += l[at(k, i)] * l[at(k, j)]; }
            l[at(i, j)] = sum;
        }
    }
    return l;
}

fn times(matrix: Triangle, vector: Vector) -> Vector {
    var product = Vector();
    for (var i = 0u; i < DIMENSIONS; i += 1u) {
        for (var j = 0u; j < DIMENSIONS; j += 1u) { product[i] += matrix[at(i, j)] * vector[j]; }
    }
    return product;
}

// tr(a b) of symmetric matrices.
fn trace_of_product(a: Triangle, b: Triangle) -> f32 {
    var sum = 0.0;
    for (var i = 0u; i < DIMENSIONS; i += 1u) {
        for (var j = 0u; j < i; j += 1u) { sum += 2.0 * a[at(i, j)] * b[at(i, j)]; }
        sum += a[at(i, i)] * b[at(i, i)];
    }
    return sum;
}

fn squared(a: Triangle) -> Triangle {
    var product = Triangle();
    for (var i = 0u; i < DIMENSIONS; i += 1u) {
        for (var j = 0u; j <= i; j += 1u) {
            for (var k = 0u; k < DIMENSIONS; k += 1u) { product[at(i, j)] += a[at(i, k)] * a[at(k, j)]; }
        }
    }
    return product;
}

fn mixed(a: Triangle, b: Triangle, omega: f32) -> Triangle {
    var sum = Triangle();
    for (var i = 0u; i < MOST_ENTRIES; i += 1u) { sum[i] = omega * a[i] + (1.0 - omega) * b[i]; }
    return sum;
}

// How much more the first source is worth than the second, and the sum of both.
fn worth(a: Triangle, b: Triangle, omega: f32) -> vec2<f32> {
    var p = inverse(mixed(a, b, omega), 0.0);
    if (MODE != DETERMINANT_MODE) { p = squared(p); }
    let first = trace_of_product(p, a);
    let second = trace_of_product(p, b);
    return vec2(first - second, first + second);
}

fn least(a: Triangle, b: Triangle) -> f32 {
    let middle = worth(a, b, 0.5);
    if (abs(middle.x) <= EQUAL * middle.y) { return 0.5; }
    var low = select(0.0, 0.5, middle.x > 0.0);
    var high = low + 0.5;
    for (var halving = 1u; halving < HALVINGS; halving += 1u) {
        let omega = 0.5 * (low + high);
        if (worth(a, b, omega).x > 0.0) { low = omega; } else { high = omega; }
    }
    return 0.5 * (low + high);
}

fn fuse() {
    var origin = Vector();
    var precisions = Triangle();
    var pull = Vector();
    var omega = 0.0;
    if (MODE != PRECISION_MODE) {
        omega = least(inverse(load(0u).triangle, LEAST_PIVOT), inverse(load(1u).triangle, LEAST_PIVOT));
    }
    for (var n = 0u; n < params.sources; n += 1u) {
        let source = load(n);
        if (n == 0u) { origin = source.mean; }
        var weight = select(1.0 - omega, omega, n == 0u);
        if (MODE == PRECISION_MODE) { weight = weights[n]; }
        var precision_ = inverse(source.triangle, LEAST_PIVOT);
        var apart = Vector();
        for (var i = 0u; i < DIMENSIONS; i += 1u) { apart[i] = source.mean[i] - origin[i]; }
        for (var i = 0u; i < MOST_ENTRIES; i += 1u) {
            precision_[i] *= weight;
            precisions[i] += precision_[i];
        }
        let part = times(precision_, apart);
        for (var i = 0u; i < DIMENSIONS; i += 1u) { pull[i] += part[i]; }
    }
    let covariance = inverse(precisions, 0.0);
    let moved = times(covariance, pull);
    let entries = DIMENSIONS * (DIMENSIONS + 1u) / 2u;
    for (var i = 0u; i < DIMENSIONS; i += 1u) { results[i * params.stride + item] = origin[i] + moved[i]; }
    for (var i = 0u; i < entries; i += 1u) { results[(DIMENSIONS + i) * params.stride + item] = covariance[i]; }
    results[(DIMENSIONS + entries) * params.stride + item] = omega;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (lane == 0u) { atomicStore(&lowest, 0xffffffffu); }
    workgroupBarrier();
    let block = group.x + group.y * params.groups_per_row;
    item = block * LANES + lane;
    if (item < params.items) {
        fine = true;
        fuse();
        if (!fine) { atomicMin(&lowest, lane); }
    }
    workgroupBarrier();
    if (lane == 0u && block * LANES < params.items) { status[block] = atomicLoad(&lowest); }
}
