//! `beam/*`: distributions over nine digits.

use consilience::Engine;
use consilience::beam::{
    Beams, Channels, Corpus, Digits, Eigen, Fuse, Interventions, Map, Measure, Measured, Neighbours, Operation,
    Pooling, Relax, Relaxed, Subspace, eigen_into, eigen_resident, fuse_into, fuse_resident, measure, measure_into,
    measure_resident, similarity_into, similarity_resident,
};
use consilience::kernel::Kernel;

use super::super::rivals::Composed;
use super::{Case, Column, Composable, Held, Job, Of, STEPS, spread};
use crate::Failure;

/// Values of a channel are as much larger as this than the masses they are made of.
const SCALE: f64 = 9.0;

/// Beams asked for their neighbours among those of a corpus.
const QUERIES: usize = 256;

pub fn cases() -> Vec<Case> {
    let fuse = Fuse::default();
    let [pull, sharpen] = [Operation::Pull(0.1), Operation::Sharpen(2.0)];
    vec![
        fuse_case("label mean", fuse).quick(),
        fuse_case("gradient and agreement", fuse.map(Map::Gradient).agreement(true)),
        fuse_case("logarithmic pool", fuse.pooling(Pooling::Log)),
        measure_case("mass", Measure::default().mass()),
        measure_case("all", Measure::all()).quick(),
        similarity().quick(),
        nearest().quick(),
        intervene("pull", pull).quick(),
        intervene("sharpen", sharpen),
        relax("round the ring", false).quick(),
        relax("to the anchors", true),
        subspace().quick(),
        moments().quick(),
        eigen().quick(),
    ]
}

/// Digits above 0, evenly spread.
fn channel(items: usize, step: f64) -> Vec<f32> {
    spread(9 * items, step).iter().map(|&x| 0.01 + x as f32).collect()
}

/// Beams at every position.
fn given(items: usize) -> Result<Beams, Failure> {
    let planes = channel(items, STEPS[0]);
    let measured = measure(&Engine::cpu()?, Measure::default().normalised(), &Digits::new(&planes)?)?;
    let positions: Vec<u32> = (0..items as u32).map(|item| item % 10).collect();
    Ok(Beams::new(measured.normalised(), &vec![4.0; 3 * items], &vec![0.5; items], &positions)?)
}

fn fuse_case(name: &str, how: Fuse) -> Case {
    // Logarithms near -87 are good to 4e-6, and there are several.
    let digits = if how == how.pooling(Pooling::Log) { 2e-5 } else { 3e-7 };
    let make = move |items: usize| {
        let channels = [0, 1, 2].map(|channel_of| channel(items, STEPS[channel_of]));
        let run = move |(channels, beams): &mut ([Vec<f32>; 3], Beams), engine: &_| {
            let [e, l, p] = &channels;
            fuse_into(engine, &how, &Channels::new(e, l, p)?, beams)?;
            Ok(())
        };
        let answer = move |(_, beams): &([Vec<f32>; 3], Beams)| {
            let mut columns = vec![
                Column::close("digits", beams.digits(), digits, 0.0),
                Column::close("values", beams.values(), 2e-6 * SCALE, 0.0),
                Column::close("confidence", beams.confidence(), 2e-6, 0.0),
                Column::but_for("position", beams.position(), 1e-3),
            ];
            if !beams.agreement().is_empty() {
                columns.push(Column::close("agreement", beams.agreement(), 2e-6, 0.0));
            }
            columns
        };
        Ok(Of::new((channels, Beams::default()), run, answer).held(move |(channels, _), engine| {
            let channels = engine.upload_planes(&channels.concat(), 27)?;
            Ok(move |(_, beams): &mut ([Vec<f32>; 3], Beams), engine: &_| {
                *beams = fuse_resident(engine, &how, &channels)?.read(engine)?;
                Ok(())
            })
        }))
    };
    Case::new(Kernel::BeamFuse, name, make)
}

