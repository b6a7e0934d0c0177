// What is written of an item beside its posterior.

// What the contributions of an item's sources go by, of the decision (x) and of the runner-up (y).
struct Sides {
    class_: vec2<u32>,
    // W, R and the weight of the most confident, of either class.
    weight: vec2<f32>,
    responsibility: vec2<f32>,
    best_weight: vec2<f32>,
    // The largest confidence of a source with a weight.
    best: f32,
    // What a difference of terms is multiplied by.
    scale: f32,
}

// Where a class of an item's posterior goes.
fn answer_at(item: u32, k: u32) -> u32 {
    return params.answer_at + item * params.answer_row + k;
}

// Where a column of `columns` begins.
fn column(output: u32) -> u32 {
    return countOneBits(OUTPUTS & ((1u << output) - 2u)) * params.stride;
}

// Writes one word of an output that has one per item, if it is asked for.
fn put(output: u32, item: u32, word: u32) {
    if (asked(output)) { columns[column(output) + item] = word; }
}

fn put_number(output: u32, item: u32, x: f32) {
    put(output, item, bitcast<u32>(x));
}

// One class's part of the disagreement, before the division by ln C.
fn divergence(pools: Pools, totals: Totals) -> f32 {
    var q = pools.linear / totals.weight;
    if (HAS_CLASS_WEIGHTS) { q = pools.plain / totals.weight; }
    return pools.spread / totals.weight - q * ln_(q);
}

// The outputs that need no class; `flags` are those of the opinions and of the middles.
fn put_totals(item: u32, totals: Totals, opinion_flags: u32) {
    let none = totals.present == 0.0;
    var sources = 0.0;
    if (!none) {
        let weight = totals.weight * SQUARE_SCALE;
        sources = weight / (max(totals.square, SMALLEST_NORMAL) / weight);
    }
    put_number(EFFECTIVE_SOURCES, item, sources);
    var flags = opinion_flags;
    if (none) { flags |= NO_SOURCE; }
    if (totals.fallback != 0u) { flags |= ZERO_WEIGHTS; }
    if (computed(BAYESIAN_AVERAGE) && !none && totals.responsibility < WEIGHT_FLOOR) { flags |= ZERO_WEIGHTS; }
    put(FLAGS, item, flags);
}

// The conflict, the masses of all classes summed.
fn put_conflict(item: u32, totals: Totals, masses: f32) {
    let conflict = clamp(1.0 - masses - exp_(totals.frame), 0.0, 1.0);
    put_number(CONFLICT, item, select(conflict, 0.0, totals.present == 0.0));
}

// (ln a - ln b) / (a - b), by its series where a and b are near.
fn per_logarithmic_mean(a: f32, b: f32) -> f32 {
    let u = (a - b) / (a + b);
    let square = u * u;
    if (square < 0.0625) {
        var series = fma(square, 1.0 / 9.0, 1.0 / 7.0);
        series = fma(series, square, 1.0 / 5.0);
        series = fma(series, square, 1.0 / 3.0);
        return fma(series, square, 1.0) * 2.0 / (a + b);
    }
    return ln_(a / b) / (a - b);
}

// What a difference of terms is multiplied by, given the posteriors of decision and runner-up before tempering, and by
// what they were divided.
fn scale_of(p: vec2<f32>, total: f32) -> f32 {
    if (!computed(ARITHMETIC)) { return params.inverse_temperature; }
    let least = exp_(params.ln_floor);
    return params.inverse_temperature * per_logarithmic_mean(max(p.x, least), max(p.y, least)) / total;
}

// What one source did for the decision against the runner-up. `x` are its values for both; `stacked` is the difference of
// its terms of `Stacked`.
fn contribution(
    source: u32,
    opinion: Opinion,
    x: vec2<f32>,
    stacked: f32,
    totals: Totals,
    sides: Sides
) -> f32 {
    if (totals.present == 0.0 || params.classes == 1u) { return 0.0; }
    if (computed(CONFUSION)) {
        if (opinion.confidence < 0.0 && opinion.vote != params.classes) { return 0.0; }
        let of_decision = ln_theta(source, opinion.vote, sides.class_.x);
        return (of_decision - ln_theta(source, opinion.vote, sides.class_.y)) * sides.scale;
    }
    if (opinion.confidence < 0.0) { return 0.0; }
    if (computed(STACKED)) { return stacked * sides.scale; }

    let d = said_once(x.x, source, opinion.shift, opinion.top);
    let r = said_once(x.y, source, opinion.shift, opinion.top);
    let p = vec2(d.x, r.x);
    let prior = term(source, PRIOR);
    let plain = fallen_back(vec4(opinion.weight), vec4(prior), totals.fallback).x;
    var w = vec2(plain);
    if (HAS_CLASS_WEIGHTS) {
        w *= vec2(class_weight(source, sides.class_.x), class_weight(source, sides.class_.y));
    }
    let of_weight = w / sides.weight;
    let log_p = clamp(vec2(d.y, r.y), vec2(params.ln_floor), vec2(0.0));
    var parts = vec2(0.0);
    if (computed(LOG_POOL)) { parts = of_weight * log_p; }
    if (computed(EXTREMISED)) { parts = params.extremise * (of_weight * log_p); }
    if (computed(EVIDENCE)) {
        let priors = vec2(ln_class_prior(sides.class_.x), ln_class_prior(sides.class_.y));
        parts = term(source, EXPONENT) * (log_p - priors);
    }
    if (computed(LINEAR)) { parts += params.mix_linear * of_weight * p; }
    if (computed(VOTE)) {
        parts += params.mix_vote * select(vec2(0.0), of_weight, sides.class_ == vec2(opinion.vote));
    }
    if (computed(MAX_VOTE) && plain > 0.0 && opinion.confidence == sides.best) {
        parts += params.mix_max_vote * (w / sides.best_weight) * p;
    }
    if (computed(BAYESIAN_AVERAGE)) {
        var share = of_weight;
        if (sides.responsibility.x > 0.0) { share = prior * w * opinion.confidence / sides.responsibility; }
        parts += params.mix_bayesian_average * share * p;
    }
    if (computed(BELIEF)) {
        parts += params.mix_belief * (term(source, TRUST) / (totals.trust + totals.trust_base)) * p;
    }
    if (computed(ADAPTIVE)) {
        var share = of_weight;
        if (totals.learned >= WEIGHT_FLOOR) { share = vec2(term(source, LEARNED) / totals.learned); }
        parts += params.mix_adaptive * share * p;
    }
    return (parts.x - parts.y) * sides.scale;
}
