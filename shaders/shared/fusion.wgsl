// What the kernels `fusion/pool` and `fusion/pool_wide` share. "Step n" is step n of the formula in
// src/kernel/fusion/pool.rs; the layout of every buffer stands there too.

struct Params {
    items: u32,
    sources: u32,
    classes: u32,
    stride: u32,
    items_per_group: u32,
    groups_per_row: u32,
    presence_words: u32,
    gamma: f32,
    ln_floor: f32,
    inverse_ln_classes: f32,
    mix_linear: f32,
    mix_vote: f32,
    mix_max_vote: f32,
    mix_bayesian_average: f32,
    mix_log_pool: f32,
    reserved: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> evidence: array<f32>;
@group(0) @binding(2) var<storage, read> presence: array<u32>;
@group(0) @binding(3) var<storage, read> confidence: array<f32>;
@group(0) @binding(4) var<storage, read> tables: array<f32>;
@group(0) @binding(5) var<storage, read_write> posterior: array<f32>;
@group(0) @binding(6) var<storage, read_write> columns: array<u32>;
@group(0) @binding(7) var<storage, read_write> status: atomic<u32>;

// What is not asked for is compiled away: one bit per rule of `Rule::SIMPLE` and per output of `Output::ALL`.
override RULES: u32 = 31u;
override OUTPUTS: u32 = 255u;
// 0 probabilities, 1 log-probabilities, 2 logits.
override ENCODING: u32 = 0u;
// 0 error, 1 missing, 2 renormalise.
override ON_INVALID: u32 = 0u;
override HAS_PRESENCE: bool = true;
override HAS_CONFIDENCE: bool = true;

const LANES: u32 = 256u;

const LINEAR: u32 = 1u;
const VOTE: u32 = 2u;
const MAX_VOTE: u32 = 4u;
const BAYESIAN_AVERAGE: u32 = 8u;
const LOG_POOL: u32 = 16u;

const PROBABILITIES: u32 = 0u;
const LOG_PROBABILITIES: u32 = 1u;
const LOGITS: u32 = 2u;

const LEAVE_OUT: u32 = 1u;
const RENORMALISE: u32 = 2u;

const POSTERIOR: u32 = 0u;
const DECISION: u32 = 1u;
const CONFIDENCE: u32 = 2u;
const MARGIN: u32 = 3u;
const ENTROPY: u32 = 4u;
const DISAGREEMENT: u32 = 5u;
const EFFECTIVE_SOURCES: u32 = 6u;
const FLAGS: u32 = 7u;

const NO_SOURCE: u32 = 1u;
const ZERO_WEIGHTS: u32 = 2u;
const INVALID_LEFT_OUT: u32 = 4u;
const RENORMALISED: u32 = 8u;

const SUM_TOLERANCE: f32 = 1e-3;
const TIE: f32 = 1e-6;

// Weights that sum to less come to nothing.
const WEIGHT_FLOOR: f32 = 0x1p-100f;
// What weights are multiplied by before they are squared.
const SQUARE_SCALE: f32 = 0x1p50f;

// The confidence of a source that says nothing of the item.
const ABSENT: f32 = -1.0;
// Row.first of a row with a value no policy mends.
const UNMENDABLE: u32 = 0xffffffffu;

// A row, or part of one: its largest value, the first class that has it, and sum p (sum exp(x - largest) for logits).
struct Row {
    largest: f32,
    sum: f32,
    first: u32,
}

// What one source says of one item, all classes taken together.
struct Opinion {
    // Step 3; 0 where absent.
    weight: f32,
    // Step 2; ABSENT where absent.
    confidence: f32,
    // p = x / shift for probabilities, exp(x - shift) for the others.
    shift: f32,
    // The class voted for.
    vote: u32,
    flags: u32,
}

// Four sources on one item.
struct Quad {
    weight: vec4<f32>,
    confidence: vec4<f32>,
    shift: vec4<f32>,
    vote: vec4<u32>,
    prior: vec4<f32>,
}

// Sums over sources that all classes of an item have in common.
struct Totals {
    weight: f32,
    square: f32,
    responsibility: f32,
    prior: f32,
    prior_square: f32,
    prior_responsibility: f32,
    present: f32,
    // 0: raw weights; 1: step 3's fall back to pi; 2: to equal weights.
    fallback: u32,
}

// Sums over sources for one class.
struct Pools {
    linear: f32,
    vote: f32,
    bayesian: f32,
    logarithm: f32,
    // Sum of w p ln p: what the sources' own entropies are made of.
    spread: f32,
    // Over the sources with the largest confidence so far.
    best: f32,
    best_linear: f32,
    best_weight: f32,
}

fn asked(output: u32) -> bool {
    return (OUTPUTS & (1u << output)) != 0u;
}

fn computed(rule: u32) -> bool {
    return (RULES & rule) != 0u;
}

fn vote_alone() -> bool {
    return RULES == VOTE;
}

// Writes one word of an output that is not the posterior, if it is asked for.
fn put(output: u32, item: u32, word: u32) {
    if (asked(output)) {
        let plane = countOneBits(OUTPUTS & ((1u << output) - 2u));
        columns[plane * params.stride + item] = word;
    }
}

// Four values as loaded, negative infinity made finite.
fn opened(x: vec4<f32>) -> vec4<f32> {
    if (ENCODING == PROBABILITIES) { return x; }
    return select(x, vec4(LOWEST), bitcast<vec4<u32>>(x) == vec4(NEGATIVE_INFINITY_BITS));
}

// Whether a value, opened, can stand in a row at all.
fn stands(x: f32) -> bool {
    let bits = bitcast<u32>(x);
    if (ENCODING == PROBABILITIES) { return is_finite_and_not_negative(bits); }
    // Its exponential alone would be infinite, and so would be the sum.
    if (ENCODING == LOG_PROBABILITIES) { return !is_bad(bits) && x < LARGEST_EXPONENT; }
    return !is_bad(bits);
}

// Two parts of one row as one.
fn merge(a: Row, b: Row) -> Row {
    let take_b = b.largest > a.largest || (b.largest == a.largest && b.first < a.first);
    var row = a;
    if (take_b) {
        row.largest = b.largest;
        row.first = b.first;
    }
    if (ENCODING == LOGITS) {
        row.sum = a.sum * exp_(a.largest - row.largest) + b.sum * exp_(b.largest - row.largest);
    } else {
        row.sum = a.sum + b.sum;
    }
    if (a.first == UNMENDABLE || b.first == UNMENDABLE) { row.first = UNMENDABLE; }
    return row;
}

// Steps 1 to 3 for one source once its row is walked; invalid opinions meet the policy here.
fn judge(source: u32, item: u32, row: Row) -> Opinion {
    var opinion = Opinion(0.0, ABSENT, 1.0, 0u, 0u);
    if (HAS_PRESENCE) {
        let word = presence[source * params.presence_words + (item >> 5u)];
        if (((word >> (item & 31u)) & 1u) == 0u) { return opinion; }
    }
    var given = NEGATIVE_INFINITY_BITS;
    if (HAS_CONFIDENCE) { given = bitcast<u32>(confidence[source * params.stride + item]); }
    let is_given = given != NEGATIVE_INFINITY_BITS;

    var mendable = row.first != UNMENDABLE && (!is_given || is_share(given));
    var off = false;
    if (ENCODING == LOGITS) {
        mendable = mendable && row.largest > LOWEST;
    } else {
        off = abs(row.sum - 1.0) > SUM_TOLERANCE;
        mendable = mendable && row.sum >= SMALLEST_NORMAL && !is_bad(bitcast<u32>(row.sum));
    }
    if (!mendable || (off && ON_INVALID != RENORMALISE)) {
        if (ON_INVALID == LEAVE_OUT) {
            opinion.flags = INVALID_LEFT_OUT;
        } else {
            atomicMin(&status, item);
        }
        return opinion;
    }
    if (off) { opinion.flags = RENORMALISED; }

    var c = row.largest;
    if (ENCODING == PROBABILITIES) {
        if (off) {
            opinion.shift = row.sum;
            c = row.largest / row.sum;
        }
    } else if (ENCODING == LOG_PROBABILITIES) {
        opinion.shift = 0.0;
        if (off) { opinion.shift = ln_(row.sum); }
        c = exp_(row.largest - opinion.shift);
    } else {
        opinion.shift = row.largest + ln_(row.sum);
        c = 1.0 / row.sum;
    }
    if (is_given) { c = abs(bitcast<f32>(given)); }
    opinion.confidence = c;
    opinion.weight = tables[4u * source] + tables[4u * source + 1u] * pow_(c, params.gamma);
    opinion.vote = row.first;
    return opinion;
}

fn prior_of(source: u32) -> f32 {
    return tables[4u * min(source, params.sources - 1u) + 2u];
}

fn class_prior(k: u32) -> f32 {
    return tables[4u * params.sources + k];
}

// Adds four sources to what all classes have in common.
fn weigh(totals: ptr<function, Totals>, quad: Quad) {
    let present = select(vec4(0.0), vec4(1.0), quad.confidence >= vec4(0.0));
    let prior = quad.prior * present;
    (*totals).present += dot(present, vec4(1.0));
    (*totals).weight += dot(quad.weight, vec4(1.0));
    (*totals).prior += dot(prior, vec4(1.0));
    if (asked(EFFECTIVE_SOURCES)) {
        let scaled = quad.weight * SQUARE_SCALE;
        (*totals).square += dot(scaled, scaled);
        let scaled_prior = prior * SQUARE_SCALE;
        (*totals).prior_square += dot(scaled_prior, scaled_prior);
    }
    if (computed(BAYESIAN_AVERAGE)) {
        (*totals).responsibility += dot(prior * quad.weight, quad.confidence);
        (*totals).prior_responsibility += dot(prior * prior, quad.confidence);
    }
}

// Step 3 where the raw weights are all zero: pi takes their place, or equal weights where pi is all zero too.
fn fall_back(totals: ptr<function, Totals>) {
    if ((*totals).present == 0.0 || (*totals).weight >= WEIGHT_FLOOR) { return; }
    if ((*totals).prior >= WEIGHT_FLOOR) {
        (*totals).fallback = 1u;
        (*totals).weight = (*totals).prior;
        (*totals).square = (*totals).prior_square;
        (*totals).responsibility = (*totals).prior_responsibility;
    } else {
        (*totals).fallback = 2u;
        (*totals).weight = (*totals).present;
        (*totals).square = (*totals).present * SQUARE_SCALE * SQUARE_SCALE;
        (*totals).responsibility = 0.0;
    }
}

fn no_pools() -> Pools {
    return Pools(0.0, 0.0, 0.0, 0.0, 0.0, ABSENT, 0.0, 0.0);
}

// Adds four sources' values for one class, opened, to the sums of step 5.
fn pool(pools: ptr<function, Pools>, k: u32, fallback: u32, x: vec4<f32>, quad: Quad) {
    let present = quad.confidence >= vec4(0.0);
    var w = quad.weight;
    if (fallback == 1u) { w = quad.prior; }
    if (fallback == 2u) { w = vec4(1.0); }
    // What is absent is selected away, never multiplied: it may be NaN.
    w = select(vec4(0.0), w, present);

    var p = x;
    var logarithm = x - quad.shift;
    if (ENCODING == PROBABILITIES) {
        if (ON_INVALID == RENORMALISE) { p = select(x / quad.shift, x, quad.shift == vec4(1.0)); }
    } else {
        p = exp4(logarithm);
    }
    p = select(vec4(0.0), p, present);
    if (computed(LOG_POOL) || asked(DISAGREEMENT)) {
        if (ENCODING == PROBABILITIES) { logarithm = ln4(p); }
        logarithm = select(vec4(0.0), max(logarithm, vec4(-88.0)), present);
    }

    if (computed(LINEAR | BAYESIAN_AVERAGE) || vote_alone() || asked(DISAGREEMENT)) {
        (*pools).linear += dot(w, p);
    }
    if (computed(VOTE)) {
        (*pools).vote += dot(select(vec4(0.0), w, quad.vote == vec4(k)), vec4(1.0));
    }
    if (computed(BAYESIAN_AVERAGE)) {
        let r = select(vec4(0.0), quad.prior * w * quad.confidence, present);
        (*pools).bayesian += dot(r, p);
    }
    if (computed(LOG_POOL)) {
        (*pools).logarithm += dot(w, clamp(logarithm, vec4(params.ln_floor), vec4(0.0)));
    }
    if (asked(DISAGREEMENT)) {
        (*pools).spread += dot(w, p * logarithm);
    }
    if (computed(MAX_VOTE)) {
        // Only sources with a weight count.
        let heard = select(vec4(ABSENT), quad.confidence, w > vec4(0.0));
        let halves = max(heard.xy, heard.zw);
        let largest = max(halves.x, halves.y);
        if (largest > (*pools).best) {
            (*pools).best = largest;
            (*pools).best_linear = 0.0;
            (*pools).best_weight = 0.0;
        }
        let best = select(vec4(0.0), w, heard == vec4((*pools).best));
        (*pools).best_linear += dot(best, p);
        (*pools).best_weight += dot(best, vec4(1.0));
    }
}

// The linear pool of one class.
fn linear_share(pools: Pools, totals: Totals) -> f32 {
    return pools.linear / totals.weight;
}

// The log pool of one class before its division. Weighted means of logarithms lie in [ln eps, 0]: taken from the middle
// of that range their exponentials neither overflow nor vanish, without a look for the largest.
fn log_power(pools: Pools, totals: Totals) -> f32 {
    return exp_(pools.logarithm / totals.weight - 0.5 * params.ln_floor);
}

// Step 6 for one class, before its division; `log_share` is the log pool's posterior.
fn mixture(pools: Pools, totals: Totals, log_share: f32) -> f32 {
    var p = 0.0;
    if (computed(LINEAR)) {
        p += params.mix_linear * linear_share(pools, totals);
    }
    if (computed(VOTE)) {
        p += params.mix_vote * (pools.vote / totals.weight);
    }
    if (computed(MAX_VOTE)) {
        p += params.mix_max_vote * (pools.best_linear / pools.best_weight);
    }
    if (computed(BAYESIAN_AVERAGE)) {
        // Step 4: without responsibilities the weights take their place.
        if (totals.responsibility >= WEIGHT_FLOOR) {
            p += params.mix_bayesian_average * (pools.bayesian / totals.responsibility);
        } else {
            p += params.mix_bayesian_average * linear_share(pools, totals);
        }
    }
    if (computed(LOG_POOL)) {
        p += params.mix_log_pool * log_share;
    }
    return p;
}

// One class's part of the disagreement, before the division by ln C.
fn divergence(pools: Pools, totals: Totals) -> f32 {
    let q = linear_share(pools, totals);
    return pools.spread / totals.weight - q * ln_(q);
}

// The outputs that need no class.
fn put_totals(item: u32, totals: Totals, opinion_flags: u32) {
    let none = totals.present == 0.0;
    var sources = 0.0;
    if (!none) {
        let weight = totals.weight * SQUARE_SCALE;
        sources = weight / (max(totals.square, SMALLEST_NORMAL) / weight);
    }
    put(EFFECTIVE_SOURCES, item, bitcast<u32>(sources));
    var flags = opinion_flags;
    if (none) { flags |= NO_SOURCE; }
    if (totals.fallback != 0u) { flags |= ZERO_WEIGHTS; }
    if (computed(BAYESIAN_AVERAGE) && !none && totals.responsibility < WEIGHT_FLOOR) { flags |= ZERO_WEIGHTS; }
    put(FLAGS, item, flags);
}
