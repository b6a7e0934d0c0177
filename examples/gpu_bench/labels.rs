//! Where the labels of points stand, so that none covers another or a point.

/// A rectangle: left, top, width, height.
pub type Box = [i32; 4];

/// Directions that are tried, to the right first, and then further away.
const DIRECTIONS: [(i32, i32); 8] = [(1, 0), (0, -1), (-1, 0), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1)];

/// How far away a label may be put, in steps.
const STEPS: i32 = 12;

/// Pixels of a step.
const STEP: i32 = 7;

/// A place for the label of each point, all of one height and each as wide as said. Where there is none that is free, a label
/// stands to the right of its point.
pub fn place(points: &[(i32, i32)], widths: &[i32], height: i32, radius: i32) -> Vec<Box> {
    let mut taken: Vec<Box> = points.iter().map(|&(x, y)| [x - radius, y - radius, 2 * radius, 2 * radius]).collect();
    let mut placed = Vec::with_capacity(points.len());
    for (&(x, y), &width) in points.iter().zip(widths) {
        let at = |(right, down): (i32, i32), away: i32| {
            let (across, along) = (width / 2 + radius + away, height / 2 + radius + away);
            [x + right * across - width / 2, y + down * along - height / 2, width, height]
        };
        let tries = (0..STEPS).flat_map(|step| DIRECTIONS.map(|direction| at(direction, 1 + STEP * step)));
        let free = tries.into_iter().find(|label| !taken.iter().any(|other| overlap(*label, *other)));
        let label = free.unwrap_or_else(|| at(DIRECTIONS[0], 1));
        taken.push(label);
        placed.push(label);
    }
    placed
}

/// Whether two rectangles have a pixel in common.
pub fn overlap(one: Box, other: Box) -> bool {
    let apart = |axis: usize| one[axis] + one[axis + 2] <= other[axis] || other[axis] + other[axis + 2] <= one[axis];
    !apart(0) && !apart(1)
}
