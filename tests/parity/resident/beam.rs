//! Beams that an engine holds.

use consilience::beam::{
    self, Beams, Channels, Digits, Fuse, Interventions, Measure, Operation, Pooling, Relax, ResidentBeams, Subspace,
};
use consilience::{Engine, Result};

use super::{SIZES, bits, own, refused, tight};
use crate::support::engines;
use crate::support::problem::Random;

/// Channels of so many items, with zeros so that some conflict.
fn channels(items: usize) -> [Vec<f32>; 3] {
    let mut random = Random::new(items as u64);
    std::array::from_fn(|channel| {
        let mut digits = random.list(9 * items, 0.01, 1.0);
        for item in (0..items).step_by(7) {
            let keep = (item / 7 + channel) % 9;
            (0..9).filter(|digit| *digit != keep).for_each(|digit| digits[digit * items + item] = 0.0);
        }
        digits
    })
}

fn fused(engine: &Engine, how: &Fuse, channels: &[Vec<f32>; 3]) -> Result<(Beams, ResidentBeams)> {
    let [ethos, logos, pathos] = channels;
    let want = beam::fuse(engine, how, &Channels::new(ethos, logos, pathos)?)?;
    let held = engine.upload_planes(&channels.concat(), 27)?;
    Ok((want, beam::fuse_resident(engine, how, &held)?))
}

