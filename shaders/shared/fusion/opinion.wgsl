// Steps 1 to 3: what one source says of one item, from the form it comes in to probabilities and a weight.

// The confidence of a source that says nothing of the item.
const ABSENT: f32 = -1.0;
// Row.first of a row with a value no policy mends.
const UNMENDABLE: u32 = 0xffffffffu;
// No difference of logarithms counts for less: 1/T times it stays finite.
const DEEPEST: f32 = -1e30;

// A row, or part of one, of values as they stand.
struct Row {
    // Its largest value and the first class that has it; of margins, the second largest.
    largest: f32,
    second: f32,
    first: u32,
    // Sum p of probabilities and log-probabilities; of all others sum exp(l - largest l), l the logarithms.
    sum: f32,
    // MIXED: sum exp((l - largest l) / T), which is the same where T is 1.
    tempered: f32,
    // Of entropies: the terms of the last of these sums that there is, each times its own logarithm.
    spread: f32,
}

// What one source says of one item, all classes taken together.
struct Opinion {
    // Step 3; 0 where absent.
    weight: f32,
    // Step 2; ABSENT where absent.
    confidence: f32,
    // p = x / shift for probabilities, exp(x - shift) for logarithms, exp((l - top) / T - shift) for MIXED.
    shift: f32,
    top: f32,
    // The class voted for; C where it abstained.
    vote: u32,
    flags: u32,
}

// Four sources on one item.
struct Quad {
    source: u32,
    weight: vec4<f32>,
    confidence: vec4<f32>,
    shift: vec4<f32>,
    top: vec4<f32>,
    vote: vec4<u32>,
    prior: vec4<f32>,
}

// Four opinions on one class.
struct Said {
    p: vec4<f32>,
    // ln p, not clamped.
    logarithm: vec4<f32>,
}

fn absent() -> Opinion {
    return Opinion(0.0, ABSENT, 1.0, 0.0, 0u, 0u);
}

fn is_label(form: u32) -> bool {
    return form == LABELS_U8 || form == LABELS_U16;
}

fn is_logarithm(form: u32) -> bool {
    return form == LOG_PROBABILITIES || form == LOGITS || form == LOGITS_BF16 || form == LOGITS_F16;
}

// Of a row that has to sum to one, how far it may be off; 0 of one that need not.
fn tolerance(form: u32) -> f32 {
    if (form == PROBABILITIES || form == LOG_PROBABILITIES) { return SUM_TOLERANCE; }
    if (form == PROBABILITIES_F16) { return SUM_TOLERANCE_F16; }
    return select(0.0, SUM_TOLERANCE_BF16, form == PROBABILITIES_BF16);
}

fn byte_at(start: u32, at: u32) -> u32 {
    return (evidence[start + (at >> 2u)] >> (8u * (at & 3u))) & 0xffu;
}

fn half_at(start: u32, at: u32) -> u32 {
    return (evidence[start + (at >> 1u)] >> (16u * (at & 1u))) & 0xffffu;
}

// The f32 that 16 bits of IEEE half precision are. By integers, since a driver may make zero of what is subnormal there;
// in f32 it is not.
fn widened(half: u32) -> f32 {
    let size = half & 0x7fffu;
    var bits = (size << 13u) + 0x38000000u;
    if (size < 0x400u) { bits = bitcast<u32>(f32(size) * 0x1p-24f); }
    if (size >= 0x7c00u) { bits = (size << 13u) | INFINITY_BITS; }
    return bitcast<f32>(bits | ((half & 0x8000u) << 16u));
}

fn label_of(source: u32, item: u32, form: u32) -> u32 {
    let start = tables[TERMS * source + START];
    if (form == LABELS_U8) { return byte_at(start, item); }
    return half_at(start, item);
}

// The bits of the confidence a source gives, or those of negative infinity.
fn given(source: u32, item: u32) -> u32 {
    if (!HAS_CONFIDENCE) { return NEGATIVE_INFINITY_BITS; }
    return bitcast<u32>(confidence[source * params.stride + item]);
}

// Negative infinity made finite.
fn opened(x: f32) -> f32 {
    return select(x, LOWEST, bitcast<u32>(x) == NEGATIVE_INFINITY_BITS);
}

