// Steps 4 to 6: the sums over sources and what the rules make of them.

// What `values` holds of a source that is absent: above every probability.
const ASIDE: u32 = 0x40000000u;

// Sums over sources that all classes of an item have in common.
struct Totals {
    weight: f32,
    square: f32,
    responsibility: f32,
    prior: f32,
    prior_square: f32,
    prior_responsibility: f32,
    present: f32,
    abstained: f32,
    // Sum t and A.
    trust: f32,
    trust_base: f32,
    // L.
    frame: f32,
    // Sum u.
    learned: f32,
    // 0: raw weights; 1: step 3's fall back to pi; 2: to equal weights.
    fallback: u32,
}

// Sums over sources for one class.
struct Pools {
    linear: f32,
    vote: f32,
    bayesian: f32,
    logarithm: f32,
    // Sum of w p ln p, and with class weights sum of w p without them: what the disagreement is made of.
    spread: f32,
    plain: f32,
    // Over the sources with the largest confidence so far.
    best: f32,
    best_linear: f32,
    best_weight: f32,
    // With class weights: W(k) and R(k).
    weight: f32,
    responsibility: f32,
    evidence: f32,
    power: f32,
    // L_k.
    mass: f32,
    trusted: f32,
    answers: f32,
    stacked: f32,
    learned: f32,
}

// Posteriors of the rules that need more than their own class.
struct Shares {
    log_pool: f32,
    extremised: f32,
    evidence: f32,
    power_mean: f32,
    median: f32,
    trimmed: f32,
    dempster_shafer: f32,
    confusion: f32,
    stacked: f32,
}

fn no_totals() -> Totals {
    return Totals(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, params.belief_constant + WEIGHT_FLOOR, 0.0, 0.0, 0u);
}

fn no_pools() -> Pools {
    return Pools(
        0.0, 0.0, 0.0, 0.0, 0.0, 0.0, ABSENT, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    );
}

