// Conjugate families of many items. Formulas and layout stand in src/kernel/bayes/conjugate.rs. A lane takes an item.

struct Params {
    items: u32,
    stride: u32,
    groups_per_row: u32,
    operation: u32,
    classes: u32,
    known: f32,
    reserved: u32,
    plane: u32,
}

override OPERATION: u32 = 0u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> arguments: array<f32>;
@group(0) @binding(2) var<storage, read_write> results: array<f32>;

const LANES: u32 = 256u;
const LN_TAU: vec2<f32> = vec2(1.8378770351409912, 3.126834e-8);
const DIGAMMA_FROM: f32 = 8.0;

var<private> item: u32;

fn argument(plane: u32) -> f32 {
    return arguments[plane * params.stride + item];
}

fn answer(plane: u32, value: f32) {
    results[plane * params.stride + item] = value;
}

fn infinity() -> f32 {
    return bitcast<f32>(INFINITY_BITS | no_bits);
}

fn plus(a: vec2<f32>, b: f32) -> vec2<f32> {
    return add(a, pair(b));
}

// ln gamma(a) where no digit of a large one may be lost.
fn ln_gamma_pair(a: vec2<f32>) -> vec2<f32> {
    let leading = subtract(multiply(add(a, pair(-0.5)), ln_pair(a)), a);
    return add(leading, add(HALF_LN_TAU, stirling_rest(a)));
}

// Its derivative.
fn digamma_pair(a: vec2<f32>) -> vec2<f32> {
    var y = a;
    var sum = vec2(0.0);
    if (a.x < DIGAMMA_FROM) {
        for (var k = 0u; k < 8u; k += 1u) { sum = add(sum, reciprocal(add(a, pair(f32(k))))); }
        y = add(a, pair(DIGAMMA_FROM));
    }
    let r = reciprocal(y);
    let r2 = multiply(r, r);
    let z = r2.x;
    let tail = z * z * (-8.3333333e-3 + z * (3.9682540e-3 + z * (-4.1666667e-3 + z * 7.5757576e-3)));
    let series = add(multiply(r2, vec2(0.0833333358168602, -2.483527e-9)), pair(tail));
    return subtract(subtract(ln_pair(y), add(0.5 * r, series)), sum);
}

// The sum of the classes' planes from this one on.
fn total(first: u32) -> vec2<f32> {
    var sum = vec2(0.0);
    for (var k = 0u; k < params.classes; k += 1u) { sum = plus(sum, argument(first + k)); }
    return sum;
}

fn dirichlet_moments() {
    let all = total(0u);
    for (var k = 0u; k < params.classes; k += 1u) {
        let a = argument(k);
        let mean = a / all.x;
        answer(k, mean);
        answer(params.classes + k, mean * (plus(all, -a).x / all.x) / (all.x + 1.0));
    }
}

fn dirichlet_evidence() -> f32 {
    let all = total(0u);
    var sum = subtract(ln_gamma_pair(all), ln_gamma_pair(add(all, total(params.classes))));
    for (var k = 0u; k < params.classes; k += 1u) {
        let a = argument(k);
        let n = argument(params.classes + k);
        if (n > 0.0) { sum = add(sum, subtract(ln_gamma_pair(sum_of(a, n)), ln_gamma_pair(pair(a)))); }
    }
    return sum.x;
}

fn dirichlet_divergence() -> f32 {
    let all = total(0u);
    let slope = digamma_pair(all);
    var sum = subtract(ln_gamma_pair(all), ln_gamma_pair(total(params.classes)));
    for (var k = 0u; k < params.classes; k += 1u) {
        let a = argument(k);
        let b = argument(params.classes + k);
        let part = subtract(ln_gamma_pair(pair(b)), ln_gamma_pair(pair(a)));
        sum = add(sum, add(part, multiply(sum_of(a, -b), subtract(digamma_pair(pair(a)), slope))));
    }
    return max(sum.x, 0.0);
}

fn normal_update() {
    let mean = argument(0u);
    let added = argument(2u) * params.known;
    let sharper = argument(1u) + added;
    answer(0u, mean + added / sharper * (argument(3u) - mean));
    answer(1u, sharper);
}

