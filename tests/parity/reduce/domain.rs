//! What is no argument is found on every executor, against the comparisons that the host makes: resident special functions
//! look with this kernel.

use consilience::{Result, bayes};

use crate::support::engines;

/// Numbers about every border, and those that compilers think there are none of.
fn numbers() -> Vec<f32> {
    let borders = [0.0_f32, 1.0, 1e-3, 1e6, 1e-9, 1e9, f32::MIN_POSITIVE, f32::MAX, 1.329_228e36];
    let next = |x: f32| [x.to_bits().saturating_sub(1), x.to_bits(), x.to_bits() + 1].map(f32::from_bits);
    let mut numbers: Vec<f32> = borders.into_iter().flat_map(next).collect();
    numbers.extend([f32::NAN, f32::INFINITY, f32::from_bits(1), f32::from_bits(0x7f80_0001)]);
    let negative: Vec<f32> = numbers.iter().map(|x| -x).collect();
    numbers.extend(negative);
    numbers
}

#[test]
fn every_executor_finds_what_the_host_refuses() -> Result<()> {
    for (name, engine) in engines::all() {
        for x in numbers() {
            // Any argument of each: a normal number, a parameter, a share, and a number that is not negative.
            let held = engine.upload_array(&[x])?;
            let one = engine.upload_array(&[0.5_f32])?;
            let pairs = [
                (bayes::ln_gamma(engine, &[x]).is_ok(), bayes::ln_gamma_resident(engine, &held)?.read(engine).is_ok()),
                (
                    bayes::incomplete_beta(engine, &[0.5], &[0.5], &[x]).is_ok(),
                    bayes::incomplete_beta_resident(engine, &one, &one, &held)?.read(engine).is_ok(),
                ),
                (
                    bayes::incomplete_gamma(engine, &[0.5], &[x]).is_ok(),
                    bayes::incomplete_gamma_resident(engine, &one, &held)?.read(engine).is_ok(),
                ),
                (
                    bayes::incomplete_gamma(engine, &[x], &[0.5]).is_ok(),
                    bayes::incomplete_gamma_resident(engine, &held, &one)?.read(engine).is_ok(),
                ),
            ];
            for (number, (want, got)) in pairs.into_iter().enumerate() {
                assert_eq!(got, want, "{name}, {number}: {x:e} ({:#x})", x.to_bits());
            }
        }
    }
    Ok(())
}

#[test]
fn the_lowest_item_is_found_wherever_it_is() -> Result<()> {
    for (name, engine) in engines::all() {
        for at in [0, 1, 255, 256, 257, 511, 700, 999] {
            let mut x = vec![0.5_f32; 1000];
            (x[at], x[999]) = (-1.0, -1.0);
            let held = engine.upload_array(&x)?;
            let error = bayes::digamma_resident(engine, &held)?.read(engine).expect_err("below 0").to_string();
            let want =
                format!("bayes/special: item {at} must have an argument above 0, a normal number, and at most 2^120");
            assert_eq!(error, want, "{name}");
        }
    }
    Ok(())
}
