// The pool for more than 256 classes: a workgroup is one item, its lanes stride over the classes. The first sweep judges
// the opinions, four sources at a time; further sweeps find the log pool's normaliser, the posterior and its reductions,
// and, where the vote decides alone, its ties. One loop does them all, because a function is compiled once per call.

// Sources whose opinions workgroup memory holds; of more, they are judged anew for every 256 classes of every sweep.
const HELD: u32 = 1024u;

// One entry per lane and four sources: parts of rows; later, parts of the item's reductions.
var<workgroup> part_largest: array<vec4<f32>, LANES>;
var<workgroup> part_sum: array<vec4<f32>, LANES>;
var<workgroup> part_first: array<vec4<u32>, LANES>;
// One entry per source held.
var<workgroup> held_weight: array<f32, HELD>;
var<workgroup> held_confidence: array<f32, HELD>;
var<workgroup> held_shift: array<f32, HELD>;
var<workgroup> held_vote: array<u32, HELD>;
var<workgroup> item_flags: atomic<u32>;

// What a lane, and in the end the item, knows of its posterior.
struct Summary {
    total: f32,
    best: f32,
    second: f32,
    decision: u32,
    // Sum of P ln P before the division by `total`.
    negative_entropy: f32,
    disagreement: f32,
}

// Four sources' values for one class; the last source's again where there are fewer.
fn values(item: u32, source: u32, k: u32) -> vec4<f32> {
    let n = min(vec4(source, source + 1u, source + 2u, source + 3u), vec4(params.sources - 1u));
    let at = (n * params.stride + item) * params.classes + k;
    return opened(vec4(evidence[at.x], evidence[at.y], evidence[at.z], evidence[at.w]));
}

// Parts of four rows.
struct Rows {
    largest: vec4<f32>,
    sum: vec4<f32>,
    first: vec4<u32>,
}

fn rows_at(i: u32) -> Rows {
    return Rows(part_largest[i], part_sum[i], part_first[i]);
}

fn keep_rows(i: u32, rows: Rows) {
    part_largest[i] = rows.largest;
    part_sum[i] = rows.sum;
    part_first[i] = rows.first;
}

// As `merge`, four at a time.
fn merge_rows(a: Rows, b: Rows) -> Rows {
    let take_b = (b.largest > a.largest) | ((b.largest == a.largest) & (b.first < a.first));
    var rows = Rows(select(a.largest, b.largest, take_b), a.sum + b.sum, select(a.first, b.first, take_b));
    if (ENCODING == LOGITS) {
        rows.sum = a.sum * exp4(a.largest - rows.largest) + b.sum * exp4(b.largest - rows.largest);
    }
    let unmendable = vec4(UNMENDABLE);
    rows.first = select(rows.first, unmendable, (a.first == unmendable) | (b.first == unmendable));
    return rows;
}

// The parts of all lanes as one, in place of the first.
fn fold_rows(lane: u32) {
    for (var count = LANES / 4u; count > 0u; count /= 4u) {
        workgroupBarrier();
        if (lane < count) {
            let a = merge_rows(rows_at(lane), rows_at(lane + count));
            let b = merge_rows(rows_at(lane + 2u * count), rows_at(lane + 3u * count));
            keep_rows(lane, merge_rows(a, b));
        }
    }
    workgroupBarrier();
}