fn measure_case(name: &str, what: Measure) -> Case {
    let make = move |items: usize| {
        let run = move |(planes, measured): &mut (Vec<f32>, Measured), engine: &_| {
            measure_into(engine, what, &Digits::new(planes)?, measured)?;
            Ok(())
        };
        let answer = |(_, measured): &(Vec<f32>, Measured)| {
            let mut columns = vec![Column::close("mass", measured.mass(), 2e-6, 0.0)];
            if !measured.normalised().is_empty() {
                columns.extend([
                    Column::close("digits", measured.normalised(), 3e-7, 0.0),
                    Column::close("entropy", measured.entropy(), 4e-6, 0.0),
                    Column::close("decisiveness", measured.decisiveness(), 6e-7, 0.0),
                    Column::exact("dominant", measured.dominant()),
                ]);
            }
            columns
        };
        Ok(Of::new((channel(items, STEPS[0]), Measured::default()), run, answer).held(move |(planes, _), engine| {
            let digits = engine.upload_planes(planes, 9)?;
            Ok(move |(_, measured): &mut (Vec<f32>, Measured), engine: &_| {
                *measured = measure_resident(engine, what, &digits)?.read(engine)?;
                Ok(())
            })
        }))
    };
    Case::new(Kernel::BeamMeasure, name, make)
}

/// Cosines, pair by pair.
struct Similarity {
    planes: [Vec<f32>; 2],
    cosines: Vec<f32>,
}

impl Job for Similarity {
    fn run(&mut self, engine: &Engine) -> Result<(), Failure> {
        let [first, second] = &self.planes;
        similarity_into(engine, &Digits::new(first)?, &Digits::new(second)?, &mut self.cosines)?;
        Ok(())
    }

    fn answer(&self) -> Vec<Column> {
        vec![Column::close("cosine", &self.cosines, 1e-6, 0.0)]
    }

    fn held<'a>(&'a mut self, engine: &'a Engine) -> Result<Option<Held<'a>>, Failure> {
        let [first, second] = [engine.upload_planes(&self.planes[0], 9)?, engine.upload_planes(&self.planes[1], 9)?];
        Ok(Some(Box::new(move || {
            Ok(similarity_resident(engine, &first, &second)?.read_into(engine, &mut self.cosines)?)
        })))
    }

    fn composable(&self) -> Option<Composable<'_>> {
        let shape = [2, 9, self.cosines.len()];
        Some(Composable { what: Composed::Cosine, stacked: self.planes.concat(), shape, ours: &self.cosines })
    }
}

fn similarity() -> Case {
    Case::new(Kernel::BeamSimilarity, "pair by pair", |items| {
        Ok(Similarity { planes: [0, 1].map(|plane| channel(items, STEPS[plane])), cosines: vec![0.0; items] })
    })
}

/// Items are beams of the corpus, each looked at for every query.
fn nearest() -> Case {
    struct State {
        asked: Vec<f32>,
        corpus: Corpus,
        found: Neighbours,
    }
    let make = |items: usize| {
        let corpus = channel(items, STEPS[1]);
        let corpus = Corpus::new(&Digits::new(&corpus)?)?;
        let run = |s: &mut State, engine: &_| {
            s.corpus.nearest_into(engine, &Digits::new(&s.asked)?, 10, &mut s.found)?;
            Ok(())
        };
        // Of neighbours as near as each other devices may name different ones.
        let answer = |s: &State| vec![Column::close("similarity", s.found.similarity(), 1e-6, 0.0)];
        Ok(Of::new(State { asked: channel(QUERIES, STEPS[0]), corpus, found: Neighbours::default() }, run, answer))
    };
    Case::new(Kernel::BeamNearest, format!("10 for each of {QUERIES}"), make).start(1024)
}

fn intervene(name: &str, operation: Operation) -> Case {
    let make = move |items: usize| {
        let table = (0..10).try_fold(Interventions::default(), |table, position| table.at(position, operation))?;
        let run = |(beams, table, changed): &mut (Beams, Interventions, Beams), engine: &_| {
            table.apply_into(engine, beams, changed)?;
            Ok(())
        };
        let answer = |(_, _, changed): &(Beams, Interventions, Beams)| {
            vec![Column::close("digits", changed.digits(), 3e-6, 0.0)]
        };
        Ok(Of::new((given(items)?, table, Beams::default()), run, answer).held(|(beams, ..), engine| {
            let beams = beams.upload(engine)?;
            Ok(move |(_, table, changed): &mut (Beams, Interventions, Beams), engine: &_| {
                *changed = table.apply_resident(engine, &beams)?.read(engine)?;
                Ok(())
            })
        }))
    };
    Case::new(Kernel::BeamIntervene, name, make)
}

