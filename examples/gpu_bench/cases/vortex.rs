//! `vortex/*`: operations on the ring.

use consilience::kernel::Kernel;
use consilience::vortex::{self, Anchors, Bin, Cycles, Direction, Path, ResidentCycles, Ring};
use consilience::{Engine, Result, Timing};

use super::{Case, Column, Of, integers};
use crate::Failure;

/// Positions of a sequence whose coherence is asked for.
const LENGTH: usize = 16;

pub fn cases() -> Vec<Case> {
    vec![
        digital_roots::<u32>("of 32 bits", |n| (n >> 32) as u32).operations(6.0).quick(),
        digital_roots::<u64>("of 64 bits", |n| n).operations(14.0),
        orbits().quick(),
        cycles("tick", true, |cycles, engine| cycles.tick(engine, 1e-3, 1), |held, engine| held.tick(engine, 1e-3, 1))
            .quick(),
        cycles(
            "advance",
            false,
            |cycles, engine| cycles.advance(engine, 1e-3),
            |held, engine| held.advance(engine, 1e-3),
        ),
        relax().operations(12.0).quick(),
        statistics().quick(),
        coherence().operations(3.0 * LENGTH as f64).quick(),
    ]
}

fn digital_roots<T: vortex::Natural + 'static>(name: &str, of: fn(u64) -> T) -> Case {
    let make = move |items: usize| {
        let values: Vec<T> = integers(items).map(of).collect();
        let run = |(values, roots): &mut (Vec<T>, Vec<u32>), engine: &_| {
            vortex::digital_roots_into(engine, values, roots)?;
            Ok(())
        };
        let answer = |(_, roots): &(Vec<T>, Vec<u32>)| vec![Column::exact("root", roots)];
        Ok(Of::new((values, vec![0; items]), run, answer).held(|(values, _), engine| {
            let values = engine.upload_array(values)?;
            Ok(move |(_, roots): &mut (Vec<T>, Vec<u32>), engine: &_| {
                Ok(vortex::digital_roots_resident(engine, &values)?.read_into(engine, roots)?)
            })
        }))
    };
    Case::new(Kernel::DigitalRoot, name, make).start(1 << 16)
}

fn orbits() -> Case {
    struct State {
        ring: Ring,
        starts: Vec<u32>,
        steps: Vec<i32>,
        ends: Vec<u32>,
    }
    let make = |items: usize| {
        let state = State {
            ring: Ring::new(9, 2)?,
            starts: positions(items),
            steps: integers(items).map(|n| n as i32).collect(),
            ends: vec![0; items],
        };
        let run = |s: &mut State, engine: &_| {
            s.ring.orbits_into(engine, &s.starts, &s.steps, &mut s.ends)?;
            Ok(())
        };
        Ok(Of::new(state, run, |s: &State| vec![Column::exact("end", &s.ends)]).held(|s, engine| {
            let (starts, steps) = (engine.upload_array(&s.starts)?, engine.upload_array(&s.steps)?);
            Ok(move |s: &mut State, engine: &_| {
                Ok(s.ring.orbits_resident(engine, &starts, &steps)?.read_into(engine, &mut s.ends)?)
            })
        }))
    };
    Case::new(Kernel::Orbit, "of 9 by 2", make).start(1 << 16)
}

fn positions(items: usize) -> Vec<u32> {
    integers(items).map(|n| (n >> 40) as u32 % 10).collect()
}

type Move = fn(&mut Cycles, &Engine) -> Result<Timing>;

type MoveHeld = fn(&mut ResidentCycles, &Engine) -> Result<()>;

/// Objects on the flow, or on a uniform path where one in ten hops.
fn cycles(name: &'static str, is_flow: bool, how: Move, held: MoveHeld) -> Case {
    struct State {
        cycles: Cycles,
        /// What a move of held objects left of them: places, hops and phases.
        moved: Option<(Vec<u32>, Vec<u32>, Vec<f32>)>,
    }
    let make = move |items: usize| {
        let places = integers(items).map(|n| (n >> 40) as u32 % 6).collect();
        let velocities = integers(items).map(|n| (n >> 40) as f32 * 1e-7).collect();
        let path = if is_flow { Path::flow() } else { Path::new(Path::flow().positions().to_vec(), 1.0)? };
        let cycles = Cycles::new(path, places, vec![Direction::Forward; items], velocities)?;
        let run = move |s: &mut State, engine: &_| {
            how(&mut s.cycles, engine)?;
            s.moved = None;
            Ok(())
        };
        let answer = |s: &State| {
            let (hops, phases) = match &s.moved {
                Some((_, hops, phases)) => (&hops[..], &phases[..]),
                None => (s.cycles.hops(), s.cycles.phases()),
            };
            // An object at a border may or may not have hopped: hops and phase together count.
            let progress = hops.iter().zip(phases).map(|(&n, &p)| f64::from(n) + f64::from(p));
            vec![Column::close("hops and phase", &progress.collect::<Vec<_>>(), 2e-6, 1e-6)]
        };
        Ok(Of::new(State { cycles, moved: None }, run, answer).held(move |s: &State, engine| {
            let mut objects = s.cycles.upload(engine)?;
            Ok(move |s: &mut State, engine: &_| {
                held(&mut objects, engine)?;
                let [places, hops] = [objects.places().read(engine)?, objects.hops().read(engine)?];
                s.moved = Some((places, hops, objects.phases().read(engine)?));
                Ok(())
            })
        }))
    };
    Case::new(Kernel::Cycle, name, make).start(1 << 16)
}