// Steps 1 to 3 for the sources [base, base + HELD).
fn judge_held(lane: u32, item: u32, base: u32) {
    let end = min(base + HELD, params.sources);
    for (var n = base; n < end; n += 4u) {
        var largest = vec4(LOWEST);
        var sum = vec4(0.0);
        var first = vec4(lane);
        var unmendable = vec4(false);
        for (var k = lane; k < params.classes; k += LANES) {
            let x = values(item, n, k);
            unmendable |= vec4(!stands(x.x), !stands(x.y), !stands(x.z), !stands(x.w));
            let higher = x > largest;
            let before = largest;
            largest = select(largest, x, higher);
            first = select(first, vec4(k), higher);
            if (ENCODING == PROBABILITIES) { sum += x; }
            if (ENCODING == LOG_PROBABILITIES) { sum += exp4(x); }
            if (ENCODING == LOGITS) { sum = sum * exp4(before - largest) + exp4(x - largest); }
        }
        // The sources before may still be read.
        workgroupBarrier();
        keep_rows(lane, Rows(largest, sum, select(first, vec4(UNMENDABLE), unmendable)));
        fold_rows(lane);
        if (lane < 4u) {
            var opinion = Opinion(0.0, ABSENT, 1.0, 0u, 0u);
            if (n + lane < params.sources) {
                opinion = judge(n + lane, item, Row(part_largest[0][lane], part_sum[0][lane], part_first[0][lane]));
            }
            let i = n - base + lane;
            held_weight[i] = opinion.weight;
            held_confidence[i] = opinion.confidence;
            held_shift[i] = opinion.shift;
            held_vote[i] = opinion.vote;
            if (opinion.flags != 0u) { atomicOr(&item_flags, opinion.flags); }
        }
    }
    workgroupBarrier();
}

// Four of the opinions held.
fn quad_of(base: u32, n: u32) -> Quad {
    let i = n - base;
    var quad: Quad;
    quad.weight = vec4(held_weight[i], held_weight[i + 1u], held_weight[i + 2u], held_weight[i + 3u]);
    quad.confidence =
        vec4(held_confidence[i], held_confidence[i + 1u], held_confidence[i + 2u], held_confidence[i + 3u]);
    quad.shift = vec4(held_shift[i], held_shift[i + 1u], held_shift[i + 2u], held_shift[i + 3u]);
    quad.vote = vec4(held_vote[i], held_vote[i + 1u], held_vote[i + 2u], held_vote[i + 3u]);
    quad.prior = vec4(prior_of(n), prior_of(n + 1u), prior_of(n + 2u), prior_of(n + 3u));
    return quad;
}

// Two summaries as one, `total` apart.
fn join(a: Summary, b: Summary) -> Summary {
    var joined = a;
    joined.second = max(min(a.best, b.best), max(a.second, b.second));
    if (b.best > a.best || (b.best == a.best && b.decision < a.decision)) {
        joined.best = b.best;
        joined.decision = b.decision;
    }
    joined.total = a.total + b.total;
    joined.negative_entropy = a.negative_entropy + b.negative_entropy;
    joined.disagreement = a.disagreement + b.disagreement;
    return joined;
}

fn summary_at(i: u32) -> Summary {
    let sums = part_sum[i];
    let bests = part_largest[i];
    return Summary(sums.x, bests.x, bests.y, part_first[i].x, sums.y, sums.z);
}

fn keep_summary(i: u32, summary: Summary) {
    part_sum[i] = vec4(summary.total, summary.negative_entropy, summary.disagreement, 0.0);
    part_largest[i] = vec4(summary.best, summary.second, 0.0, 0.0);
    part_first[i] = vec4(summary.decision, 0u, 0u, 0u);
}

// The summary of all lanes, to all lanes.
fn across(lane: u32, summary: Summary) -> Summary {
    workgroupBarrier();
    keep_summary(lane, summary);
    for (var count = LANES / 4u; count > 0u; count /= 4u) {
        workgroupBarrier();
        if (lane < count) {
            let a = join(summary_at(lane), summary_at(lane + count));
            let b = join(summary_at(lane + 2u * count), summary_at(lane + 3u * count));
            keep_summary(lane, join(a, b));
        }
    }
    workgroupBarrier();
    return summary_at(0u);
}

// Step 6 for one class, before its division; the class prior of step 7 where no source is present.
fn unnormalised(pools: Pools, totals: Totals, normaliser: f32, k: u32) -> f32 {
    if (totals.present == 0.0) { return class_prior(k); }
    var log_share = 0.0;
    if (computed(LOG_POOL)) { log_share = log_power(pools, totals) / normaliser; }
    return mixture(pools, totals, log_share);
}

