//! Beams that an engine holds.

use consilience::beam::{
    self, Beams, Channels, Corpus, Digits, Fuse, Interventions, Measure, Neighbours, Operation, Pooling, Relax,
    ResidentBeams, Subspace,
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

/// The neighbours are the host's but where two are as near.
fn same_neighbours(name: &str, got: &Neighbours, want: &Neighbours) {
    assert_eq!((got.per_query(), got.index().len()), (want.per_query(), want.index().len()), "{name}");
    for (place, (got_near, want_near)) in got.similarity().iter().zip(want.similarity()).enumerate() {
        assert!((got_near - want_near).abs() <= 1e-6, "{name}, {place}: {got_near}, not {want_near}");
    }
    let others = got.index().iter().zip(want.index()).filter(|(got, want)| got != want).count();
    assert!(others * 100 <= got.index().len(), "{name}: {others} of {} are others", got.index().len());
}

#[test]
fn neighbours_of_queries_of_any_length_are_the_hosts() -> Result<()> {
    // Of a software driver's loops the second takes several parts, the nearer beams in the last.
    for (queries, beams, k) in [(1, 1, 1), (300, 1500, 10), (65, 3000, 64)] {
        let mut random = Random::new(queries as u64);
        let mut planes = random.list(9 * beams, 0.01, 1.0);
        let mut asked = random.list(9 * queries, 0.0, 1.0);
        for query in 0..queries {
            // From lengths whose squares vanish to such as overflow.
            let length = 10_f32.powi([-36, -20, 0, 20, 36][query % 5]);
            asked.iter_mut().skip(query).step_by(queries).for_each(|digit| *digit *= length);
        }
        for (beam, digit) in planes[..beams].iter_mut().enumerate().skip(beams / 2) {
            *digit += beam as f32 / beams as f32;
        }
        let corpus = Corpus::new(&Digits::new(&planes)?)?;
        for (name, engine) in engines::all() {
            let held = corpus.upload(engine)?;
            assert_eq!(held.beams(), beams);
            let found = held.nearest(engine, &engine.upload_planes(&asked, 9)?, k)?;
            assert_eq!((found.per_query(), found.index().items()), (k, queries), "{name}");
            let got = found.read(engine)?;
            same_neighbours(name, &got, &corpus.nearest(engine, &Digits::new(&asked)?, k)?);
            for of_query in got.similarity().chunks_exact(k) {
                assert!(of_query.windows(2).all(|pair| pair[0] >= pair[1]), "{name}: {of_query:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_corpus_is_gone_through_part_by_part() -> Result<()> {
    // More than the 2^20 beams of a part, all the same but for three: one before the border, one behind it and the last.
    let beams = (1 << 20) + 40;
    let query = [0.7_f32, 0.1, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let mut planes = vec![1.0; 9 * beams];
    for (beam, more) in [(77, 0.0), ((1 << 20) + 3, 0.1), (beams - 1, 0.05)] {
        for (digit, x) in query.iter().enumerate() {
            planes[digit * beams + beam] = x + more;
        }
    }
    let corpus = Corpus::new(&Digits::new(&planes)?)?;
    let (name, engine) = engines::cpus().last().expect("a CPU engine");
    let found = corpus.upload(engine)?.nearest(engine, &engine.upload_planes(&query, 9)?, 5)?;
    assert_eq!(found.read(engine)?.index(), [77, beams - 1, (1 << 20) + 3, 0, 1], "{name}");
    Ok(())
}

#[test]
fn a_search_is_part_of_the_chain_and_refuses_what_the_host_refuses() -> Result<()> {
    let channels = channels(200);
    let planes = Random::new(3).list(9 * 70, 0.01, 1.0);
    for (name, engine) in engines::all() {
        let own = own(engine);
        let engine = own.as_ref().unwrap_or(engine);
        let corpus = Corpus::new(&Digits::new(&planes)?)?;
        let held_corpus = corpus.upload(engine)?;
        let held = engine.upload_planes(&channels.concat(), 27)?;
        let before = engine.submissions();
        let beams = beam::fuse_resident(engine, &Fuse::default(), &held)?;
        let found = held_corpus.nearest(engine, beams.digits(), 3)?;
        engine.flush()?;
        assert_eq!(engine.submissions() - before, u64::from(engine.is_gpu()), "{name}");
        let fused = beams.read(engine)?;
        same_neighbours(name, &found.read(engine)?, &corpus.nearest(engine, &Digits::new(fused.digits())?, 3)?);

        for (value, at) in [(f32::NAN, 150), (-0.5, 63), (f32::INFINITY, 64)] {
            let mut bad = channels[0].clone();
            bad[3 * 200 + at] = value;
            let found = held_corpus.nearest(engine, &engine.upload_planes(&bad, 9)?, 2)?;
            refused(name, found.read(engine), "beam/nearest", at);
            refused(name, found.index().read(engine), "beam/nearest", at);
        }
        let nothing = engine.upload_planes(&[0.0_f32; 18], 9)?;
        refused(name, held_corpus.nearest(engine, &nothing, 2)?.read(engine), "beam/nearest", 0);
        for k in [0, 65, 71] {
            let error = held_corpus.nearest(engine, &nothing, k).expect_err("no such k");
            assert!(error.is_beam(), "{name}: {error}");
        }
        let error = held_corpus.nearest(engine, nothing.part(0..8)?, 2).expect_err("eight planes");
        assert!(error.is_shape(), "{name}: {error}");
        let none = engine.upload_planes::<f32>(&[], 9)?;
        assert_eq!(held_corpus.nearest(engine, &none, 2)?.read(engine)?.index(), [0_usize; 0], "{name}");
        let other = tight(engine, 4 * 9 * 70 + 4 * 9 * 200 + 4 * 3 * 200 + 100);
        let there = corpus.upload(&other)?;
        assert!(there.nearest(engine, &nothing, 2).expect_err("another engine's").is_device(), "{name}");
        let asked = other.upload_planes(&channels[0], 9)?;
        let error = there.nearest(&other, &asked, 3).expect_err("no room for the indices").to_string();
        assert!(error.contains("resident_bytes"), "{name}: {error}");
    }
    Ok(())
}