#[test]
fn beams_are_the_hosts_to_the_bit() -> Result<()> {
    for (name, engine) in engines::all() {
        for items in SIZES {
            let channels = channels(items);
            for how in [Fuse::default(), Fuse::default().pooling(Pooling::Log).agreement(true)] {
                let (want, held) = fused(engine, &how, &channels)?;
                let got = held.read(engine)?;
                assert_eq!(got, want, "{name}, {items}");
                assert_eq!(got.conflicts().is_empty(), how == Fuse::default(), "{name}, {items}");
                assert_eq!(held.read(engine)?, want, "a second time: {name}, {items}");
                assert_eq!(want.upload(engine)?.read(engine)?, want, "{name}, {items}");
                assert_eq!(held.agreement().is_some(), !want.agreement().is_empty(), "{name}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_chain_of_beams_is_one_submission() -> Result<()> {
    let table = Interventions::default()
        .at(7, Operation::Pull(0.25))?
        .at(6, Operation::Sharpen(2.0))?
        .at(5, Operation::Confidence(0.5))?
        .at(5, Operation::Ethos(0.5))?;
    let relax = Relax::new(0.5)?.tolerance(1e-4)?;
    for (name, engine) in engines::all() {
        let own = own(engine);
        let engine = own.as_ref().unwrap_or(engine);
        for items in SIZES {
            let how = Fuse::default().agreement(true);
            let channels = channels(items);
            let [ethos, logos, pathos] = &channels;
            let held = [ethos, logos, pathos].map(|channel| engine.upload_planes(channel, 9).expect("room"));
            let ones = engine.upload_array(&vec![1.0_f32; items])?;
            let before = engine.submissions();
            // A device copies the three behind each other.
            let beams = beam::fuse_resident(engine, &how, [&held[0], &held[1], &held[2]])?;
            let changed = table.apply_resident(engine, &beams)?;
            let relaxed = relax.relax_resident(engine, &changed)?;
            let again = relax.relax_from_resident(engine, &changed, relaxed.digits())?;
            let cosines = beam::similarity_resident(engine, beams.digits(), again.digits())?;
            let measured = beam::measure_resident(engine, Measure::all(), again.digits())?;
            let some = beam::measure_resident(engine, Measure::default().mass().dominant(), changed.digits())?;
            engine.flush()?;
            // A software driver is given 2^21 values at a time, which relaxing so many comes to.
            if items < 1000 {
                assert_eq!(engine.submissions() - before, u64::from(engine.is_gpu()), "{name}, {items}");
            }

            let want = beam::fuse(engine, &how, &Channels::new(ethos, logos, pathos)?)?;
            let want_changed = table.apply(engine, &want)?;
            assert_eq!(changed.read(engine)?, want_changed, "{name}, {items}");
            let want_relaxed = relax.relax(engine, &want_changed)?;
            assert_eq!(relaxed.read(engine)?, want_relaxed, "{name}, {items}");
            let want_again = relax.relax_from(engine, &want_changed, &Digits::new(want_relaxed.digits())?)?;
            assert_eq!(again.read(engine)?, want_again, "{name}, {items}");
            let digits = Digits::new(want_again.digits())?;
            let want_cosines = beam::similarity(engine, &Digits::new(want.digits())?, &digits)?;
            bits(name, &cosines.read(engine)?, &want_cosines);
            let all = beam::measure(engine, Measure::all(), &digits)?;
            assert_eq!(measured.read(engine)?, all, "{name}, {items}");
            // Planes of one array, from the second on.
            let through = consilience::bayes::incomplete_gamma_resident(engine, &ones, measured.decisiveness())?;
            let want_through = consilience::bayes::incomplete_gamma(engine, &vec![1.0; items], all.decisiveness())?;
            bits(name, &through.read(engine)?, &want_through);
            let what = Measure::default().mass().dominant();
            let want = beam::measure(engine, what, &Digits::new(want_changed.digits())?)?;
            assert_eq!(some.read(engine)?, want, "{name}, {items}");
            assert_eq!(
                (some.entropy().planes(), some.mass().planes(), some.normalised().planes()),
                (0, 1, 0),
                "{name}"
            );
            let same = Interventions::default().apply_resident(engine, &changed)?;
            assert_eq!(same.read(engine)?, want_changed, "{name}, {items}");
        }
    }
    Ok(())
}

#[test]
fn subspaces_and_eigenvectors_are_the_hosts_to_the_bit() -> Result<()> {
    for (name, engine) in engines::all() {
        for items in SIZES {
            let (want, held) = fused(engine, &Fuse::default(), &channels(items))?;
            let mut random = Random::new(5);
            let matrices = random.list(45 * items.min(257), -1.0, 1.0);
            let eigen = beam::eigen_resident(engine, &engine.upload_planes(&matrices, 45)?)?;
            assert_eq!(eigen.read(engine)?, beam::eigen(engine, &matrices)?, "{name}, {items}");
            if items == 1 {
                assert!(Subspace::fit_resident(engine, &held, 1).is_err(), "{name}");
                continue;
            }
            let subspace = Subspace::fit(engine, &want, 2)?;
            assert_eq!(Subspace::fit_resident(engine, &held, 2)?, subspace, "{name}, {items}");
            let projected = subspace.project_resident(engine, &held)?.read(engine)?;
            bits(name, &projected, &subspace.project(engine, &want)?);
            let magnified = subspace.magnify_resident(engine, &held, 3.0)?.read(engine)?;
            bits(name, &magnified, &subspace.magnify(engine, &want, 3.0)?);
        }
    }
    Ok(())
}

#[test]
fn whoever_reads_is_told_of_digits_that_are_none() -> Result<()> {
    for (name, engine) in engines::all() {
        let mut channels = channels(900);
        channels[1][300] = f32::NAN;
        let held = engine.upload_planes(&channels.concat(), 27)?;
        let beams = beam::fuse_resident(engine, &Fuse::default().pooling(Pooling::Log), &held)?;
        refused(name, beams.read(engine), "beam/fuse", 300);
        let changed = Interventions::default().at(3, Operation::Pull(0.5))?.apply_resident(engine, &beams)?;
        refused(name, changed.read(engine), "beam/fuse", 300);
        let relaxed = Relax::new(0.5)?.relax_resident(engine, &changed)?;
        refused(name, relaxed.read(engine), "beam/fuse", 300);
        refused(name, Subspace::fit_resident(engine, &beams, 2), "beam/fuse", 300);
        let logos = held.part(9..18)?;
        let measured = beam::measure_resident(engine, Measure::all(), logos.clone())?;
        refused(name, measured.read(engine), "beam/measure", 300);
        let cosines = beam::similarity_resident(engine, held.part(0..9)?, logos.clone())?;
        refused(name, cosines.read(engine), "beam/similarity", 300);

        let (_, fine) = fused(engine, &Fuse::default(), &super::beam::channels(900))?;
        let from = Relax::new(0.5)?.relax_from_resident(engine, &fine, logos)?;
        refused(name, from.read(engine), "beam/relax", 300);
        // Every digit is one, and none has a share.
        let mut zeros = vec![1.0_f32; 9 * 900];
        zeros.iter_mut().skip(512).step_by(900).for_each(|digit| *digit = 0.0);
        let zeros = engine.upload_planes(&zeros, 9)?;
        let from = Relax::new(0.5)?.relax_from_resident(engine, &fine, &zeros)?;
        refused(name, from.read(engine), "beam/relax", 512);
        let mut matrices = vec![1.0_f32; 45 * 600];
        matrices[44 * 600 + 599] = -2e37;
        let eigen = beam::eigen_resident(engine, &engine.upload_planes(&matrices, 45)?)?;
        refused(name, eigen.read(engine), "beam/eigen", 599);
    }
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused_at_once() -> Result<()> {
    for (name, engine) in engines::all() {
        let nine = engine.upload_planes(&[1.0_f32; 18], 9)?;
        let longer = engine.upload_planes(&[1.0_f32; 27], 9)?;
        let (_, beams) = fused(engine, &Fuse::default(), &channels(2))?;
        let shapes = [
            beam::fuse_resident(engine, &Fuse::default(), &nine).map(|_| ()),
            beam::fuse_resident(engine, &Fuse::default(), [&nine, &nine, &longer]).map(|_| ()),
            beam::measure_resident(engine, Measure::all(), nine.part(0..8)?).map(|_| ()),
            beam::similarity_resident(engine, &nine, &longer).map(|_| ()),
            beam::similarity_resident(engine, &nine, nine.part(0..1)?).map(|_| ()),
            Relax::new(0.5)?.relax_from_resident(engine, &beams, &longer).map(|_| ()),
            Relax::new(0.5)?.relax_from_resident(engine, &beams, [&nine, &nine]).map(|_| ()),
            beam::eigen_resident(engine, &nine).map(|_| ()),
        ];
        for (number, outcome) in shapes.into_iter().enumerate() {
            let error = outcome.expect_err("it does not fit");
            assert!(error.is_shape(), "{name}, {number}: {error}");
        }
        let none = Fuse::default().weights([0.0; 3]);
        let error = beam::fuse_resident(engine, &none, [&nine, &nine, &nine]).expect_err("no weights");
        assert!(matches!(error.kind(), consilience::ErrorKind::Beam(_)), "{name}: {error}");
        let subspace = Subspace::fit_resident(engine, &beams, 1)?;
        let error = subspace.magnify_resident(engine, &beams, -1.0).expect_err("no factor");
        assert!(matches!(error.kind(), consilience::ErrorKind::Beam(_)), "{name}: {error}");

        let tight = tight(engine, 4 * 9 * 40 + 4 * 9 * 20);
        let digits = tight.upload_planes(&[1.0_f32; 9 * 40], 9)?;
        let error = beam::measure_resident(&tight, Measure::all(), &digits).expect_err("no room").to_string();
        assert!(error.contains("of 2160 are taken"), "{name}: {error}");
        let elsewhere = beam::measure_resident(engine, Measure::all(), &digits).expect_err("another engine's");
        assert!(elsewhere.is_device(), "{name}: {elsewhere}");
        assert_eq!(tight.resident().handles, 1, "{name}");
    }
    Ok(())
}
