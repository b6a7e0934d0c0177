// The pool for more than 256 classes: a workgroup is one item, its lanes stride over the classes. The first sweep judges
// the opinions, four sources at a time; further sweeps find what has to be summed over all classes first, the posterior
// and its reductions, and what else is asked for. One loop does them all, because a function is compiled once per call.
// How the lanes' parts become one, and `main`, stand in shared/fusion: by a tree, or by subgroups.

// Sources whose opinions workgroup memory holds; of more, they are judged anew for every 256 classes of every sweep.
const HELD: u32 = 512u;

// One entry per lane or subgroup, and four sources: parts of rows; later, parts of the item's reductions.
var<workgroup> part_largest: array<vec4<f32>, LANES>;
var<workgroup> part_sum: array<vec4<f32>, LANES>;
// Of margins the second largest, of entropies the spread.
var<workgroup> part_other: array<vec4<f32>, LANES>;
var<workgroup> part_tempered: array<vec4<f32>, LANES>;
var<workgroup> part_first: array<vec4<u32>, LANES>;
// One entry per source held.
var<workgroup> held_weight: array<f32, HELD>;
var<workgroup> held_confidence: array<f32, HELD>;
var<workgroup> held_shift: array<f32, HELD>;
var<workgroup> held_top: array<f32, HELD>;
var<workgroup> held_vote: array<u32, HELD>;
var<workgroup> item_flags: atomic<u32>;

// Parts of four rows, as `Row` has them.
struct Rows {
    largest: vec4<f32>,
    sum: vec4<f32>,
    other: vec4<f32>,
    tempered: vec4<f32>,
    first: vec4<u32>,
}

// What a lane, and in the end the item, knows of its posterior.
struct Summary {
    total: f32,
    best: f32,
    second: f32,
    decision: u32,
    runner_up: u32,
    // Sum of P ln P before the division by `total`.
    negative_entropy: f32,
    disagreement: f32,
}

// Three times four numbers of a lane that are reduced together.
struct Trio {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
}

// What the rules that take a look at all classes find there: of the softmax of extremised, evidence, confusion and stacked
// the peaks and the sums above them; of the others sums alone; of the masses the peak, Dempster's sum above it and the sum.
struct Norms {
    peaks: vec4<f32>,
    sums: vec4<f32>,
    // Log pool, power mean, median, trimmed.
    plain: vec4<f32>,
    masses: vec4<f32>,
}

fn rows_at(i: u32) -> Rows {
    var rows = Rows(part_largest[i], part_sum[i], vec4(LOWEST), vec4(0.0), part_first[i]);
    if (BY == BY_MARGIN || BY == BY_ENTROPY) { rows.other = part_other[i]; }
    if (ENCODING == MIXED) { rows.tempered = part_tempered[i]; }
    return rows;
}

fn keep_rows(i: u32, rows: Rows) {
    part_largest[i] = rows.largest;
    part_sum[i] = rows.sum;
    part_first[i] = rows.first;
    if (BY == BY_MARGIN || BY == BY_ENTROPY) { part_other[i] = rows.other; }
    if (ENCODING == MIXED) { part_tempered[i] = rows.tempered; }
}

// Whether the values of the four sources from n on are logarithms.
fn are_logarithms(n: u32) -> vec4<bool> {
    return vec4(
        is_logarithm(form_of(n)),
        is_logarithm(form_of(n + 1u)),
        is_logarithm(form_of(n + 2u)),
        is_logarithm(form_of(n + 3u))
    );
}

// 1/T of the four sources from n on.
fn coolings(n: u32) -> vec4<f32> {
    if (ENCODING != MIXED) { return vec4(1.0); }
    return terms(n, SOURCE_INVERSE_TEMPERATURE);
}

// The logarithms of four sources' values, of which sums of exponentials are taken.
fn logarithms(n: u32, x: vec4<f32>) -> vec4<f32> {
    if (ENCODING == MIXED) { return logged4(x, are_logarithms(n)); }
    return x;
}

// Sums of exponentials told in terms of larger largest values, whose logarithms are so much higher.
fn lowered(rows: Rows, n: u32, top: vec4<f32>) -> Rows {
    let depth = max(logarithms(n, rows.largest) - top, vec4(DEEPEST));
    let cooled = depth * coolings(n);
    var result = rows;
    if (BY == BY_ENTROPY) {
        var sum = rows.sum;
        if (ENCODING == MIXED) { sum = rows.tempered; }
        result.other = exp4(cooled) * (rows.other + cooled * sum);
    }
    result.sum = rows.sum * exp4(depth);
    if (ENCODING == MIXED) { result.tempered = rows.tempered * exp4(cooled); }
    return result;
}