// What a source says of one class as it stands, opened; of labels, the probability; the last source again where there are
// fewer.
fn value(source: u32, item: u32, k: u32) -> f32 {
    let n = clamped(source);
    if (ENCODING != MIXED) {
        let x = bitcast<f32>(evidence[params.evidence_at + n * params.plane + item * params.row + k]);
        if (ENCODING == PROBABILITIES) { return x; }
        return opened(x);
    }
    let form = form_of(n);
    let start = tables[TERMS * n + START];
    let at = item * params.row + k;
    if (is_label(form)) {
        if (params.classes == 1u) { return 1.0; }
        let bits = given(n, item);
        let c = select(bitcast<f32>(bits), 1.0, bits == NEGATIVE_INFINITY_BITS);
        return select((1.0 - c) / f32(params.classes - 1u), c, label_of(n, item, form) == k);
    }
    if (form == QUANTISED_U8) { return f32(byte_at(start, at)); }
    if (form == BINARY) {
        let x = bitcast<f32>(evidence[start + item]);
        return select(1.0 - x, x, k == 0u);
    }
    if (form == PROBABILITIES_BF16 || form == LOGITS_BF16) {
        return opened(bitcast<f32>(half_at(start, at) << 16u));
    }
    if (form == PROBABILITIES_F16 || form == LOGITS_F16) { return opened(widened(half_at(start, at))); }
    return opened(bitcast<f32>(evidence[start + at]));
}

// As `value`, of the four sources from `source` on.
fn values_of(source: u32, item: u32, k: u32) -> vec4<f32> {
    return vec4(
        value(source, item, k),
        value(source + 1u, item, k),
        value(source + 2u, item, k),
        value(source + 3u, item, k)
    );
}

// Whether a value, opened, can stand in a row at all.
fn stands(x: f32, form: u32) -> bool {
    let bits = bitcast<u32>(x);
    if (!is_logarithm(form)) { return is_finite_and_not_negative(bits); }
    // The exponential of a log-probability alone would be infinite, and so would be the sum.
    return !is_bad(bits) && (form != LOG_PROBABILITIES || x < LARGEST_EXPONENT);
}

// MIXED: the logarithms of four values as they stand; LOWEST of zero.
fn logged4(x: vec4<f32>, is_logarithm: vec4<bool>) -> vec4<f32> {
    return select(select(ln4(x), vec4(LOWEST), x <= vec4(0.0)), x, is_logarithm);
}

fn logged(x: f32, form: u32) -> f32 {
    return logged4(vec4(x), vec4(is_logarithm(form))).x;
}

// Four values of the sources from `source` on, opened, as probabilities and their logarithms.
fn said(x: vec4<f32>, source: u32, shift: vec4<f32>, top: vec4<f32>) -> Said {
    var result: Said;
    if (ENCODING == PROBABILITIES) {
        result.p = x;
        if (ON_INVALID == RENORMALISE) { result.p = select(x / shift, x, shift == vec4(1.0)); }
        result.logarithm = ln4(result.p);
        return result;
    }
    if (ENCODING == MIXED) {
        let is_log = vec4(
            is_logarithm(form_of(source)),
            is_logarithm(form_of(source + 1u)),
            is_logarithm(form_of(source + 2u)),
            is_logarithm(form_of(source + 3u))
        );
        let depth = max(logged4(x, is_log) - top, vec4(DEEPEST));
        result.logarithm = depth * terms(source, SOURCE_INVERSE_TEMPERATURE) - shift;
    } else {
        result.logarithm = x - shift;
    }
    result.p = exp4(result.logarithm);
    return result;
}

// As `said`, of one value of one source: p and ln p.
fn said_once(x: f32, source: u32, shift: f32, top: f32) -> vec2<f32> {
    let one = said(vec4(x), source, vec4(shift), vec4(top));
    return vec2(one.p.x, one.logarithm.x);
}

// H(p_n) of a row whose p = exp(l - total), l the logarithms of its terms: those terms sum to `sum`, and each times its
// own logarithm to `spread`.
fn entropy_of(sum: f32, spread: f32, total: f32) -> f32 {
    return -exp_(-total) * (spread - total * sum);
}