fn relax() -> Case {
    let make = |items: usize| {
        let payload: Vec<f32> = integers(3 * items).map(|n| (n >> 40) as f32 * 1e-7).collect();
        let run = |(positions, payload): &mut (Vec<u32>, Vec<f32>), engine: &_| {
            Anchors::default().relax(engine, positions, payload, 0.01, 1)?;
            Ok(())
        };
        let answer = |(_, payload): &(Vec<u32>, Vec<f32>)| vec![Column::close("payload", payload, 4e-7, 4e-7)];
        Ok(Of::new((positions(items), payload), run, answer).held(|(positions, payload), engine| {
            let (positions, mut held) = (engine.upload_array(positions)?, engine.upload_planes(payload, 3)?);
            Ok(move |(_, payload): &mut (Vec<u32>, Vec<f32>), engine: &_| {
                Anchors::default().relax_resident(engine, &positions, &mut held, 0.01, 1)?;
                Ok(held.read_into(engine, payload)?)
            })
        }))
    };
    Case::new(Kernel::Relax, "three channels", make).start(1 << 15)
}

fn statistics() -> Case {
    struct State {
        positions: Vec<u32>,
        directions: Vec<Direction>,
        payload: Vec<f32>,
        bins: Vec<Bin>,
    }
    let make = |items: usize| {
        let payload = integers(3 * items).map(|n| (n >> 40) as f32 / (1 << 24) as f32).collect();
        let directions = vec![Direction::Forward; items];
        let run = |s: &mut State, engine: &_| {
            s.bins = vortex::statistics(engine, 10, &s.positions, &s.directions, &s.payload)?.0;
            Ok(())
        };
        let answer = |s: &State| {
            let counts: Vec<f64> = s.bins.iter().map(|bin| bin.count as f64).collect();
            let of = |moments: fn(&Bin) -> &Vec<f64>| s.bins.iter().flat_map(moments).copied().collect::<Vec<_>>();
            vec![
                Column::exact("count", &counts),
                Column::close("mean", &of(|bin| &bin.mean), 2e-5, 2e-5),
                Column::close("covariance", &of(|bin| &bin.covariance), 4e-5, 4e-5),
            ]
        };
        let state = State { positions: positions(items), directions, payload, bins: Vec::new() };
        Ok(Of::new(state, run, answer).held(|s: &State, engine| {
            let directions: Vec<u32> = s.directions.iter().map(|&direction| direction as u32).collect();
            let (positions, directions) = (engine.upload_array(&s.positions)?, engine.upload_array(&directions)?);
            let payload = engine.upload_planes(&s.payload, 3)?;
            Ok(move |s: &mut State, engine: &_| {
                s.bins = vortex::statistics_resident(engine, 10, &positions, &directions, &payload)?;
                Ok(())
            })
        }))
    };
    Case::new(Kernel::Statistics, "ten bins, three channels", make).start(1 << 14)
}

fn coherence() -> Case {
    struct State {
        ring: Ring,
        sequences: Vec<u32>,
        scores: Vec<f32>,
    }
    let make = |items: usize| -> std::result::Result<_, Failure> {
        let run = |s: &mut State, engine: &_| {
            s.ring.coherence_into(engine, LENGTH, &s.sequences, &mut s.scores)?;
            Ok(())
        };
        let answer = |s: &State| vec![Column::close("score", &s.scores, 1e-7, 0.0)];
        let state = State { ring: Ring::new(9, 2)?, sequences: positions(LENGTH * items), scores: vec![0.0; items] };
        Ok(Of::new(state, run, answer).held(|s: &State, engine| {
            let sequences = engine.upload_planes(&s.sequences, LENGTH)?;
            Ok(move |s: &mut State, engine: &_| {
                Ok(s.ring.coherence_resident(engine, &sequences)?.read_into(engine, &mut s.scores)?)
            })
        }))
    };
    Case::new(Kernel::Coherence, format!("of {LENGTH} positions"), make)
}