// Two parts of each of the rows of the four sources from n on as one.
fn merge_rows(a: Rows, b: Rows, n: u32) -> Rows {
    let take_b = (b.largest > a.largest) | ((b.largest == a.largest) & (b.first < a.first));
    var rows = a;
    rows.largest = select(a.largest, b.largest, take_b);
    rows.first = select(a.first, b.first, take_b);
    var left = a;
    var right = b;
    if (ENCODING == LOGITS || ENCODING == MIXED) {
        let top = logarithms(n, rows.largest);
        left = lowered(a, n, top);
        right = lowered(b, n, top);
    }
    rows.sum = left.sum + right.sum;
    rows.tempered = left.tempered + right.tempered;
    if (BY == BY_ENTROPY) { rows.other = left.other + right.other; }
    if (BY == BY_MARGIN) { rows.other = max(min(a.largest, b.largest), max(a.other, b.other)); }
    let unmendable = vec4(UNMENDABLE);
    rows.first = select(rows.first, unmendable, (a.first == unmendable) | (b.first == unmendable));
    return rows;
}

// The classes of one lane of the rows of the four sources from n on.
fn walk(lane: u32, item: u32, n: u32) -> Rows {
    let forms = vec4(form_of(n), form_of(n + 1u), form_of(n + 2u), form_of(n + 3u));
    let cooling = coolings(n);
    var rows = Rows(vec4(LOWEST), vec4(0.0), vec4(0.0), vec4(0.0), vec4(lane));
    if (BY == BY_MARGIN) { rows.other = vec4(LOWEST); }
    var unmendable = vec4(false);
    for (var k = lane; k < params.classes; k += LANES) {
        let x = values_of(n, item, k);
        unmendable |= vec4(
            !stands(x.x, forms.x),
            !stands(x.y, forms.y),
            !stands(x.z, forms.z),
            !stands(x.w, forms.w)
        );
        if (BY == BY_MARGIN) { rows.other = max(rows.other, min(rows.largest, x)); }
        let higher = x > rows.largest;
        if (ENCODING == LOGITS || ENCODING == MIXED) {
            let l = logarithms(n, x);
            let top = max(logarithms(n, rows.largest), l);
            rows = lowered(rows, n, top);
            let depth = max(l - top, vec4(DEEPEST));
            let cooled = exp4(depth * cooling);
            rows.sum += exp4(depth);
            rows.tempered += cooled;
            if (BY == BY_ENTROPY) { rows.other += cooled * (depth * cooling); }
        }
        rows.largest = select(rows.largest, x, higher);
        rows.first = select(rows.first, vec4(k), higher);
        if (ENCODING == PROBABILITIES) {
            rows.sum += x;
            if (BY == BY_ENTROPY) { rows.other += x * ln4(x); }
        }
        if (ENCODING == LOG_PROBABILITIES) {
            rows.sum += exp4(x);
            if (BY == BY_ENTROPY) { rows.other += exp4(x) * max(x, vec4(DEEPEST)); }
        }
    }
    rows.first = select(rows.first, vec4(UNMENDABLE), unmendable);
    return rows;
}

// Steps 1 to 3 for the sources [base, base + HELD), without weights by distance to the consensus.
fn judge_held(lane: u32, item: u32, base: u32) {
    let end = min(base + HELD, params.sources);
    for (var n = base; n < end; n += 4u) {
        let whole = rows_across(lane, n, walk(lane, item, n));
        if (lane < 4u) {
            var opinion = absent();
            if (n + lane < params.sources) {
                let other = whole.other[lane];
                let row =
                    Row(whole.largest[lane], other, whole.first[lane], whole.sum[lane], whole.tempered[lane], other);
                opinion = judge(n + lane, item, row);
            }
            let i = n - base + lane;
            held_weight[i] = opinion.weight;
            held_confidence[i] = opinion.confidence;
            held_shift[i] = opinion.shift;
            if (ENCODING == MIXED) { held_top[i] = opinion.top; }
            held_vote[i] = opinion.vote;
            if (opinion.flags != 0u) { atomicOr(&item_flags, opinion.flags); }
        }
    }
    workgroupBarrier();
}

