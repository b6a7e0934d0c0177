use std::time::Duration;

use crate::args::Arrivals;
use crate::schedule::{Arrival, Schedule};

fn all(schedule: &Schedule) -> Vec<Arrival> {
    std::iter::from_fn(|| schedule.next()).collect()
}

#[test]
fn constant_arrivals_do_not_drift() {
    let arrivals = all(&Schedule::new(Arrivals::Constant, 1200.0, Duration::from_secs(600), 1));
    assert_eq!(arrivals.len(), 720_000);
    assert_eq!(arrivals[0], Arrival { number: 0, at: Duration::ZERO });
    // 599.5 s and 1 / 1200 s, rounded to nanoseconds.
    assert_eq!(arrivals[719_401], Arrival { number: 719_401, at: Duration::new(599, 500_833_333) });
    assert!(arrivals.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
}

#[test]
fn poisson_gaps_are_exponential_and_differ_by_seed() {
    let length = Duration::from_secs(100);
    let arrivals = all(&Schedule::new(Arrivals::Poisson, 1000.0, length, 1));
    let gaps: Vec<f64> = arrivals.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect();
    let n = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / n;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n;
    // Five standard errors: of the mean 1 / sqrt(n), of the variance sqrt(8 / n).
    assert!((mean / 1e-3 - 1.0).abs() < 5.0 / n.sqrt(), "{mean}");
    assert!((variance / 1e-6 - 1.0).abs() < 5.0 * (8.0 / n).sqrt(), "{variance}");
    // What is longer than twice the mean is e^-2 of all.
    let longer = gaps.iter().filter(|gap| **gap > 2e-3).count() as f64 / n;
    assert!((longer - 0.135_335).abs() < 5.0 * (0.135_335 * 0.864_665 / n).sqrt(), "{longer}");
    assert_eq!(arrivals, all(&Schedule::new(Arrivals::Poisson, 1000.0, length, 1)));
    assert_ne!(arrivals, all(&Schedule::new(Arrivals::Poisson, 1000.0, length, 2)));
}

#[test]
fn a_schedule_that_is_stopped_hands_out_no_more() {
    let schedule = Schedule::new(Arrivals::Constant, 10.0, Duration::from_secs(1), 1);
    assert_eq!(schedule.next().map(|arrival| arrival.number), Some(0));
    schedule.stop();
    assert_eq!(schedule.next(), None);
    assert_eq!(schedule.handed_out(), 1);
}