// The sweeps over the evidence, those left out that nothing asks for.
const JUDGE: u32 = 0u;
const NORMALISE: u32 = 1u;
const POOL: u32 = 2u;
const BREAK_TIES: u32 = 3u;
const SWEEPS: u32 = 4u;

fn leaves_out(sweep: u32) -> bool {
    if (sweep == NORMALISE) { return !computed(LOG_POOL); }
    if (sweep == BREAK_TIES) { return !(vote_alone() && asked(DECISION)); }
    return false;
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let item = group.y * params.groups_per_row + group.x;
    if (item >= params.items) { return; }

    if (lane == 0u) { atomicStore(&item_flags, 0u); }
    var totals = Totals(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0u);
    var normaliser = 1.0;
    var total = 1.0;
    var whole: Summary;
    for (var sweep = JUDGE; sweep < SWEEPS; sweep++) {
        if (leaves_out(sweep)) { continue; }
        var own = Summary(0.0, -1.0, 0.0, 0u, 0.0, 0.0);
        for (var start = 0u; start < params.classes; start += LANES) {
            let k = start + lane;
            // Lanes past the end repeat the last class, so that barriers are met by all.
            let busy = min(k, params.classes - 1u);
            var pools = no_pools();
            for (var base = 0u; base < params.sources; base += HELD) {
                if (sweep == JUDGE || params.sources > HELD) {
                    workgroupBarrier();
                    judge_held(lane, item, base);
                }
                let end = min(base + HELD, params.sources);
                for (var n = base; n < end; n += 4u) {
                    let quad = quad_of(base, n);
                    if (sweep == JUDGE) {
                        weigh(&totals, quad);
                    } else {
                        pool(&pools, busy, totals.fallback, values(item, n, busy), quad);
                    }
                }
            }
            if (sweep == JUDGE) { break; }
            if (k < params.classes) {
                if (sweep == NORMALISE) {
                    own.total += log_power(pools, totals);
                    continue;
                }
                let p = unnormalised(pools, totals, normaliser, k);
                if (sweep == BREAK_TIES) {
                    let linear = select(linear_share(pools, totals), p, totals.present == 0.0);
                    if (p / total >= whole.best / total - TIE && linear > own.best) {
                        own.best = linear;
                        own.decision = k;
                    }
                    continue;
                }
                if (asked(POSTERIOR)) { posterior[item * params.classes + k] = p; }
                own.second = max(own.second, min(own.best, p));
                if (p > own.best) {
                    own.best = p;
                    own.decision = k;
                }
                own.total += p;
                if (asked(ENTROPY)) { own.negative_entropy += p * ln_(p); }
                if (asked(DISAGREEMENT)) { own.disagreement += divergence(pools, totals); }
            }
        }
        if (sweep == JUDGE) {
            fall_back(&totals);
            continue;
        }
        let joined = across(lane, own);
        if (sweep == NORMALISE) { normaliser = joined.total; }
        if (sweep == POOL) {
            whole = joined;
            if (totals.present > 0.0) { total = joined.total; }
        }
        if (sweep == BREAK_TIES) { whole.decision = joined.decision; }
    }

    if (asked(POSTERIOR)) {
        // Each lane reads what it wrote itself.
        for (var k = lane; k < params.classes; k += LANES) {
            posterior[item * params.classes + k] = posterior[item * params.classes + k] / total;
        }
    }
    if (lane == 0u) {
        let best = whole.best / total;
        put(DECISION, item, whole.decision);
        put(CONFIDENCE, item, bitcast<u32>(best));
        put(MARGIN, item, bitcast<u32>(best - whole.second / total));
        put(ENTROPY, item, bitcast<u32>(max(ln_(total) - whole.negative_entropy / total, 0.0)));
        let disagreement = select(max(whole.disagreement * params.inverse_ln_classes, 0.0), 0.0, totals.present == 0.0);
        put(DISAGREEMENT, item, bitcast<u32>(disagreement));
        put_totals(item, totals, atomicLoad(&item_flags));
    }
}