// Where in `values` the consensus on an item's class is.
fn consensus_at(item: u32, k: u32) -> u32 {
    let planes = select(0u, params.sources, has_middle());
    return (planes * params.stride + item) * params.classes + k;
}

// Fills in the weights by distance to the consensus of the opinions held.
fn weigh_held(lane: u32, item: u32, base: u32) {
    let end = min(base + HELD, params.sources);
    for (var n = base; n < end; n += 4u) {
        let quad = quad_of(base, n);
        var parts = vec4(0.0);
        for (var k = lane; k < params.classes; k += LANES) {
            let q = bitcast<f32>(values[consensus_at(item, k)]);
            let p = said(values_of(n, item, k), n, quad.shift, quad.top).p;
            parts += vec4(apart(p.x, q), apart(p.y, q), apart(p.z, q), apart(p.w, q));
        }
        let whole = sum_across(lane, parts);
        if (lane < 4u && n + lane < params.sources && held_confidence[n - base + lane] >= 0.0) {
            held_weight[n - base + lane] = consensus_weight(n + lane, whole[lane]);
        }
    }
    workgroupBarrier();
}

// Four of the opinions held.
fn quad_of(base: u32, n: u32) -> Quad {
    let i = n - base;
    var quad: Quad;
    quad.source = n;
    quad.weight = vec4(held_weight[i], held_weight[i + 1u], held_weight[i + 2u], held_weight[i + 3u]);
    quad.confidence =
        vec4(held_confidence[i], held_confidence[i + 1u], held_confidence[i + 2u], held_confidence[i + 3u]);
    quad.shift = vec4(held_shift[i], held_shift[i + 1u], held_shift[i + 2u], held_shift[i + 3u]);
    if (ENCODING == MIXED) { quad.top = vec4(held_top[i], held_top[i + 1u], held_top[i + 2u], held_top[i + 3u]); }
    quad.vote = vec4(held_vote[i], held_vote[i + 1u], held_vote[i + 2u], held_vote[i + 3u]);
    quad.prior = terms(n, PRIOR);
    return quad;
}

// Four sources' part of sum A_n ln p_n for one class.
fn stack_quad(item: u32, quad: Quad, k: u32) -> f32 {
    let n = quad.source;
    let present = quad.confidence >= vec4(0.0);
    var sum = 0.0;
    for (var j = 0u; j < params.classes; j++) {
        let logarithm = said(values_of(n, item, j), n, quad.shift, quad.top).logarithm;
        let logs = select(vec4(0.0), clamp(logarithm, vec4(params.ln_floor), vec4(0.0)), present);
        let weights = vec4(
            stack_weight(n, j, k),
            stack_weight(n + 1u, j, k),
            stack_weight(n + 2u, j, k),
            stack_weight(n + 3u, j, k)
        );
        sum += dot(logs, weights);
    }
    return sum;
}

// Two summaries as one, `total` apart.
fn join(a: Summary, b: Summary) -> Summary {
    let take_b = b.best > a.best || (b.best == a.best && b.decision < a.decision);
    var joined = a;
    var other = b;
    if (take_b) {
        joined = b;
        other = a;
    }
    if (other.best > joined.second || (other.best == joined.second && other.decision < joined.runner_up)) {
        joined.second = other.best;
        joined.runner_up = other.decision;
    }
    joined.total = a.total + b.total;
    joined.negative_entropy = a.negative_entropy + b.negative_entropy;
    joined.disagreement = a.disagreement + b.disagreement;
    return joined;
}

fn summary_at(i: u32) -> Summary {
    let sums = part_sum[i];
    let bests = part_largest[i];
    let classes = part_first[i];
    return Summary(sums.x, bests.x, bests.y, classes.x, classes.y, sums.y, sums.z);
}

fn keep_summary(i: u32, summary: Summary) {
    part_sum[i] = vec4(summary.total, summary.negative_entropy, summary.disagreement, 0.0);
    part_largest[i] = vec4(summary.best, summary.second, 0.0, 0.0);
    part_first[i] = vec4(summary.decision, summary.runner_up, 0u, 0u);
}

