// What distributions tell. Formulas and layout stand in src/kernel/bayes/information.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    measure: u32,
    sources: u32,
    classes: u32,
    reserved: u32,
    reserved_2: u32,
}

override MEASURE: u32 = 0u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> shares: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> results: array<f32>;
@group(0) @binding(4) var<storage, read_write> status: array<u32>;

const LANES: u32 = 256u;
const SUM_TOLERANCE: f32 = 1e-3;
const SUMMED: u32 = 32u;
const ENTROPY: u32 = 0u;
const CROSS_ENTROPY: u32 = 1u;
const DIVERGENCE: u32 = 2u;
const JENSEN_SHANNON: u32 = 3u;

var<workgroup> lowest: atomic<u32>;
var<private> item: u32;
var<private> fine: bool;

// A sum in blocks.
struct Sum {
    block: f32,
    blocks: f32,
    terms: u32,
}

fn push(sum: ptr<function, Sum>, term: f32) {
    (*sum).block += term;
    (*sum).terms += 1u;
    if ((*sum).terms == SUMMED) {
        (*sum).blocks += (*sum).block;
        (*sum).block = 0.0;
        (*sum).terms = 0u;
    }
}

fn total(sum: Sum) -> f32 {
    return sum.blocks + sum.block;
}

fn share(source: u32, class_: u32) -> f32 {
    let x = shares[(source * params.classes + class_) * params.stride + item];
    fine = fine && is_share(bitcast<u32>(x));
    return x;
}

fn x_ln_x(x: f32) -> f32 {
    return x * ln_(x);
}

// Whether this sums to one; not a number counts as no.
fn check(sum: f32) {
    fine = fine && abs(sum - 1.0) <= SUM_TOLERANCE;
}

fn check_sources() {
    for (var n = 0u; n < params.sources; n += 1u) {
        var sum = Sum();
        for (var k = 0u; k < params.classes; k += 1u) { push(&sum, share(n, k)); }
        check(total(sum));
    }
}

fn entropy() -> f32 {
    var sum = Sum();
    for (var k = 0u; k < params.classes; k += 1u) { push(&sum, -x_ln_x(share(0u, k))); }
    return total(sum);
}

fn of_two() -> f32 {
    var sum = Sum();
    var infinite = false;
    for (var k = 0u; k < params.classes; k += 1u) {
        let p = share(0u, k);
        let q = share(1u, k);
        if (p >= SMALLEST_NORMAL) {
            infinite = infinite || q < SMALLEST_NORMAL;
            if (MEASURE == CROSS_ENTROPY) {
                push(&sum, -p * ln_(q));
            } else {
                push(&sum, p * (ln_(p) - ln_(q)) - (p - q));
            }
        } else if (MEASURE == DIVERGENCE) {
            push(&sum, q);
        }
    }
    // From the parameters, so that no compiler knows it to be infinite.
    let infinity = bitcast<f32>(INFINITY_BITS | params.reserved);
    return select(total(sum), infinity, infinite);
}

fn jensen_shannon() -> f32 {
    var sum = Sum();
    for (var k = 0u; k < params.classes; k += 1u) {
        var mixture = Sum();
        var terms = Sum();
        for (var n = 0u; n < params.sources; n += 1u) {
            let p = share(n, k);
            push(&mixture, weights[n] * p);
            push(&terms, weights[n] * x_ln_x(p));
        }
        push(&sum, total(terms) - x_ln_x(total(mixture)));
    }
    return total(sum);
}

fn mutual_information() -> f32 {
    var sum = Sum();
    var all = Sum();
    for (var i = 0u; i < params.sources; i += 1u) {
        var row = Sum();
        var terms = Sum();
        for (var j = 0u; j < params.classes; j += 1u) {
            let p = share(i, j);
            push(&row, p);
            push(&terms, x_ln_x(p));
        }
        push(&sum, total(terms) - x_ln_x(total(row)));
        push(&all, total(row));
    }
    for (var j = 0u; j < params.classes; j += 1u) {
        var column = Sum();
        for (var i = 0u; i < params.sources; i += 1u) { push(&column, share(i, j)); }
        push(&sum, -x_ln_x(total(column)));
    }
    check(total(all));
    return total(sum) + x_ln_x(total(all));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if (lane == 0u) { atomicStore(&lowest, 0xffffffffu); }
    workgroupBarrier();
    let block = group.x + group.y * params.groups_per_row;
    item = block * LANES + lane;
    if (item < params.items) {
        fine = true;
        var result = 0.0;
        if (MEASURE <= JENSEN_SHANNON) { check_sources(); }
        switch MEASURE {
            case 0u: { result = entropy(); }
            case 1u, 2u: { result = of_two(); }
            case 3u: { result = jensen_shannon(); }
            default: { result = mutual_information(); }
        }
        results[item] = max(result, 0.0);
        if (!fine) { atomicMin(&lowest, lane); }
    }
    workgroupBarrier();
    if (lane == 0u && block * LANES < params.items) { status[block] = atomicLoad(&lowest); }
}
