// The parts of all lanes as one, by subgroups: the lanes of each by the device's own instructions, then the parts of the
// subgroups, which are few, by every lane one after the other. Two barriers, where a tree takes six or ten. For devices
// whose subgroups divide a workgroup and have eight lanes at least.

const NO_CLASS: u32 = 0xffffffffu;

// Which subgroup the lane is in, which lane of it it is, and how many there are.
var<private> subgroup: u32;
var<private> member: u32;
var<private> subgroups: u32;

// The rows of the four sources from n on, to all lanes.
fn rows_across(lane: u32, n: u32, own: Rows) -> Rows {
    var rows = own;
    rows.largest = subgroupMax(own.largest);
    let unmendable = vec4(UNMENDABLE);
    rows.first = subgroupMin(select(unmendable, own.first, own.largest == rows.largest));
    // No two lanes have a class in common.
    let is_first = own.first == rows.first;
    rows.first = select(rows.first, unmendable, subgroupMax(own.first) == unmendable);
    var part = own;
    if (ENCODING == LOGITS || ENCODING == MIXED) { part = lowered(own, n, logarithms(n, rows.largest)); }
    rows.sum = subgroupAdd(part.sum);
    if (ENCODING == MIXED) { rows.tempered = subgroupAdd(part.tempered); }
    if (BY == BY_ENTROPY) { rows.other = subgroupAdd(part.other); }
    if (BY == BY_MARGIN) { rows.other = subgroupMax(select(own.largest, own.other, is_first)); }
    // The sources before may still be read.
    workgroupBarrier();
    if (member == 0u) { keep_rows(subgroup, rows); }
    workgroupBarrier();
    var whole = rows_at(0u);
    for (var i = 1u; i < subgroups; i++) { whole = merge_rows(whole, rows_at(i), n); }
    return whole;
}

// The sums of what all lanes hold, to all lanes.
fn sum_across(lane: u32, own: vec4<f32>) -> vec4<f32> {
    let sum = subgroupAdd(own);
    workgroupBarrier();
    if (member == 0u) { part_sum[subgroup] = sum; }
    workgroupBarrier();
    var whole = part_sum[0];
    for (var i = 1u; i < subgroups; i++) { whole += part_sum[i]; }
    return whole;
}

// The summary of all lanes, to all lanes.
fn across(lane: u32, own: Summary) -> Summary {
    var part = own;
    part.best = subgroupMax(own.best);
    part.decision = subgroupMin(select(NO_CLASS, own.decision, own.best == part.best));
    // What is second is what the one with the best has behind it, or the best of another.
    let has_best = own.best == part.best && own.decision == part.decision;
    let behind = select(own.best, own.second, has_best);
    part.second = subgroupMax(behind);
    let runner_up = select(own.decision, own.runner_up, has_best);
    part.runner_up = subgroupMin(select(NO_CLASS, runner_up, behind == part.second));
    part.total = subgroupAdd(own.total);
    part.negative_entropy = subgroupAdd(own.negative_entropy);
    part.disagreement = subgroupAdd(own.disagreement);
    workgroupBarrier();
    if (member == 0u) { keep_summary(subgroup, part); }
    workgroupBarrier();
    var whole = summary_at(0u);
    for (var i = 1u; i < subgroups; i++) { whole = join(whole, summary_at(i)); }
    return whole;
}

// The sums, or the largest, of what all lanes hold, to all lanes.
fn trio_across(lane: u32, own: Trio, largest: bool) -> Trio {
    var part: Trio;
    if (largest) {
        part = Trio(subgroupMax(own.a), subgroupMax(own.b), own.c);
    } else {
        part = Trio(subgroupAdd(own.a), subgroupAdd(own.b), subgroupAdd(own.c));
    }
    workgroupBarrier();
    if (member == 0u) {
        part_largest[subgroup] = part.a;
        part_sum[subgroup] = part.b;
        part_other[subgroup] = part.c;
    }
    workgroupBarrier();
    var whole = Trio(part_largest[0], part_sum[0], part_other[0]);
    for (var i = 1u; i < subgroups; i++) {
        if (largest) {
            whole.a = max(whole.a, part_largest[i]);
            whole.b = max(whole.b, part_sum[i]);
        } else {
            whole.a += part_largest[i];
            whole.b += part_sum[i];
            whole.c += part_other[i];
        }
    }
    return whole;
}

@compute @workgroup_size(256, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_id) own_subgroup: u32,
    @builtin(subgroup_invocation_id) own_member: u32,
    @builtin(num_subgroups) count: u32,
) {
    subgroup = own_subgroup;
    member = own_member;
    subgroups = count;
    fuse_item(group, lane);
}