// The exponents of the softmax rules for one class.
fn exponents_of(pools: Pools, totals: Totals, k: u32) -> vec4<f32> {
    var x = vec4(0.0);
    if (computed(EXTREMISED)) { x.x = exponent_of(EXTREMISED, pools, totals, k); }
    if (computed(EVIDENCE)) { x.y = exponent_of(EVIDENCE, pools, totals, k); }
    if (computed(CONFUSION)) { x.z = exponent_of(CONFUSION, pools, totals, k); }
    if (computed(STACKED)) { x.w = exponent_of(STACKED, pools, totals, k); }
    return x;
}

fn no_norms() -> Norms {
    return Norms(vec4(LOWEST), vec4(0.0), vec4(0.0), vec4(LOWEST, 0.0, 0.0, 0.0));
}

// Adds one class to what the rules find in all of them.
fn take_in(norms: ptr<function, Norms>, pools: Pools, totals: Totals, k: u32, at: u32) {
    if (computed(EXTREMISED | EVIDENCE | CONFUSION | STACKED)) {
        let x = exponents_of(pools, totals, k);
        let peaks = max((*norms).peaks, x);
        (*norms).sums = (*norms).sums * exp4((*norms).peaks - peaks) + exp4(x - peaks);
        (*norms).peaks = peaks;
    }
    if (computed(LOG_POOL)) { (*norms).plain.x += log_power(pools, totals); }
    if (computed(POWER_MEAN)) { (*norms).plain.y += mean_power(pools, totals); }
    if (has_middle()) {
        let found = middle(at, totals.present);
        (*norms).plain.z += found.x;
        (*norms).plain.w += found.y;
    }
    if (discounts()) {
        let before = (*norms).masses.x;
        let peak = max(before, pools.mass);
        (*norms).masses.x = peak;
        (*norms).masses.y =
            (*norms).masses.y * exp_(before - peak) + dempster_power(pools, totals, peak, k);
        (*norms).masses.z += mass_of(pools, totals, 0.0);
    }
}

// What all lanes took in, to all of them.
fn norms_across(lane: u32, own: Norms) -> Norms {
    let peaks = trio_across(lane, Trio(own.peaks, own.masses, vec4(0.0)), true);
    let higher = exp_(own.masses.x - peaks.b.x);
    let masses = vec4(0.0, own.masses.y * higher, own.masses.z, 0.0);
    let sums = trio_across(lane, Trio(own.sums * exp4(own.peaks - peaks.a), own.plain, masses), false);
    return Norms(peaks.a, sums.a, sums.b, vec4(peaks.b.x, sums.c.yz, 0.0));
}

// The posteriors of step 5 that took a look at all classes.
fn shares_of(pools: Pools, totals: Totals, norms: Norms, k: u32, at: u32) -> Shares {
    var shares = no_shares();
    if (computed(EXTREMISED | EVIDENCE | CONFUSION | STACKED)) {
        let found = exp4(exponents_of(pools, totals, k) - norms.peaks) / norms.sums;
        shares.extremised = found.x;
        shares.evidence = found.y;
        shares.confusion = found.z;
        shares.stacked = found.w;
    }
    if (computed(LOG_POOL)) { shares.log_pool = log_power(pools, totals) / norms.plain.x; }
    if (computed(POWER_MEAN)) { shares.power_mean = mean_power(pools, totals) / norms.plain.y; }
    if (has_middle()) {
        let found = middle(at, totals.present) / norms.plain.zw;
        let linear = linear_share(pools, totals);
        shares.median = select(linear, found.x, norms.plain.z >= MIDDLE_FLOOR);
        shares.trimmed = select(linear, found.y, norms.plain.w >= MIDDLE_FLOOR);
    }
    if (computed(DEMPSTER_SHAFER)) {
        if (YAGER) {
            shares.dempster_shafer = yager_share(pools, totals, norms.masses.z, k);
        } else {
            shares.dempster_shafer = dempster_power(pools, totals, norms.masses.x, k) / norms.masses.y;
        }
    }
    return shares;
}

// Whether a rule or an output asks for what only a sweep before the posterior finds.
fn has_norms() -> bool {
    return computed(LOG_POOL | EXTREMISED | EVIDENCE | POWER_MEAN | CONFUSION | STACKED) || has_middle() || discounts();
}