fn relax(name: &str, to_anchors: bool) -> Case {
    let make = move |items: usize| {
        let relax = Relax::new(0.5)?;
        let relax = if to_anchors { relax.anchors(0.2)? } else { relax };
        let run = |(beams, relax, relaxed): &mut (Beams, Relax, Relaxed), engine: &_| {
            relax.relax_into(engine, beams, relaxed)?;
            Ok(())
        };
        // A step is good to 1e-6, steps halve what is left, and so does the tolerance at which they end.
        let answer =
            |(_, _, relaxed): &(Beams, Relax, Relaxed)| vec![Column::close("digits", relaxed.digits(), 4e-6, 0.0)];
        Ok(Of::new((given(items)?, relax, Relaxed::default()), run, answer).held(|(beams, ..), engine| {
            let beams = beams.upload(engine)?;
            Ok(move |(_, relax, relaxed): &mut (Beams, Relax, Relaxed), engine: &_| {
                *relaxed = relax.relax_resident(engine, &beams)?.read(engine)?;
                Ok(())
            })
        }))
    };
    Case::new(Kernel::BeamRelax, name, make).start(1024)
}

fn subspace() -> Case {
    let make = |items: usize| {
        let beams = given(items)?;
        let subspace = Subspace::fit(&Engine::cpu()?, &beams, 2)?;
        let run = |(beams, subspace, mapped): &mut (Beams, Subspace, Vec<f32>), engine: &_| {
            subspace.project_into(engine, beams, mapped)?;
            Ok(())
        };
        let answer = |(_, _, mapped): &(Beams, Subspace, Vec<f32>)| vec![Column::close("digits", mapped, 4e-6, 0.0)];
        Ok(Of::new((beams, subspace, vec![0.0; 9 * items]), run, answer).held(|(beams, ..), engine| {
            let beams = beams.upload(engine)?;
            Ok(move |(_, subspace, mapped): &mut (Beams, Subspace, Vec<f32>), engine: &_| {
                Ok(subspace.project_resident(engine, &beams)?.read_into(engine, mapped)?)
            })
        }))
    };
    Case::new(Kernel::BeamSubspace, "project", make)
}

/// A fit also decomposes and draws noise, which takes as long for any number of beams.
fn moments() -> Case {
    let make = |items: usize| {
        let run = |(beams, found): &mut (Beams, Option<Subspace>), engine: &_| {
            *found = Some(Subspace::fit(engine, beams, 2)?);
            Ok(())
        };
        let answer = |(_, found): &(Beams, Option<Subspace>)| {
            let Some(found) = found else { return Vec::new() };
            vec![
                Column::close("mean", found.mean(), 2e-5, 0.0),
                Column::close("variance", found.variances(), 4e-5, 0.0),
            ]
        };
        Ok(Of::new((given(items)?, None), run, answer).held(|(beams, _), engine| {
            let beams = beams.upload(engine)?;
            Ok(move |(_, found): &mut (Beams, Option<Subspace>), engine: &_| {
                *found = Some(Subspace::fit_resident(engine, &beams, 2)?);
                Ok(())
            })
        }))
    };
    Case::new(Kernel::BeamMoments, "of a fit", make)
}

fn eigen() -> Case {
    let make = |items: usize| {
        let run = |(matrices, found): &mut (Vec<f32>, Eigen), engine: &_| {
            eigen_into(engine, matrices, found)?;
            Ok(())
        };
        // Entries are at most 1.01, so that |A| is at most 9.1.
        let answer =
            |(_, found): &(Vec<f32>, Eigen)| vec![Column::close("values", found.values(), 2.0 * 3e-6 * 9.1, 0.0)];
        Ok(Of::new((channel(5 * items, STEPS[0]), Eigen::default()), run, answer).held(|(matrices, _), engine| {
            let matrices = engine.upload_planes(matrices, 45)?;
            Ok(move |(_, found): &mut (Vec<f32>, Eigen), engine: &_| {
                *found = eigen_resident(engine, &matrices)?.read(engine)?;
                Ok(())
            })
        }))
    };
    Case::new(Kernel::BeamEigen, "9 x 9", make).start(256)
}
