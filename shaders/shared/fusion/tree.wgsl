// The parts of all lanes as one, by a tree: each round a half or a quarter of the lanes takes in the parts of the others.
// For every device.

// The rows of the four sources from n on, to all lanes.
fn rows_across(lane: u32, n: u32, own: Rows) -> Rows {
    // The sources before may still be read.
    workgroupBarrier();
    keep_rows(lane, own);
    for (var count = LANES / 4u; count > 0u; count /= 4u) {
        workgroupBarrier();
        if (lane < count) {
            let a = merge_rows(rows_at(lane), rows_at(lane + count), n);
            let b = merge_rows(rows_at(lane + 2u * count), rows_at(lane + 3u * count), n);
            keep_rows(lane, merge_rows(a, b, n));
        }
    }
    workgroupBarrier();
    return rows_at(0u);
}

// The sums of what all lanes hold, to all lanes.
fn sum_across(lane: u32, own: vec4<f32>) -> vec4<f32> {
    workgroupBarrier();
    part_sum[lane] = own;
    for (var count = LANES / 2u; count > 0u; count /= 2u) {
        workgroupBarrier();
        if (lane < count) { part_sum[lane] += part_sum[lane + count]; }
    }
    workgroupBarrier();
    return part_sum[0];
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

// The sums, or the largest, of what all lanes hold, to all lanes.
fn trio_across(lane: u32, own: Trio, largest: bool) -> Trio {
    workgroupBarrier();
    part_largest[lane] = own.a;
    part_sum[lane] = own.b;
    part_other[lane] = own.c;
    for (var count = LANES / 2u; count > 0u; count /= 2u) {
        workgroupBarrier();
        if (lane < count) {
            if (largest) {
                part_largest[lane] = max(part_largest[lane], part_largest[lane + count]);
                part_sum[lane] = max(part_sum[lane], part_sum[lane + count]);
            } else {
                part_largest[lane] += part_largest[lane + count];
                part_sum[lane] += part_sum[lane + count];
                part_other[lane] += part_other[lane + count];
            }
        }
    }
    workgroupBarrier();
    return Trio(part_largest[0], part_sum[0], part_other[0]);
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    fuse_item(group, lane);
}