// What the block's sources did for the decision.
fn put_contributions(lane: u32, item: u32, base: u32, totals: Totals, sides: Sides) {
    let end = min(base + HELD, params.sources);
    for (var n = base + lane; n < end; n += LANES) {
        let i = n - base;
        var opinion = Opinion(held_weight[i], held_confidence[i], held_shift[i], 0.0, held_vote[i], 0u);
        if (ENCODING == MIXED) { opinion.top = held_top[i]; }
        var stacked = 0.0;
        if (computed(STACKED) && opinion.confidence >= 0.0) {
            for (var j = 0u; j < params.classes; j++) {
                let log_p = said_once(value(n, item, j), n, opinion.shift, opinion.top).y;
                let apart = stack_weight(n, j, sides.class_.x) - stack_weight(n, j, sides.class_.y);
                stacked += apart * clamp(log_p, params.ln_floor, 0.0);
            }
        }
        let x = vec2(value(n, item, sides.class_.x), value(n, item, sides.class_.y));
        let word = contribution(n, opinion, x, stacked, totals, sides);
        columns[column(CONTRIBUTIONS) + item * params.sources + n] = bitcast<u32>(word);
    }
}

// The sweeps over the evidence, those left out that nothing asks for. In the last three all lanes do the same class, the
// decision and then the runner-up, and at last turn to the sources.
const JUDGE: u32 = 0u;
const AVERAGE: u32 = 1u;
const WEIGH: u32 = 2u;
const NORMALISE: u32 = 3u;
const POOL: u32 = 4u;
const TEMPER: u32 = 5u;
const BREAK_TIES: u32 = 6u;
const DECIDED: u32 = 7u;
const RUNNER_UP: u32 = 8u;
const CONTRIBUTE: u32 = 9u;
const SWEEPS: u32 = 10u;

fn leaves_out(sweep: u32) -> bool {
    if (sweep == AVERAGE || sweep == WEIGH) { return !by_consensus(); }
    if (sweep == NORMALISE) { return !has_norms(); }
    if (sweep == TEMPER) { return !TEMPERED; }
    if (sweep == BREAK_TIES) { return !(vote_alone() && (asked(DECISION) || asked(CONTRIBUTIONS))); }
    return sweep >= DECIDED && !asked(CONTRIBUTIONS);
}

