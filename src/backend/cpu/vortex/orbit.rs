//! Steps round a ring: remainders by multiplication, so that the compiler can spread them over the level's lanes.

use crate::kernel::vortex::orbit::{BLOCK, HALF, LARGEST_MODULUS, Params};
use crate::plan::batch::Batch;

/// Where the batch's items end.
#[inline(always)]
pub(in crate::backend::cpu) fn run(mut batch: Batch<'_>) {
    let params: Params = batch.params();
    let (modulus, cycle) = (Divisor::new(params.modulus), Divisor::new(params.cycle));
    let [starts, powers] = [0, 2].map(|input| batch.inputs[input].plane::<u32>(0));
    let steps = batch.inputs[1].plane::<i32>(0);
    let (Ok(low), Ok(high)) = (powers[..HALF].try_into(), powers[HALF..].try_into()) else { return };
    let (low, high): (&[u32; HALF], &[u32; HALF]) = (low, high);
    let [ends, wrong] = &mut batch.outputs[..] else { return };
    let blocks = starts.chunks(BLOCK).zip(steps.chunks(BLOCK));
    let outputs = ends.planes_mut::<u32>().zip(wrong.planes_mut::<u32>());
    for (ends, wrong) in outputs {
        for ((starts, steps), (ends, wrong)) in blocks.clone().zip(ends.chunks_mut(BLOCK).zip(wrong.iter_mut())) {
            // Three loops: look-ups are one by one, remainders are not.
            let mut exponents = [0; BLOCK];
            for (e, &n) in exponents.iter_mut().zip(steps) {
                *e = cycle.rest_of(n.cast_unsigned() ^ 1 << 31);
            }
            for (end, &e) in ends.iter_mut().zip(&exponents) {
                *end = low[e as usize % HALF] * high[e as usize / HALF % HALF];
            }
            let mut most = 0;
            for (&start, end) in starts.iter().zip(ends.iter_mut()) {
                most = most.max(start);
                // A start that is not on the ring is mended below.
                let rest = modulus.rest_of(start.min(LARGEST_MODULUS) * modulus.rest_of(*end));
                *end = if rest == 0 { start } else { rest };
            }
            *wrong = if most > params.modulus { mend(params.modulus, starts, ends) } else { u32::MAX };
        }
    }
}

/// Ends what starts beyond the ring at 0; answers the first of it.
#[cold]
fn mend(modulus: u32, starts: &[u32], ends: &mut [u32]) -> u32 {
    let is_wrong = |start: &&u32| **start > modulus;
    starts.iter().zip(ends).filter(|(start, _)| is_wrong(start)).for_each(|(_, end)| *end = 0);
    starts.iter().position(|start| is_wrong(&start)).map_or(u32::MAX, |item| item as u32)
}

/// A divisor below 2^16 and floor(2^32 / it).
#[derive(Debug, Clone, Copy)]
struct Divisor {
    divisor: u32,
    inverse: u64,
}

impl Divisor {
    fn new(divisor: u32) -> Self {
        Self { divisor, inverse: (1 << 32) / u64::from(divisor.max(1)) }
    }

    /// n mod the divisor: the quotient comes out right or one too small.
    #[inline(always)]
    fn rest_of(self, n: u32) -> u32 {
        let quotient = ((u64::from(n) * self.inverse) >> 32) as u32;
        let rest = n - quotient * self.divisor;
        rest.min(rest.wrapping_sub(self.divisor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_are_those_of_a_division() {
        for divisor in 1..=LARGEST_MODULUS {
            let by = Divisor::new(divisor);
            let multiple = u32::MAX / divisor * divisor;
            for n in [0, 1, divisor - 1, divisor, divisor + 1, multiple - 1, multiple, 1 << 31, u32::MAX - 1, u32::MAX]
            {
                assert_eq!(by.rest_of(n), n % divisor, "{n} mod {divisor}");
            }
        }
    }
}
