//! Operations of the vortex ring over arrays that an engine holds.

use consilience::vortex::{Anchors, Cycles, Direction, Path, Ring, statistics, statistics_resident};
use consilience::{ErrorKind, Result};

use super::{SIZES, bits, own, refused, tight};
use crate::support::engines;
use crate::support::problem::Random;

fn cycles(items: usize) -> Result<Cycles> {
    let mut random = Random::new(items as u64);
    let places = (0..items).map(|_| random.below(6) as u32).collect();
    let way = |backward| if backward { Direction::Backward } else { Direction::Forward };
    let directions = (0..items).map(|_| way(random.below(3) == 0)).collect();
    let cycles = Cycles::new(Path::flow(), places, directions, random.list(items, 0.0, 4.0))?;
    cycles.with_progress((0..items).map(|_| random.below(5) as u32).collect(), random.list(items, 0.0, 0.99))
}

#[test]
fn a_chain_over_the_ring_is_the_hosts_and_one_submission() -> Result<()> {
    let (ring, anchors) = (Ring::new(9, 2)?, Anchors::default());
    for (name, engine) in engines::all() {
        let own = own(engine);
        let engine = own.as_ref().unwrap_or(engine);
        for items in SIZES {
            let mut random = Random::new(items as u64);
            let mut host = cycles(items)?;
            let mut payload = random.list(3 * items, -1.0, 1.0);
            let (mut held, mut held_payload) = (host.upload(engine)?, engine.upload_planes(&payload, 3)?);
            let before = engine.submissions();
            held.advance(engine, 1.5)?;
            held.tick(engine, 0.125, 7)?;
            anchors.relax_resident(engine, held.places(), &mut held_payload, 0.5, 2)?;
            anchors.relax_at_rate_resident(engine, held.places(), &mut held_payload, 0.25, 2.0)?;
            let scores = ring.coherence_resident(engine, [held.places(), held.directions(), held.places()])?;
            engine.flush()?;
            assert_eq!(engine.submissions() - before, u64::from(engine.is_gpu()), "{name}, {items}");
            host.advance(engine, 1.5)?;
            host.tick(engine, 0.125, 7)?;
            anchors.relax(engine, host.places(), &mut payload, 0.5, 2)?;
            anchors.relax_at_rate(engine, host.places(), &mut payload, 0.25, 2.0)?;
            assert_eq!(held.read(engine)?, host, "{name}, {items}");
            bits(name, &held_payload.read(engine)?, &payload);
            let directions: Vec<u32> = host.directions().iter().map(|direction| *direction as u32).collect();
            let sequences = [host.places(), &directions, host.places()].concat();
            bits(name, &scores.read(engine)?, &ring.coherence(engine, 3, &sequences)?);
            let bins = statistics_resident(engine, 9, held.places(), held.directions(), &held_payload)?;
            let (want, _) = statistics(engine, 9, host.places(), host.directions(), &payload)?;
            assert_eq!(bins, want, "{name}, {items}");
        }
    }
    Ok(())
}

#[test]
fn ticks_beyond_what_one_run_takes_are_all_made() -> Result<()> {
    for (name, engine) in engines::all() {
        let mut host = Cycles::new(Path::new(vec![1, 2, 4], 1.0)?, vec![0], vec![Direction::Forward], vec![0.5])?;
        let mut held = host.upload(engine)?;
        held.tick(engine, 0.25, 100_001)?;
        host.tick(engine, 0.25, 100_001)?;
        assert_eq!(held.read(engine)?, host, "{name}");
        assert_eq!(host.hops(), [12_500], "{name}");
    }
    Ok(())
}