// What a workgroup does.
fn fuse_item(group: vec3<u32>, lane: u32) {
    let item = params.first + group.y * params.groups_per_row + group.x;
    if (item >= params.items) { return; }

    if (lane == 0u) { atomicStore(&item_flags, 0u); }
    var totals = no_totals();
    var norms = no_norms();
    // What the posterior is divided by, before and after tempering, and its largest value before.
    var untempered = 1.0;
    var total = 1.0;
    var peak = 1.0;
    var whole: Summary;
    var sides: Sides;
    for (var sweep = JUDGE; sweep < SWEEPS; sweep++) {
        if (leaves_out(sweep)) { continue; }
        if (sweep == WEIGH) { totals = no_totals(); }
        var own = Summary(0.0, -1.0, -1.0, 0u, 0u, 0.0, 0.0);
        for (var start = 0u; start < params.classes; start += LANES) {
            let k = start + lane;
            // Lanes past the end repeat the last class, so that barriers are met by all.
            var busy = min(k, params.classes - 1u);
            if (sweep == DECIDED) { busy = sides.class_.x; }
            if (sweep == RUNNER_UP) { busy = sides.class_.y; }
            let at = item * params.classes + busy;
            var pools = no_pools();
            var mean = 0.0;
            for (var base = 0u; base < params.sources; base += HELD) {
                if (sweep == JUDGE || params.sources > HELD) {
                    workgroupBarrier();
                    judge_held(lane, item, base);
                }
                if (by_consensus() && (sweep == WEIGH || (sweep > WEIGH && params.sources > HELD))) {
                    weigh_held(lane, item, base);
                }
                if (sweep == CONTRIBUTE) {
                    put_contributions(lane, item, base, totals, sides);
                    continue;
                }
                let end = min(base + HELD, params.sources);
                for (var n = base; n < end; n += 4u) {
                    let quad = quad_of(base, n);
                    if (sweep == JUDGE || sweep == WEIGH) {
                        weigh(&totals, quad);
                        continue;
                    }
                    let x = values_of(n, item, busy);
                    if (sweep == AVERAGE) {
                        let p = said(x, n, quad.shift, quad.top).p;
                        mean += sum4(select(vec4(0.0), p, quad.confidence >= vec4(0.0)));
                        continue;
                    }
                    let opinions = pool(&pools, busy, totals.fallback, x, quad);
                    if (has_middle() && sweep == NORMALISE && k < params.classes) {
                        set_aside(n, at, opinions.p.x, quad.confidence.x);
                        set_aside(n + 1u, at, opinions.p.y, quad.confidence.y);
                        set_aside(n + 2u, at, opinions.p.z, quad.confidence.z);
                        set_aside(n + 3u, at, opinions.p.w, quad.confidence.w);
                    }
                    if (computed(STACKED)) { pools.stacked += stack_quad(item, quad, busy); }
                }
            }
            if (sweep == JUDGE || sweep == WEIGH || sweep == CONTRIBUTE) { break; }
            if (k >= params.classes && sweep < DECIDED) { continue; }
            if (sweep == AVERAGE) {
                values[consensus_at(item, k)] = bitcast<u32>(mean / max(totals.present, 1.0));
                continue;
            }
            if (sweep == NORMALISE) {
                take_in(&norms, pools, totals, busy, at);
                continue;
            }
            var p = class_prior(busy);
            if (!is_bare_prior(totals)) {
                p = mixture(pools, totals, shares_of(pools, totals, norms, busy, at), busy);
            }
            if (sweep >= DECIDED) {
                let side = sweep - DECIDED;
                sides.weight[side] = weight_of(pools, totals);
                sides.responsibility[side] = responsibility_of(pools, totals);
                sides.best_weight[side] = pools.best_weight;
                sides.best = pools.best;
                // Until both sides are known: the posterior.
                if (side == 0u) {
                    sides.scale = p / untempered;
                } else {
                    sides.scale = scale_of(vec2(sides.scale, p / untempered), untempered);
                }
                break;
            }
            if (TEMPERED && sweep > POOL && !is_bare_prior(totals)) { p = exp_(cooled(p) - cooled(peak)); }
            if (sweep == BREAK_TIES) {
                let linear = select(linear_share(pools, totals), p, totals.present == 0.0);
                if (p / total >= whole.best / total - TIE && linear > own.best) {
                    own.best = linear;
                    own.decision = k;
                }
                continue;
            }
            if (asked(POSTERIOR)) { posterior[answer_at(item, k)] = p; }
            if (p > own.best) {
                own.second = own.best;
                own.runner_up = own.decision;
                own.best = p;
                own.decision = k;
            } else if (p > own.second) {
                own.second = p;
                own.runner_up = k;
            }
            own.total += p;
            if (asked(ENTROPY)) { own.negative_entropy += p * ln_(p); }
            if (asked(DISAGREEMENT)) { own.disagreement += divergence(pools, totals); }
        }
        if (sweep == JUDGE || sweep == WEIGH) {
            if (!by_consensus() || sweep == WEIGH) { fall_back(&totals); }
            continue;
        }
        if (sweep == AVERAGE || sweep >= DECIDED) { continue; }
        if (sweep == NORMALISE) {
            norms = norms_across(lane, norms);
            continue;
        }
        let joined = across(lane, own);
        if (sweep == BREAK_TIES) {
            if (joined.decision != whole.decision) { whole.runner_up = whole.decision; }
            whole.decision = joined.decision;
        } else {
            whole = joined;
            if (!is_bare_prior(totals)) { total = joined.total; }
            if (sweep == POOL) {
                untempered = total;
                peak = joined.best;
            }
        }
        sides.class_ = vec2(whole.decision, whole.runner_up);
    }

    if (asked(POSTERIOR)) {
        // Each lane reads what it wrote itself.
        for (var k = lane; k < params.classes; k += LANES) {
            posterior[answer_at(item, k)] = posterior[answer_at(item, k)] / total;
        }
    }
    if (lane == 0u) {
        let best = whole.best / total;
        put(DECISION, item, whole.decision);
        put_number(CONFIDENCE, item, best);
        put_number(MARGIN, item, best - whole.second / total);
        put_number(ENTROPY, item, max(ln_(total) - whole.negative_entropy / total, 0.0));
        let disagreement = select(max(whole.disagreement * params.inverse_ln_classes, 0.0), 0.0, totals.present == 0.0);
        put_number(DISAGREEMENT, item, disagreement);
        var flags = atomicLoad(&item_flags);
        if (totals.present > 0.0) {
            if (computed(MEDIAN) && norms.plain.z < MIDDLE_FLOOR) { flags |= NO_MIDDLE; }
            if (computed(TRIMMED) && norms.plain.w < MIDDLE_FLOOR) { flags |= NO_MIDDLE; }
        }
        put_totals(item, totals, flags);
        put_conflict(item, totals, norms.masses.z);
    }
}
