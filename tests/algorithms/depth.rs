//! Depths are counted, and each level is said once.

use consilience::beam::{DepthCounter, DepthLevel};

fn added(counter: &mut DepthCounter, steps: u64) -> Vec<DepthLevel> {
    counter.add(steps).collect()
}

#[test]
fn each_level_is_said_once_when_it_is_reached() {
    use DepthLevel::{Critical, Imminent, Warning};
    let mut counter = DepthCounter::default();
    for (steps, levels, level) in [
        (0, vec![], None),
        (9_999, vec![], None),
        (1, vec![Warning], Some(Warning)),
        (0, vec![], Some(Warning)),
        (39_999, vec![], Some(Warning)),
        (2, vec![Critical], Some(Critical)),
        (49_998, vec![], Some(Critical)),
        (1, vec![Imminent], Some(Imminent)),
        (u64::MAX, vec![], Some(Imminent)),
    ] {
        assert_eq!((added(&mut counter, steps), counter.level()), (levels, level), "after {steps} more");
    }
    assert_eq!(counter.depth(), u64::MAX);
    // It stays where it is, and says nothing more.
    assert_eq!((added(&mut counter, 5), counter.depth()), (vec![], u64::MAX));
}

#[test]
fn one_step_may_reach_several_levels_and_a_reset_forgets_them() {
    let mut counter = DepthCounter::default();
    assert_eq!(added(&mut counter, u64::MAX), DepthLevel::ALL);
    counter.reset();
    assert_eq!((counter.depth(), counter.level()), (0, None));
    assert_eq!(added(&mut counter, 50_000), DepthLevel::ALL[..2]);
    assert_eq!(DepthLevel::ALL.map(DepthLevel::threshold), [10_000, 50_000, 100_000]);
    assert_eq!(DepthLevel::ALL.map(|level| level.to_string()), ["warning", "critical", "imminent"]);
}

#[test]
fn counting_goes_on_even_where_nobody_listens() {
    let mut counter = DepthCounter::default();
    drop(counter.add(20_000));
    assert_eq!((counter.depth(), added(&mut counter, 30_000)), (20_000, vec![DepthLevel::Critical]));
}