#[test]
fn whoever_reads_is_told_of_an_item_that_stayed() -> Result<()> {
    for (name, engine) in engines::all() {
        let mut velocities = vec![1.0_f32; 600];
        velocities[400] = 1e9;
        let path = Path::new(vec![1, 2, 4], 1.0)?;
        let cycles = Cycles::new(path, vec![0; 600], vec![Direction::Forward; 600], velocities)?;
        let mut held = cycles.upload(engine)?;
        held.advance(engine, 1.0)?;
        held.advance(engine, 0.0)?;
        refused(name, held.read(engine), "vortex/cycle", 400);
        refused(name, held.places().read(engine), "vortex/cycle", 400);
        // What had no part in it is as it was.
        assert_eq!(held.directions().read(engine)?, [0; 600], "{name}");

        let mut positions = vec![3_u32; 600];
        positions[300] = 10;
        let positions = engine.upload_array(&positions)?;
        let mut payload = engine.upload_planes(&[0.5_f32; 3 * 600], 3)?;
        Anchors::default().relax_resident(engine, &positions, &mut payload, 0.5, 1)?;
        let fine = engine.upload_array(&[3_u32; 600])?;
        Anchors::default().relax_resident(engine, &fine, &mut payload, 0.5, 1)?;
        refused(name, payload.read(engine), "vortex/relax", 300);
        let scores = Ring::new(9, 2)?.coherence_resident(engine, [&fine, &positions])?;
        refused(name, scores.read(engine), "vortex/coherence", 300);
        let ways = engine.upload_array(&[0_u32; 600])?;
        let fresh = engine.upload_planes(&[0.5_f32; 3 * 600], 3)?;
        refused(name, statistics_resident(engine, 10, &positions, &ways, &fresh), "vortex/statistics", 300);
        refused(name, statistics_resident(engine, 10, &fine, &ways, &payload), "vortex/relax", 300);
        refused(name, statistics_resident(engine, 0, &fine, &ways, &fresh), "vortex/statistics", 0);
    }
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused_at_once() -> Result<()> {
    for (name, engine) in engines::all() {
        let positions = engine.upload_array(&[3_u32; 4])?;
        let three = engine.upload_array(&[3_u32; 3])?;
        let mut payload = engine.upload_planes(&[0.5_f32; 12], 3)?;
        let mut two = engine.upload_planes(&[0.5_f32; 8], 2)?;
        let anchors = Anchors::default();
        let shapes = [
            anchors.relax_resident(engine, &three, &mut payload, 0.5, 1),
            anchors.relax_resident(engine, [&positions, &positions], &mut payload, 0.5, 1),
            anchors.relax_resident(engine, &positions, &mut two, 0.5, 1),
            Ring::new(9, 2)?.coherence_resident(engine, [&positions, &three]).map(|_| ()),
            statistics_resident(engine, 4, &positions, &three, &payload).map(|_| ()),
            statistics_resident(engine, 4, [&positions, &positions], &positions, &payload).map(|_| ()),
            statistics_resident(engine, 4, &three, &three, &payload).map(|_| ()),
        ];
        for (number, outcome) in shapes.into_iter().enumerate() {
            let error = outcome.expect_err("it does not fit");
            assert!(error.is_shape(), "{name}, {number}: {error}");
        }
        let mut held = cycles(4)?.upload(engine)?;
        let settings = [
            anchors.relax_resident(engine, &positions, &mut payload, 1.5, 1),
            anchors.relax_at_rate_resident(engine, &positions, &mut payload, -1.0, 1.0),
            anchors.relax_at_rate_resident(engine, &positions, &mut payload, 1.0, f32::NAN),
            Ring::new(9, 2)?.coherence_resident(engine, &positions).map(|_| ()),
            statistics_resident(engine, 65, &positions, &positions, &payload).map(|_| ()),
            held.advance(engine, -1.0),
        ];
        for (number, outcome) in settings.into_iter().enumerate() {
            let error = outcome.expect_err("it is none");
            assert!(matches!(error.kind(), ErrorKind::Vortex(_)), "{name}, {number}: {error}");
        }
        let tight = tight(engine, 5 * 400);
        let mut held = cycles(100)?.upload(&tight)?;
        let before = held.read(&tight)?;
        let error = held.advance(&tight, 1.0).expect_err("no room for what is refused").to_string();
        assert!(error.contains("2000 of 2000 are taken"), "{name}: {error}");
        assert_eq!(held.read(&tight)?, before, "{name}");
        assert!(held.advance(engine, 1.0).expect_err("another engine's").is_device(), "{name}");
    }
    Ok(())
}
