//! Jobs whose executor is chosen.

use std::time::{Duration, Instant};

use crate::backend::{Backend, Held, Run, Timing};
use crate::engine::choice::{Choice, Reason};
use crate::engine::chooser::Chooser;
use crate::engine::events::Job;
use crate::engine::{Accelerator, Engine};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::plan::Program;
use crate::plan::batch::Batch;
use crate::plan::cost::{Demand, Executor, Next, PROBE};
use crate::tensor::{Evidence, Fused, FusedMut, Outputs};

impl Engine {
    /// Runs a program over evidence in the host's memory.
    pub(super) fn run_program(
        &self,
        program: &Program,
        outputs: Outputs,
        evidence: &Evidence<'_>,
        out: &mut FusedMut<'_>,
    ) -> Result<Run> {
        let job = Job::Run(program.kernel());
        let demand = self.chooser.is_some().then(|| Demand::of_program(program, evidence.items(), false));
        let executor = self.place(demand.as_ref(), |executor| self.probe_program(executor, program, outputs, evidence));
        let begin = Instant::now();
        let on_cpu = |cpu: &dyn Backend, out: &mut FusedMut<'_>| cpu.run(program, evidence, out.reborrow());
        let run = match executor {
            Executor::Cpu => on_cpu(&**self.host.cpu()?, out),
            Executor::Gpu => self.on_either(
                job,
                out,
                |gpu, out| gpu.run(program, evidence, out.reborrow()).map(on_gpu),
                |cpu, out| on_cpu(&**cpu, out),
            ),
        }?;
        self.learn(executor, demand.as_ref().filter(|_| run.first_invalid.is_none()), &run.timing, begin.elapsed());
        Ok(run)
    }

    /// Runs a program over evidence on the device.
    pub(super) fn run_program_held(
        &self,
        program: &Program,
        held: &Held,
        items: usize,
        out: FusedMut<'_>,
    ) -> Result<Run> {
        let begin = Instant::now();
        let run = self.on_gpu(Job::Run(program.kernel()), |gpu| gpu.run_held(program, held, out)).map(on_gpu)?;
        let demand = self.chooser.as_ref().filter(|_| run.first_invalid.is_none());
        let demand = demand.map(|_| Demand::of_program(program, items, true));
        self.learn(Executor::Gpu, demand.as_ref(), &run.timing, begin.elapsed());
        Ok(run)
    }

    /// Runs a kernel over arrays; after a failure those that it updates in place are as they were.
    pub(super) fn run_kernel(&self, batch: &mut Batch<'_>) -> Result<Timing> {
        let job = Job::Run(batch.kernel);
        let demand = self.chooser.is_some().then(|| Demand::of_batch(batch));
        let executor = self.place(demand.as_ref(), |executor| self.probe_batch(executor, batch));
        let begin = Instant::now();
        let mut saved = None;
        let timing = match executor {
            Executor::Cpu => self.host.cpu()?.run_batch(batch.reborrow()),
            Executor::Gpu => self.on_either(
                job,
                &mut (&mut *batch, &mut saved),
                |gpu, (batch, saved)| {
                    // The caller's arrays are the only original. A device writes them as soon as a chunk is back, when a
                    // later one may still fail, and so may this one: what error scopes caught, and a loss, is known last of
                    // all. Kernels that update nothing in place have nothing to copy.
                    **saved = Some(batch.saved());
                    Ok(Timing { executor: Executor::Gpu, ..gpu.run_batch(batch.reborrow())? })
                },
                |cpu, (batch, saved)| {
                    saved.take().into_iter().for_each(|saved| batch.restore(&saved));
                    cpu.run_batch(batch.reborrow())
                },
            ),
        };
        match timing {
            Ok(timing) => {
                self.learn(executor, demand.as_ref(), &timing, begin.elapsed());
                Ok(timing)
            }
            Err(error) => {
                saved.into_iter().for_each(|saved| batch.restore(&saved));
                Err(error)
            }
        }
    }

    /// Where the fusion runs, and why.
    pub(super) fn choice(&self, program: &Program, outputs: Outputs, evidence: &Evidence<'_>) -> Result<Choice> {
        let demand = Demand::of_program(program, evidence.items(), false);
        let Some(chooser) = self.choosing() else { return Ok(self.only(&demand.name)) };
        if evidence.items() > 0 {
            chooser.executor(&demand, false, |executor| self.probe_program(executor, program, outputs, evidence));
        }
        // Other jobs go on correcting the model.
        Ok(Choice::of(&chooser.model(), &demand))
    }