fn normal_merge() {
    let origin = argument(4u);
    let sharper = plus(sum_of(argument(1u), argument(3u)), -argument(5u));
    let first = times(sum_of(argument(0u), -origin), argument(1u));
    let second = times(sum_of(argument(2u), -origin), argument(3u));
    answer(0u, plus(divide(add(first, second), sharper), origin).x);
    answer(1u, sharper.x);
}

fn normal_evidence() -> f32 {
    let known = pair(params.known);
    let n = argument(2u);
    let prior = pair(argument(1u));
    let added = times(known, n);
    let posterior = add(prior, added);
    let apart = sum_of(argument(3u), -argument(0u));
    var sum = times(subtract(ln_pair(known), LN_TAU), n);
    sum = add(sum, ln_pair(divide(prior, posterior)));
    sum = subtract(sum, times(known, argument(4u)));
    sum = subtract(sum, multiply(divide(multiply(added, prior), posterior), multiply(apart, apart)));
    return 0.5 * sum.x;
}

// r - 1 - ln r.
fn excess(r: vec2<f32>) -> vec2<f32> {
    return subtract(plus(r, -1.0), ln_pair(r));
}

fn normal_divergence() -> f32 {
    let apart = sum_of(argument(0u), -argument(2u));
    let other = argument(3u);
    let far = times(multiply(apart, apart), other);
    return max(0.5 * add(far, excess(divide(pair(other), pair(argument(1u))))).x, 0.0);
}

struct NormalGamma {
    mean: f32,
    count: f32,
    shape: f32,
    rate: f32,
}

fn member(first: u32) -> NormalGamma {
    return NormalGamma(argument(first), argument(first + 1u), argument(first + 2u), argument(first + 3u));
}

fn normal_gamma_update() {
    let prior = member(0u);
    let n = argument(4u);
    let apart = argument(5u) - prior.mean;
    let count = prior.count + n;
    answer(0u, prior.mean + n / count * apart);
    answer(1u, count);
    answer(2u, prior.shape + 0.5 * n);
    answer(3u, prior.rate + 0.5 * argument(6u) + 0.5 * (prior.count / count * n) * apart * apart);
}

fn normal_gamma_merge() {
    let a = member(0u);
    let b = member(4u);
    let prior = member(8u);
    let count = plus(sum_of(a.count, b.count), -prior.count);
    let a_apart = sum_of(a.mean, -prior.mean);
    let b_apart = sum_of(b.mean, -prior.mean);
    let apart = divide(add(times(a_apart, a.count), times(b_apart, b.count)), count);
    let squares = add(times(multiply(a_apart, a_apart), a.count), times(multiply(b_apart, b_apart), b.count));
    let rate = plus(sum_of(a.rate, b.rate), -prior.rate);
    answer(0u, plus(apart, prior.mean).x);
    answer(1u, count.x);
    answer(2u, plus(sum_of(a.shape, b.shape), -prior.shape).x);
    answer(3u, add(rate, 0.5 * subtract(squares, multiply(multiply(apart, apart), count))).x);
}

fn normal_gamma_moments() {
    let p = member(0u);
    let above = p.shape - 1.0;
    var mean = infinity();
    var of_mean = infinity();
    var variance = infinity();
    if (above > 0.0) {
        mean = p.rate / above;
        of_mean = mean / p.count;
    }
    if (p.shape > 2.0) { variance = mean * mean / (p.shape - 2.0); }
    answer(0u, of_mean);
    answer(1u, mean);
    answer(2u, variance);
    answer(3u, sqrt(p.rate / p.shape * ((p.count + 1.0) / p.count)));
}

fn normal_gamma_evidence() -> f32 {
    let prior = member(0u);
    let n = argument(4u);
    let count = sum_of(prior.count, n);
    let apart = sum_of(argument(5u), -prior.mean);
    let shrunk = divide(product_of(prior.count, n), count);
    let squares = plus(multiply(shrunk, multiply(apart, apart)), argument(6u));
    let rate = plus(0.5 * squares, prior.rate);
    let shape = sum_of(prior.shape, 0.5 * n);
    var sum = subtract(ln_gamma_pair(shape), ln_gamma_pair(pair(prior.shape)));
    sum = add(sum, times(ln_pair(divide(pair(prior.rate), rate)), prior.shape));
    sum = subtract(sum, times(add(LN_TAU, ln_pair(rate)), 0.5 * n));
    sum = add(sum, 0.5 * ln_pair(divide(pair(prior.count), count)));
    return sum.x;
}