// Steps 1 to 3 for one source once its row is walked; invalid opinions meet the policy here. Weights by distance to the
// consensus are `consensus_weight`'s to fill in.
fn judge(source: u32, item: u32, row: Row) -> Opinion {
    var opinion = absent();
    if (HAS_PRESENCE) {
        let word = presence[source * params.presence_words + (item >> 5u)];
        if (((word >> (item & 31u)) & 1u) == 0u) { return opinion; }
    }
    let form = form_of(source);
    var vote = row.first;
    var mendable = row.first != UNMENDABLE;
    if (is_label(form)) {
        vote = label_of(source, item, form);
        let most = select(MOST_U16, MOST_U8, form == LABELS_U8);
        if (vote == most) { return opinion; }
        if (vote == most - 1u) {
            opinion.vote = params.classes;
            opinion.flags = ABSTAINED;
            return opinion;
        }
        mendable = mendable && vote < params.classes;
    }
    let own = given(source, item);
    let is_given = own != NEGATIVE_INFINITY_BITS;
    mendable = mendable && (!is_given || is_share(own));

    // The logarithm of the row's sum, where it is one of exponentials.
    var log_sum = 0.0;
    var off = false;
    if (ENCODING == LOGITS) {
        mendable = mendable && row.largest > LOWEST;
        log_sum = row.largest + ln_(row.sum);
    } else if (ENCODING == MIXED) {
        let top = logged(row.largest, form);
        mendable = mendable && top > LOWEST;
        log_sum = top + ln_(row.sum);
        if (tolerance(form) > 0.0) {
            off = abs(exp_(log_sum) - 1.0) > tolerance(form);
            mendable = mendable && log_sum >= LEAST_EXPONENT && log_sum < LARGEST_EXPONENT;
        }
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

    // The row's own logarithms less those of `p`; of MIXED, those of the terms of the last sum.
    var total = 0.0;
    if (ENCODING == PROBABILITIES) {
        if (off) {
            opinion.shift = row.sum;
            total = ln_(row.sum);
        }
    } else if (ENCODING == LOG_PROBABILITIES) {
        opinion.shift = 0.0;
        if (off) { opinion.shift = ln_(row.sum); }
        total = opinion.shift;
    } else if (ENCODING == LOGITS) {
        opinion.shift = log_sum;
        total = ln_(row.sum);
    } else {
        opinion.shift = 0.0;
        let top = logged(row.largest, form);
        let is_16_bits = form == PROBABILITIES_BF16 || form == LOGITS_BF16 || form == PROBABILITIES_F16 || form == LOGITS_F16;
        let is_divided = off || form == LOGITS || is_16_bits || form == QUANTISED_U8;
        // Where nothing is divided the terms are relative to `top` all the same.
        total = -top;
        if (is_divided || term(source, SOURCE_INVERSE_TEMPERATURE) != 1.0) {
            opinion.top = top;
            opinion.shift = ln_(row.tempered);
            total = opinion.shift;
        }
    }
    let largest = said_once(row.largest, source, opinion.shift, opinion.top).x;
    var c = largest;
    if (ENCODING == LOGITS) { c = 1.0 / row.sum; }
    if (is_given) { c = abs(bitcast<f32>(own)); }
    opinion.confidence = c;
    opinion.vote = vote;
    if (by_consensus()) { return opinion; }
    var measure = c;
    if (BY == BY_MARGIN && !is_given) {
        measure = 1.0;
        if (params.classes > 1u) {
            measure = max(largest - said_once(row.second, source, opinion.shift, opinion.top).x, 0.0);
        }
    }
    if (BY == BY_ENTROPY && !is_given) {
        var sum = row.sum;
        if (ENCODING == MIXED) { sum = row.tempered; }
        measure = clamp(1.0 - entropy_of(sum, row.spread, total) * params.inverse_ln_classes, 0.0, 1.0);
    }
    opinion.weight = term(source, OFFSET) + term(source, SCALE) * pow_(measure, params.gamma);
    return opinion;
}

// One class's part of the distance between an opinion and the consensus.
fn apart(p: f32, q: f32) -> f32 {
    if (BY == BY_HELLINGER) { return sqrt(p * q); }
    let mean = 0.5 * (p + q);
    return 0.5 * (p * ln_(p) + q * ln_(q)) - mean * ln_(mean);
}

// The weight by that distance, its parts summed.
fn consensus_weight(source: u32, parts: f32) -> f32 {
    var distance = max(parts, 0.0) * 1.442695041;
    if (BY == BY_HELLINGER) { distance = sqrt(max(1.0 - parts, 0.0)); }
    return term(source, OFFSET) + term(source, SCALE) / (1.0 + params.steepness * distance);
}