    /// Where a job of a kernel over arrays of so many items runs, and why; `None` where no such job says what it takes.
    pub(super) fn choice_of_kernel(&self, kernel: Kernel, items: usize) -> Option<Choice> {
        let Some(chooser) = self.choosing() else { return Some(self.only(kernel.name())) };
        let model = chooser.model();
        let demand = model.demand(kernel.name(), items)?;
        matches!(model.next(&demand), Next::Run(_)).then(|| Choice::of(&model, &demand))
    }

    /// Where the fusion of what is held runs: there.
    pub(super) fn choice_held(&self, program: &Program, held: &Held, items: usize) -> Result<Choice> {
        let demand = Demand::of_program(program, items, true);
        let model = self.chooser.as_ref().map(|chooser| chooser.model());
        let (executor, cpu, gpu) = match held {
            Held::Host(_) => (Executor::Cpu, model.and_then(|model| model.cpu(&demand)), None),
            Held::Device(_) => (Executor::Gpu, None, model.and_then(|model| model.gpu(&demand))),
        };
        Ok(Choice { executor, job: demand.name, cpu, gpu, reason: Reason::EvidenceIsThere })
    }

    /// The executor of a job: the chosen one, or the only one.
    pub(super) fn place(
        &self,
        demand: Option<&Demand>,
        probe: impl FnMut(Executor) -> Result<(Demand, Duration)>,
    ) -> Executor {
        match (&self.chooser, demand) {
            (Some(chooser), Some(demand)) => chooser.executor(demand, true, probe),
            // Without a device it is done on the CPU all the same.
            _ => Executor::Gpu,
        }
    }

    /// Takes in how long a job took, if it ran where it was meant to.
    fn learn(&self, executor: Executor, demand: Option<&Demand>, timing: &Timing, took: Duration) {
        if let (Some(chooser), Some(demand)) = (&self.chooser, demand.filter(|_| timing.executor == executor)) {
            chooser.observe(executor, demand, took);
        }
    }

    /// Runs a program over the first of the evidence, into memory of its own.
    fn probe_program(
        &self,
        executor: Executor,
        program: &Program,
        outputs: Outputs,
        evidence: &Evidence<'_>,
    ) -> Result<(Demand, Duration)> {
        let each = Demand::of_program(program, 1, false).work;
        let part = evidence.first(((PROBE / each) as usize).max(1));
        let mut fused = Fused::default();
        let mut out = fused.prepare(&part.outline(), outputs);
        let took = least(|| match executor {
            Executor::Cpu => self.host.cpu()?.run(program, &part, out.reborrow()),
            Executor::Gpu => self.on_gpu(Job::Run(program.kernel()), |gpu| gpu.run(program, &part, out.reborrow())),
        })?;
        Ok((Demand::of_program(program, part.items(), false), took))
    }

    /// Runs a kernel over the first blocks; what it updates in place is put back, and the rest is written anew.
    fn probe_batch(&self, executor: Executor, batch: &mut Batch<'_>) -> Result<(Demand, Duration)> {
        let each = batch.cost() as f64 / batch.items as f64;
        let items = ((PROBE / each) as usize).next_multiple_of(batch.block).max(batch.block);
        let mut part = batch.reborrow().split_at(items).0;
        let (demand, saved) = (Demand::of_batch(&part), part.saved());
        let took = least(|| {
            part.restore(&saved);
            match executor {
                Executor::Cpu => self.host.cpu()?.run_batch(part.reborrow()),
                Executor::Gpu => self.on_gpu(Job::Run(part.kernel), |gpu| gpu.run_batch(part.reborrow())),
            }
        });
        part.restore(&saved);
        Ok((demand, took?))
    }

    /// What chooses, where there is a choice.
    pub(super) fn choosing(&self) -> Option<&Chooser> {
        self.chooser.as_ref().filter(|_| self.is_device_in_use())
    }

    /// Where any job runs while there is no choice.
    pub(super) fn only(&self, job: &str) -> Choice {
        let (executor, reason) = match self.is_device_in_use() {
            true => (Executor::Gpu, Reason::AskedFor),
            false => (Executor::Cpu, Reason::NoGpu),
        };
        Choice { executor, job: job.to_owned(), cpu: None, gpu: None, reason }
    }

    fn is_device_in_use(&self) -> bool {
        self.accelerator.as_ref().is_some_and(Accelerator::is_in_use)
    }
}

/// It ran on the GPU.
fn on_gpu(run: Run) -> Run {
    Run { timing: Timing { executor: Executor::Gpu, ..run.timing }, ..run }
}

/// The less of two runs, after one that does not count: it may compile.
pub(super) fn least<T>(mut run: impl FnMut() -> Result<T>) -> Result<Duration> {
    run()?;
    let mut timed = || {
        let begin = Instant::now();
        run().map(|_| begin.elapsed())
    };
    Ok(timed()?.min(timed()?))
}