fn no_shares() -> Shares {
    return Shares(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
}

fn sum4(x: vec4<f32>) -> f32 {
    return dot(x, vec4(1.0));
}

// ln of what is left to the frame, and to a class of probability p, by a source of reliability a.
fn ln_left(a: vec4<f32>, p: vec4<f32>) -> vec4<f32> {
    return max(ln4(a * p + (vec4(1.0) - a)), vec4(params.ln_floor));
}

// Adds four sources to what all classes have in common.
fn weigh(totals: ptr<function, Totals>, quad: Quad) {
    let present = quad.confidence >= vec4(0.0);
    let share = select(vec4(0.0), vec4(1.0), present);
    let prior = quad.prior * share;
    (*totals).present += sum4(share);
    (*totals).weight += sum4(quad.weight);
    (*totals).prior += sum4(prior);
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
    if (computed(BELIEF)) {
        (*totals).trust += dot(share, terms(quad.source, TRUST));
        (*totals).trust_base += dot(share, terms(quad.source, TRUST_BASE));
    }
    if (computed(ADAPTIVE)) {
        (*totals).learned += dot(share, terms(quad.source, LEARNED));
    }
    if (computed(CONFUSION)) {
        (*totals).abstained += sum4(select(vec4(0.0), vec4(1.0), quad.vote == vec4(params.classes)));
    }
    if (discounts()) {
        (*totals).frame += dot(share, ln_left(terms(quad.source, RELIABILITY), vec4(0.0)));
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

// Weights as step 3 leaves them.
fn fallen_back(weight: vec4<f32>, prior: vec4<f32>, fallback: u32) -> vec4<f32> {
    if (fallback == 1u) { return prior; }
    return select(weight, vec4(1.0), fallback == 2u);
}

// Adds four sources' values for one class, opened, to the sums of step 5. Answers what they say: p, and ln p clamped; both
// 0 where absent.
fn pool(pools: ptr<function, Pools>, k: u32, fallback: u32, x: vec4<f32>, quad: Quad) -> Said {
    let none = vec4(0.0);
    let present = quad.confidence >= none;
    // What is absent is selected away, never multiplied: it may be NaN.
    let plain = select(none, fallen_back(quad.weight, quad.prior, fallback), present);
    var w = plain;
    if (HAS_CLASS_WEIGHTS) {
        let n = quad.source;
        w *= vec4(class_weight(n, k), class_weight(n + 1u, k), class_weight(n + 2u, k), class_weight(n + 3u, k));
        (*pools).weight += sum4(w);
    }

    let opinions = said(x, quad.source, quad.shift, quad.top);
    let p = select(none, opinions.p, present);
    let logarithm = select(none, max(opinions.logarithm, vec4(-88.0)), present);
    let log_p = clamp(logarithm, vec4(params.ln_floor), none);

    if (computed(LINEAR | BAYESIAN_AVERAGE | MEDIAN | TRIMMED | ADAPTIVE) || vote_alone() || asked(DISAGREEMENT)) {
        (*pools).linear += dot(w, p);
    }
    if (computed(VOTE)) {
        (*pools).vote += sum4(select(none, w, quad.vote == vec4(k)));
    }
    if (computed(BAYESIAN_AVERAGE)) {
        let r = select(none, quad.prior * w * quad.confidence, present);
        (*pools).bayesian += dot(r, p);
        if (HAS_CLASS_WEIGHTS) { (*pools).responsibility += sum4(r); }
    }
    if (computed(LOG_POOL | EXTREMISED)) {
        (*pools).logarithm += dot(w, log_p);
    }
    if (asked(DISAGREEMENT)) {
        (*pools).spread += dot(plain, p * logarithm);
        if (HAS_CLASS_WEIGHTS) { (*pools).plain += dot(plain, p); }
    }
    if (computed(MAX_VOTE)) {
        // Only sources with a weight count.
        let heard = select(vec4(ABSENT), quad.confidence, plain > none);
        let halves = max(heard.xy, heard.zw);
        let largest = max(halves.x, halves.y);
        if (largest > (*pools).best) {
            (*pools).best = largest;
            (*pools).best_linear = 0.0;
            (*pools).best_weight = 0.0;
        }
        let best = select(none, w, heard == vec4((*pools).best));
        (*pools).best_linear += dot(best, p);
        (*pools).best_weight += sum4(best);
    }
    if (computed(EVIDENCE)) {
        let exponent = select(none, terms(quad.source, EXPONENT), present);
        (*pools).evidence += dot(exponent, log_p - vec4(ln_class_prior(k)));
    }
    if (computed(POWER_MEAN)) {
        // From the middle of the exponents' range, [0, r ln eps], none overflows or vanishes.
        let power = exp4(params.power * (log_p - vec4(0.5 * params.ln_floor)));
        (*pools).power += dot(w, power);
    }
    if (discounts()) {
        let left = ln_left(terms(quad.source, RELIABILITY), p);
        (*pools).mass += sum4(select(none, left, present));
    }
    if (computed(BELIEF)) {
        (*pools).trusted += dot(terms(quad.source, TRUST), p);
    }
    if (computed(ADAPTIVE)) {
        (*pools).learned += dot(terms(quad.source, LEARNED), p);
    }
    if (computed(CONFUSION)) {
        let heard = present | (quad.vote == vec4(params.classes));
        let answers = vec4(
            ln_theta(quad.source, quad.vote.x, k),
            ln_theta(quad.source + 1u, quad.vote.y, k),
            ln_theta(quad.source + 2u, quad.vote.z, k),
            ln_theta(quad.source + 3u, quad.vote.w, k)
        );
        (*pools).answers += sum4(select(none, answers, heard));
    }
    return Said(p, select(none, log_p, present));
}

// W, or W(k).
fn weight_of(pools: Pools, totals: Totals) -> f32 {
    if (HAS_CLASS_WEIGHTS) { return pools.weight; }
    return totals.weight;
}

// R, or R(k); 0 where the weights take the place of the responsibilities.
fn responsibility_of(pools: Pools, totals: Totals) -> f32 {
    if (HAS_CLASS_WEIGHTS) { return select(0.0, pools.responsibility, totals.responsibility >= WEIGHT_FLOOR); }
    return select(0.0, totals.responsibility, totals.responsibility >= WEIGHT_FLOOR);
}

// The linear pool of one class.
fn linear_share(pools: Pools, totals: Totals) -> f32 {
    return pools.linear / weight_of(pools, totals);
}

// The log pool of one class before its division. Weighted means of logarithms lie in [ln eps, 0]: taken from the middle
// of that range their exponentials neither overflow nor vanish, without a look for the largest.
fn log_power(pools: Pools, totals: Totals) -> f32 {
    return exp_(pools.logarithm / weight_of(pools, totals) - 0.5 * params.ln_floor);
}

// The power mean of one class before its division, which lies in [eps, 1], from the middle of that range.
fn mean_power(pools: Pools, totals: Totals) -> f32 {
    return exp_(ln_(pools.power / weight_of(pools, totals)) / params.power);
}

// Whose softmax the rule is, before it.
fn exponent_of(rule: u32, pools: Pools, totals: Totals, k: u32) -> f32 {
    switch rule {
        case EXTREMISED: { return params.extremise * (pools.logarithm / weight_of(pools, totals)); }
        case EVIDENCE: { return ln_class_prior(k) + pools.evidence; }
        case CONFUSION: { return ln_class_prior(k) + pools.answers; }
        default: { return stack_bias(k) + pools.stacked; }
    }
}

// exp L_k - exp L, both times exp -peak.
fn mass_of(pools: Pools, totals: Totals, peak: f32) -> f32 {
    return max(exp_(pools.mass - peak) - exp_(totals.frame - peak), 0.0);
}

// Dempster's posterior of one class before its division.
fn dempster_power(pools: Pools, totals: Totals, peak: f32, k: u32) -> f32 {
    return mass_of(pools, totals, peak) + class_prior(k) * exp_(totals.frame - peak);
}

// Yager's posterior of one class, the masses of all summed.
fn yager_share(pools: Pools, totals: Totals, masses: f32, k: u32) -> f32 {
    return mass_of(pools, totals, 0.0) + class_prior(k) * max(1.0 - masses, 0.0);
}

// Step 6 for one class, before its division.
fn mixture(pools: Pools, totals: Totals, shares: Shares, k: u32) -> f32 {
    if (totals.present == 0.0) {
        if (!computed(CONFUSION)) { return class_prior(k); }
        return params.mix_confusion * shares.confusion + (1.0 - params.mix_confusion) * class_prior(k);
    }
    var p = 0.0;
    if (computed(LINEAR)) {
        p += params.mix_linear * linear_share(pools, totals);
    }
    if (computed(VOTE)) {
        p += params.mix_vote * (pools.vote / weight_of(pools, totals));
    }
    if (computed(MAX_VOTE)) {
        p += params.mix_max_vote * (pools.best_linear / pools.best_weight);
    }
    if (computed(BAYESIAN_AVERAGE)) {
        // Step 4: without responsibilities the weights take their place.
        let responsibility = responsibility_of(pools, totals);
        if (responsibility > 0.0) {
            p += params.mix_bayesian_average * (pools.bayesian / responsibility);
        } else {
            p += params.mix_bayesian_average * linear_share(pools, totals);
        }
    }
    if (computed(LOG_POOL)) { p += params.mix_log_pool * shares.log_pool; }
    if (computed(EXTREMISED)) { p += params.mix_extremised * shares.extremised; }
    if (computed(EVIDENCE)) { p += params.mix_evidence * shares.evidence; }
    if (computed(POWER_MEAN)) { p += params.mix_power_mean * shares.power_mean; }
    if (computed(MEDIAN)) { p += params.mix_median * shares.median; }
    if (computed(TRIMMED)) { p += params.mix_trimmed * shares.trimmed; }
    if (computed(DEMPSTER_SHAFER)) { p += params.mix_dempster_shafer * shares.dempster_shafer; }
    if (computed(BELIEF)) {
        let total = totals.trust + totals.trust_base;
        p += params.mix_belief * ((pools.trusted + totals.trust_base * class_prior(k)) / total);
    }
    if (computed(CONFUSION)) { p += params.mix_confusion * shares.confusion; }
    if (computed(STACKED)) { p += params.mix_stacked * shares.stacked; }
    if (computed(ADAPTIVE)) {
        if (totals.learned >= WEIGHT_FLOOR) {
            p += params.mix_adaptive * (pools.learned / totals.learned);
        } else {
            p += params.mix_adaptive * linear_share(pools, totals);
        }
    }
    return p;
}

// Whether P is the class prior to the bit.
fn is_bare_prior(totals: Totals) -> bool {
    return totals.present == 0.0 && (!computed(CONFUSION) || totals.abstained == 0.0);
}

// ln P / T, LOWEST where P is zero.
fn cooled(p: f32) -> f32 {
    return select(LOWEST, ln_(p) * params.inverse_temperature, p > 0.0);
}

// Whether there are order statistics to find.
fn has_middle() -> bool {
    return computed(MEDIAN | TRIMMED);
}

// Puts a source's probability of one class aside, `at` being the item's and the class's place in a plane.
fn set_aside(source: u32, at: u32, p: f32, confidence: f32) {
    if (source < params.sources) {
        let plane = params.stride * params.classes;
        values[source * plane + at] = select(ASIDE, bitcast<u32>(p) & 0x7fffffffu, confidence >= 0.0);
    }
}

// Four sources' probabilities as they were put aside.
fn aside(source: u32, at: u32) -> vec4<u32> {
    let n = vec4(source) + vec4(0u, 1u, 2u, 3u);
    let last = vec4(params.sources - 1u);
    let places = min(n, last) * (params.stride * params.classes) + vec4(at);
    let found = vec4(values[places.x], values[places.y], values[places.z], values[places.w]);
    return select(vec4(ASIDE), found, n <= last);
}

// How many of four numbers are true.
fn count(x: vec4<bool>) -> u32 {
    return dot(select(vec4(0u), vec4(1u), x), vec4(1u));
}

// The median and the trimmed mean of one class, of so many sources, before their division. Probabilities are in the order
// of their bits; of each of the four that bound the middle, the bits are found from the highest down.
fn middle(at: u32, present: f32) -> vec2<f32> {
    let m = u32(max(present, 1.0));
    let off = min(u32(params.trim * present + TRIM_ROUNDING), (m - 1u) / 2u);
    let rank = vec4((m - 1u) / 2u, m / 2u, off, m - 1u - off);
    var found = vec4(0u);
    for (var bit = ASIDE >> 1u; bit > 0u; bit >>= 1u) {
        let candidate = found | vec4(bit);
        var below = vec4(0u);
        for (var n = 0u; n < params.sources; n += 4u) {
            let x = aside(n, at);
            if (computed(MEDIAN)) {
                below.x += count(x < vec4(candidate.x));
                below.y += count(x < vec4(candidate.y));
            }
            if (computed(TRIMMED)) {
                below.z += count(x < vec4(candidate.z));
                below.w += count(x < vec4(candidate.w));
            }
        }
        found = select(found, candidate, below <= rank);
    }
    let bounds = bitcast<vec4<f32>>(found);
    var trimmed = bounds.z;
    if (computed(TRIMMED) && found.z != found.w) {
        // The ones between the bounds, and as many equal to either as are left in.
        var inside = 0.0;
        var from_low = 0u;
        var below_high = 0u;
        for (var n = 0u; n < params.sources; n += 4u) {
            let x = aside(n, at);
            let is_inside = (x > vec4(found.z)) & (x < vec4(found.w));
            inside += sum4(select(vec4(0.0), bitcast<vec4<f32>>(x), is_inside));
            from_low += count(x <= vec4(found.z));
            below_high += count(x < vec4(found.w));
        }
        inside += bounds.z * f32(from_low - off) + bounds.w * f32(m - off - below_high);
        trimmed = inside / f32(m - 2u * off);
    }
    return vec2(0.5 * (bounds.x + bounds.y), trimmed);
}