fn normal_gamma_divergence() -> f32 {
    let p = member(0u);
    let q = member(4u);
    let apart = sum_of(p.mean, -q.mean);
    let expected = divide(product_of(q.count, p.shape), pair(p.rate));
    let far = multiply(expected, multiply(apart, apart));
    var sum = 0.5 * add(far, excess(divide(pair(q.count), pair(p.count))));
    sum = add(sum, subtract(ln_gamma_pair(pair(q.shape)), ln_gamma_pair(pair(p.shape))));
    sum = add(sum, multiply(sum_of(p.shape, -q.shape), digamma_pair(pair(p.shape))));
    sum = add(sum, times(ln_pair(divide(pair(p.rate), pair(q.rate))), q.shape));
    sum = add(sum, divide(times(sum_of(q.rate, -p.rate), p.shape), pair(p.rate)));
    return max(sum.x, 0.0);
}

// What the quantiles of a share are to be found for.
fn dirichlet_tails() {
    let a = argument(params.plane);
    answer(0u, a);
    answer(1u, plus(total(0u), -a).x);
    answer(2u, params.known);
}

fn dirichlet_ends() {
    let odds = argument(1u);
    answer(params.plane, argument(0u));
    answer(params.classes + params.plane, select(1.0 / (1.0 + odds), 0.0, is_bad(bitcast<u32>(odds))));
}

// Both ends of a mean.
fn normal_interval(width: f32) {
    let is_none = is_bad(bitcast<u32>(width));
    answer(0u, select(argument(0u) - width, bitcast<f32>(NEGATIVE_INFINITY_BITS | no_bits), is_none));
    answer(1u, select(argument(0u) + width, infinity(), is_none));
}

fn normal_gamma_tails() {
    answer(0u, argument(2u));
    answer(1u, 0.5);
    answer(2u, 2.0 * params.known);
    answer(3u, params.known);
}

fn normal_gamma_ends() {
    let p = member(0u);
    let odds = argument(4u);
    // Apart, so that their quotient is no number only where it does not fit.
    var width = sqrt(2.0 * p.rate / p.count) / sqrt(odds);
    if (odds == 0.0) { width = infinity(); }
    if (is_bad(bitcast<u32>(odds))) { width = 0.0; }
    normal_interval(width);
    answer(2u, variance_end(p.rate, argument(5u)));
    answer(3u, variance_end(p.rate, argument(6u)));
}

fn variance_end(rate: f32, quantile: f32) -> f32 {
    if (quantile == 0.0) { return infinity(); }
    return select(rate / quantile, 0.0, is_bad(bitcast<u32>(quantile)));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    item = (group.x + group.y * params.groups_per_row) * LANES + lane;
    if (item >= params.items) { return; }
    // Of the number of items a driver finds out that its upper bits are zero where loops run to another parameter.
    no_bits = params.reserved;
    switch OPERATION {
        case 0u: {
            for (var k = 0u; k < params.classes; k += 1u) { answer(k, argument(k) + argument(params.classes + k)); }
        }
        case 1u: {
            for (var k = 0u; k < params.classes; k += 1u) {
                let both = sum_of(argument(k), argument(params.classes + k));
                answer(k, plus(both, -argument(2u * params.classes + k)).x);
            }
        }
        case 2u: { dirichlet_moments(); }
        case 3u: { answer(0u, dirichlet_evidence()); }
        case 4u: { answer(0u, dirichlet_divergence()); }
        case 5u: { normal_update(); }
        case 6u: { normal_merge(); }
        case 7u: { answer(0u, normal_evidence()); }
        case 8u: { answer(0u, normal_divergence()); }
        case 9u: { normal_gamma_update(); }
        case 10u: { normal_gamma_merge(); }
        case 11u: { normal_gamma_moments(); }
        case 12u: { answer(0u, normal_gamma_evidence()); }
        case 13u: { answer(0u, normal_gamma_divergence()); }
        case 14u: { dirichlet_tails(); }
        case 15u: { dirichlet_ends(); }
        case 16u: { normal_interval(params.known / sqrt(argument(1u))); }
        case 17u: { normal_gamma_tails(); }
        default: { normal_gamma_ends(); }
    }
}
