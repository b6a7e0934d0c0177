//! What a job takes on each executor, from what was measured: pure code that measures nothing and knows no device.
//!
//! A job takes an executor a fixed time and a time for each unit of its work; on a GPU also a time for each byte that goes
//! there and back. The times are seconds that were measured on this machine; each job that runs corrects those it was
//! estimated from.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::batch::Batch;
use crate::plan::{Program, Step};

/// Work up to which a job's beginning is run to measure an executor, in units: what takes a millisecond or two.
pub const PROBE: f64 = 4_194_304.0;

/// By how much work an estimate may go beyond what it was measured with.
const STRETCH: f64 = 16.0;

/// The share of a new observation.
const SHARE: f64 = 0.25;

/// By how much one observation may be off and still count in full.
const MOST_OFF: f64 = 8.0;

/// Evaluations that every fit takes: where it begins and where it ends.
const LEAST_EVALUATIONS: f64 = 2.0;

/// More evaluations than any fit takes.
const MOST_EVALUATIONS: f64 = 1e12;

/// Less than anything takes, in seconds: what was too short for the clock counts as this.
const LEAST: f64 = 1e-18;

/// More than anything takes.
const MOST: f64 = 1e6;

/// Which executor does a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Executor {
    /// The CPU.
    #[default]
    Cpu,
    /// The GPU.
    Gpu,
}

/// What a job asks of an executor.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// Under which name its time per unit is kept: that of the kernel, and of a fusion or a fit what is compiled into it.
    pub name: String,
    /// Items of a run.
    pub items: f64,
    /// Bytes that take as long to move as a whole run takes, roughly: the unit of work.
    pub work: f64,
    /// Bytes that a GPU must be given for a run.
    pub upload: f64,
    /// Bytes that a GPU gives back of a run.
    pub read_back: f64,
    /// How often it runs: once, but for a fit, which evaluates time and again.
    pub runs: f64,
    /// Bytes that a GPU must be given once, however often it runs.
    pub upload_once: f64,
}

/// How often a regression is evaluated, as far as that is known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluations {
    /// Once.
    Once,
    /// As often as so many fits take.
    Fits(usize),
    /// As often as an optimiser of the caller's asks.
    Asked,
}

/// How long a job is expected to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Estimate {
    /// What it takes however small it is.
    pub launch: Duration,
    /// The way to the device; zero on the CPU, and of what lies there.
    pub upload: Duration,
    /// The work itself.
    pub kernels: Duration,
    /// The way back; zero on the CPU.
    pub read_back: Duration,
}

/// What is to be done next for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Its beginning is run on this executor, of which too little is known.
    Measure(Executor),
    /// The job is run.
    Run(Executor),
}

/// What was measured, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Of a job on the CPU.
    pub cpu_launch: f64,
    /// Of a job on the GPU.
    pub gpu_launch: f64,
    /// Of a byte.
    pub upload: f64,
    /// Of a byte.
    pub read_back: f64,
    /// Evaluations of a fit; `None`: there was no fit yet.
    fit_evaluations: Option<f64>,
    /// Of a loss that an optimiser of the caller's asked for, until it was done with it.
    asked_evaluations: Option<f64>,
    /// By the names of demands.
    kernels: BTreeMap<String, Rates>,
}

/// Of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rates {
    cpu: Option<Rate>,
    gpu: Option<Rate>,
    /// What the last job asked for each of its items.
    item: PerItem,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    /// Of a unit of work.
    per_unit: f64,
    /// The most work that it was measured with.
    seen: f64,
}

/// Of an item.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PerItem {
    work: f64,
    upload: f64,
    read_back: f64,
}

impl Demand {
    /// Of a fusion of so many items.
    #[must_use]
    pub fn of_program(program: &Program, items: usize, is_resident: bool) -> Self {
        let steps = program.steps.iter();
        let (read, written) = steps.map(Step::bytes_per_item).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        let items = items as f64;
        let flag = |on: bool, name: &'static str| if on { name } else { "" };
        let step = |step: &Step| {
            let (pool, form) = (&step.pool, &step.pool.forms[0]);
            let form = if pool.forms.iter().all(|other| other == form) { form.to_string() } else { "mixed".to_owned() };
            let (kernel, rules, outputs) = (step.kernel(), pool.rules(), pool.outputs.bits());
            let (presence, confidence) = (flag(step.presence, ", presence"), flag(step.confidence, ", confidence"));
            format!("{kernel}: rules {rules:x}, outputs {outputs:x}, {form}{presence}{confidence}")
        };
        let name = program.steps.iter().map(step).collect::<Vec<_>>().join(", ");
        let upload = if is_resident { 0.0 } else { items * read };
        Self {
            name,
            items,
            work: items * (read + written),
            upload,
            read_back: items * written,
            runs: 1.0,
            upload_once: 0.0,
        }
    }

    /// Of a kernel over arrays.
    #[must_use]
    pub fn of_batch(batch: &Batch<'_>) -> Self {
        let (upload, read_back) = batch.transferred();
        Self {
            name: batch.kernel.name().to_owned(),
            items: batch.items as f64,
            work: batch.cost() as f64,
            upload: upload as f64,
            read_back: read_back as f64,
            runs: 1.0,
            upload_once: 0.0,
        }
    }
}

impl Estimate {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Duration {
        [self.upload, self.kernels, self.read_back].into_iter().fold(self.launch, Duration::saturating_add)
    }
}

impl Model {
    /// Of these times, without any kernel's yet.
    #[must_use]
    pub fn new(cpu_launch: f64, gpu_launch: f64, upload: f64, read_back: f64) -> Self {
        let [cpu_launch, gpu_launch, upload, read_back] = [cpu_launch, gpu_launch, upload, read_back].map(within);
        let kernels = BTreeMap::new();
        Self { cpu_launch, gpu_launch, upload, read_back, fit_evaluations: None, asked_evaluations: None, kernels }
    }

    /// Whether every number can have been measured.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let mut times = [self.cpu_launch, self.gpu_launch, self.upload, self.read_back].into_iter();
        let mut rates = self.kernels.values().flat_map(|rates| [rates.cpu, rates.gpu]).flatten();
        let is_time = |time: f64| (LEAST..=MOST).contains(&time);
        let is_amount = |amount: f64| amount.is_finite() && amount >= 0.0;
        let mut items =
            self.kernels.values().flat_map(|rates| [rates.item.work, rates.item.upload, rates.item.read_back]);
        let mut evaluations = [self.fit_evaluations, self.asked_evaluations].into_iter().flatten();
        times.all(is_time)
            && rates.all(|rate| is_time(rate.per_unit) && is_amount(rate.seen))
            && items.all(is_amount)
            && evaluations.all(|times| (1.0..=MOST_EVALUATIONS).contains(&times))
    }

    /// What a job of a kernel over arrays of so many items asks, if each of them asks what those of the last job did; `None`
    /// where none was measured.
    #[must_use]
    pub fn demand(&self, kernel: &str, items: usize) -> Option<Demand> {
        let PerItem { work, upload, read_back } = self.kernels.get(kernel)?.item;
        let (name, items) = (kernel.to_owned(), items as f64);
        let [work, upload, read_back] = [work, upload, read_back].map(|each| items * each);
        Some(Demand { name, items, work, upload, read_back, runs: 1.0, upload_once: 0.0 })
    }

    /// How often a regression is expected to be evaluated: as often as those before it were, and before there was one as
    /// rarely as can be.
    #[must_use]
    pub fn expected(&self, evaluations: Evaluations) -> f64 {
        match evaluations {
            Evaluations::Once => 1.0,
            Evaluations::Fits(fits) => fits as f64 * self.fit_evaluations.unwrap_or(LEAST_EVALUATIONS),
            Evaluations::Asked => self.asked_evaluations.unwrap_or(1.0),
        }
    }

    /// Takes in how often a regression was evaluated.
    pub fn observe_evaluations(&mut self, evaluations: Evaluations, times: u64) {
        let (known, times) = match evaluations {
            Evaluations::Once => return,
            Evaluations::Fits(fits) => (&mut self.fit_evaluations, times as f64 / (fits as f64).max(1.0)),
            Evaluations::Asked => (&mut self.asked_evaluations, times as f64),
        };
        let times = times.clamp(1.0, MOST_EVALUATIONS);
        *known = Some(known.map_or(times, |known| known * (times / known).powf(SHARE)));
    }

    /// What the job takes on the CPU, if that is known.
    #[must_use]
    pub fn cpu(&self, demand: &Demand) -> Option<Estimate> {
        let rate = self.rate(Executor::Cpu, demand)?;
        Some(Estimate {
            launch: seconds(demand.runs * self.cpu_launch),
            kernels: seconds(demand.runs * rate.per_unit * demand.work),
            ..Estimate::default()
        })
    }

    /// What the job takes on the GPU, if that is known.
    #[must_use]
    pub fn gpu(&self, demand: &Demand) -> Option<Estimate> {
        let rate = self.rate(Executor::Gpu, demand)?;
        let kernels = seconds(demand.runs * rate.per_unit * demand.work);
        Some(Estimate { kernels, ..self.gpu_at_best(demand) })
    }

    /// What the job takes on a GPU that works in no time.
    #[must_use]
    pub fn gpu_at_best(&self, demand: &Demand) -> Estimate {
        Estimate {
            launch: seconds(demand.runs * self.gpu_launch),
            upload: seconds(self.upload * (demand.upload_once + demand.runs * demand.upload)),
            kernels: Duration::ZERO,
            read_back: seconds(demand.runs * self.read_back * demand.read_back),
        }
    }

    /// Where the job goes: to the executor that is expected to take less, the CPU of equals; and to the CPU without a look
    /// at the GPU where that cannot be faster however fast it works.
    #[must_use]
    pub fn next(&self, demand: &Demand) -> Next {
        let Some(cpu) = self.cpu(demand) else { return Next::Measure(Executor::Cpu) };
        if cpu.total() <= self.gpu_at_best(demand).total() {
            return Next::Run(Executor::Cpu);
        }
        match self.gpu(demand) {
            None => Next::Measure(Executor::Gpu),
            Some(gpu) if gpu.total() < cpu.total() => Next::Run(Executor::Gpu),
            Some(_) => Next::Run(Executor::Cpu),
        }
    }

    /// Takes in how long one run of a job took, with what all its runs need at hand. What its estimate was made of is
    /// corrected by as much as it has a share in it; a job that is much larger than all before it says what its kernel takes.
    pub fn observe(&mut self, executor: Executor, demand: &Demand, took: Duration) {
        let took = within(took.as_secs_f64());
        let rates = self.kernels.entry(demand.name.clone()).or_default();
        let [work, upload, read_back] =
            [demand.work, demand.upload, demand.read_back].map(|all| all / demand.items.max(1.0));
        rates.item = PerItem { work, upload, read_back };
        let fixed = match executor {
            Executor::Cpu => self.cpu_launch,
            Executor::Gpu => self.gpu_launch + self.upload * demand.upload + self.read_back * demand.read_back,
        };
        let rate = match executor {
            Executor::Cpu => &mut rates.cpu,
            Executor::Gpu => &mut rates.gpu,
        };
        let Some(known) = rate.as_mut().filter(|rate| demand.work <= 2.0 * rate.seen) else {
            let per_unit = within((took - fixed).max(0.0) / demand.work.max(1.0));
            *rate = Some(Rate { per_unit, seen: demand.work });
            return;
        };
        known.seen = known.seen.max(demand.work);
        let work = known.per_unit * demand.work;
        let expected = within(fixed + work);
        let off = (took / expected).clamp(1.0 / MOST_OFF, MOST_OFF);
        let corrected = |time: f64, part: f64| within(time * off.powf(SHARE * part / expected));
        known.per_unit = corrected(known.per_unit, work);
        match executor {
            Executor::Cpu => self.cpu_launch = corrected(self.cpu_launch, self.cpu_launch),
            Executor::Gpu => {
                self.upload = corrected(self.upload, self.upload * demand.upload);
                self.read_back = corrected(self.read_back, self.read_back * demand.read_back);
                self.gpu_launch = corrected(self.gpu_launch, self.gpu_launch);
            }
        }
    }

    /// The kernel's rate, if it was measured with enough work to speak of the job.
    fn rate(&self, executor: Executor, demand: &Demand) -> Option<Rate> {
        let rates = self.kernels.get(&demand.name)?;
        let rate = match executor {
            Executor::Cpu => rates.cpu,
            Executor::Gpu => rates.gpu,
        };
        rate.filter(|rate| rate.seen * STRETCH >= demand.work.min(PROBE))
    }
}

/// A time that can be reckoned with.
fn within(seconds: f64) -> f64 {
    if seconds.is_nan() { MOST } else { seconds.clamp(LEAST, MOST) }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { launch, upload, kernels, read_back } = self;
        write!(
            f,
            "{:?} (launch {launch:?}, upload {upload:?}, kernels {kernels:?}, read back {read_back:?})",
            self.total()
        )
    }
}

impl fmt::Display for Demand {
    /// What it is known by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.runs == 1.0 { Ok(()) } else { write!(f, ", about {:.0} evaluations", self.runs) }
    }
}

impl fmt::Display for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A job of so many units, as many bytes up and a quarter of them down.
    fn job(work: f64) -> Demand {
        let (name, items) = ("k".to_owned(), work.max(1.0));
        Demand { name, items, work, upload: work, read_back: work / 4.0, runs: 1.0, upload_once: 0.0 }
    }

    fn model(launches: [f64; 2], ways: [f64; 2], cpu: f64, gpu: f64) -> Model {
        let mut model = Model::new(launches[0], launches[1], ways[0], ways[1]);
        let rate = |per_unit| Some(Rate { per_unit, seen: 1e18 });
        let item = PerItem { work: 1.0, upload: 1.0, read_back: 0.25 };
        model.kernels.insert("k".to_owned(), Rates { cpu: rate(cpu), gpu: rate(gpu), item });
        model
    }

    /// 1 us against 50; 5 GB/s up and down; 1 GB/s on the CPU, 100 on the GPU.
    fn usual() -> Model {
        model([1e-6, 5e-5], [2e-10, 2e-10], 1e-9, 1e-11)
    }

    #[test]
    fn small_jobs_stay_and_large_ones_go() {
        // 49 us / (1 - 0.2 - 0.05 - 0.01 ns) is 66.2 kB.
        let chosen = [1.0, 1e3, 6.6e4, 6.7e4, 1e6, 1e9].map(|work| usual().next(&job(work)));
        let (cpu, gpu) = (Next::Run(Executor::Cpu), Next::Run(Executor::Gpu));
        assert_eq!(chosen, [cpu, cpu, cpu, gpu, gpu, gpu]);
        let estimate = usual().gpu(&job(1e6)).unwrap();
        let micros = [estimate.launch, estimate.upload, estimate.kernels, estimate.read_back].map(|t| t.as_micros());
        assert_eq!(micros, [50, 200, 10, 50]);
        assert_eq!(estimate.total().as_micros(), 310);
        assert_eq!(estimate.to_string(), "310µs (launch 50µs, upload 200µs, kernels 10µs, read back 50µs)");
        // What lies there costs no way there.
        let held = Demand { upload: 0.0, ..job(6.5e4) };
        assert_eq!(usual().next(&held), gpu);
    }

    #[test]
    fn a_fit_is_worth_its_upload_from_some_evaluations_on() {
        // On the CPU 101 us each; on the GPU 50 + 20 + 1 + 5 us, and once 1 ms for the features: 40 evaluations.
        let fit = |runs| Demand { runs, upload: 1e5, upload_once: 5e6, ..job(1e5) };
        let chosen = [1.0, 39.0, 41.0, 1e3].map(|runs| usual().next(&fit(runs)));
        let (cpu, gpu) = (Next::Run(Executor::Cpu), Next::Run(Executor::Gpu));
        assert_eq!(chosen, [cpu, cpu, gpu, gpu]);
        let estimate = usual().gpu(&fit(100.0)).unwrap();
        let micros = [estimate.launch, estimate.upload, estimate.kernels, estimate.read_back].map(|t| t.as_micros());
        assert_eq!(micros, [5_000, 3_000, 100, 500]);
        assert_eq!(usual().cpu(&fit(100.0)).unwrap().total().as_micros(), 10_100);
        assert_eq!([fit(1.0).to_string(), fit(39.6).to_string()], ["k", "k, about 40 evaluations"]);
    }

    #[test]
    fn evaluations_are_expected_as_they_were_before() {
        let mut model = usual();
        let [fit, five] = [Evaluations::Fits(1), Evaluations::Fits(5)];
        let expected = |model: &Model| [Evaluations::Once, fit, five, Evaluations::Asked].map(|e| model.expected(e));
        assert_eq!(expected(&model), [1.0, 2.0, 10.0, 1.0]);
        model.observe_evaluations(five, 100);
        assert_eq!(expected(&model), [1.0, 20.0, 100.0, 1.0]);
        model.observe_evaluations(Evaluations::Asked, 7);
        model.observe_evaluations(Evaluations::Once, 1000);
        assert_eq!(expected(&model), [1.0, 20.0, 100.0, 7.0]);
        for _ in 0..60 {
            model.observe_evaluations(fit, 45);
        }
        assert!((model.expected(fit) - 45.0).abs() < 1e-3, "{}", model.expected(fit));
        model.observe_evaluations(Evaluations::Asked, 0);
        model.observe_evaluations(Evaluations::Fits(0), u64::MAX);
        assert!(model.is_sound(), "{model:?}");
    }

    #[test]
    fn a_size_asks_of_each_item_what_the_last_job_did() {
        let mut model = usual();
        assert_eq!(model.demand("other", 10), None);
        let last = Demand { items: 200.0, name: "other".to_owned(), ..job(1e3) };
        model.observe(Executor::Cpu, &last, Duration::from_micros(11));
        let asked = model.demand("other", 1000).unwrap();
        assert_eq!((asked.items, asked.work, asked.upload, asked.read_back), (1e3, 5e3, 5e3, 1250.0));
        assert_eq!(model.cpu(&asked).unwrap().total().as_micros(), 51);
    }

    #[test]
    fn a_gpu_that_cannot_win_is_not_measured() {
        let mut model = Model::new(1e-6, 5e-5, 2e-10, 2e-10);
        assert_eq!(model.next(&job(1e4)), Next::Measure(Executor::Cpu));
        model.observe(Executor::Cpu, &job(1e4), Duration::from_micros(11));
        assert_eq!(model.next(&job(1e4)), Next::Run(Executor::Cpu));
        assert_eq!(model.gpu(&job(1e4)), None);
        // Much more than was measured.
        assert_eq!(model.next(&job(1e9)), Next::Measure(Executor::Cpu));
        model.observe(Executor::Cpu, &job(PROBE), Duration::from_micros(4200));
        assert_eq!(model.next(&job(1e9)), Next::Measure(Executor::Gpu));
        model.observe(Executor::Gpu, &job(PROBE), Duration::from_micros(2000));
        assert_eq!(model.next(&job(1e9)), Next::Run(Executor::Gpu));
        assert_eq!(model.next(&job(1e4)), Next::Run(Executor::Cpu));
    }

    #[test]
    fn of_equals_the_cpu() {
        let even = model([1e-5, 1e-5], [1e-15, 1e-15], 1e-9, 1e-9);
        let held = Demand { upload: 0.0, read_back: 0.0, ..job(1e6) };
        assert_eq!(even.cpu(&held).unwrap().total(), even.gpu(&held).unwrap().total());
        assert_eq!(even.next(&held), Next::Run(Executor::Cpu));
    }

    #[test]
    fn what_is_off_is_corrected_where_it_is() {
        // Ten times slower at work than thought, on the CPU.
        let mut model = usual();
        for _ in 0..60 {
            model.observe(Executor::Cpu, &job(1e8), Duration::from_secs_f64(1e-6 + 1.0));
        }
        let took = model.cpu(&job(1e8)).unwrap();
        assert!((took.total().as_secs_f64() - 1.0).abs() < 1e-3, "{took}");
        assert!((model.cpu_launch - 1e-6).abs() < 1e-8, "a long job says nothing of the launch: {}", model.cpu_launch);
        // Nor does a short one of the work.
        let mut model = usual();
        for _ in 0..60 {
            model.observe(Executor::Gpu, &job(16.0), Duration::from_micros(400));
        }
        assert!((model.gpu_launch - 4e-4).abs() < 1e-6, "{}", model.gpu_launch);
        let rate = model.rate(Executor::Gpu, &job(16.0)).unwrap();
        assert!((rate.per_unit / 1e-11 - 1.0).abs() < 1e-3 && (model.upload / 2e-10 - 1.0).abs() < 1e-3, "{model:?}");
    }

    #[test]
    fn numbers_that_nobody_measured_are_unsound() {
        assert!(usual().is_sound());
        for wrong in [f64::NAN, f64::INFINITY, 0.0, -1e-9, 1e7] {
            for place in 0..4 {
                let mut model = usual();
                *[&mut model.cpu_launch, &mut model.gpu_launch, &mut model.upload, &mut model.read_back][place] = wrong;
                assert!(!model.is_sound(), "{wrong} at {place}");
            }
            let mut model = usual();
            let gpu = Some(Rate { per_unit: wrong, seen: 1.0 });
            model.kernels.insert("bad".to_owned(), Rates { gpu, ..Rates::default() });
            assert!(!model.is_sound(), "{wrong}");
        }
        let mut model = usual();
        let cpu = Some(Rate { per_unit: 1.0, seen: f64::NAN });
        model.kernels.insert("bad".to_owned(), Rates { cpu, ..Rates::default() });
        assert!(!model.is_sound());
        for wrong in [f64::NAN, f64::INFINITY, -1.0] {
            let mut model = usual();
            let item = PerItem { upload: wrong, ..PerItem::default() };
            model.kernels.insert("bad".to_owned(), Rates { item, ..Rates::default() });
            assert!(!model.is_sound(), "{wrong}");
        }
        for wrong in [f64::NAN, f64::INFINITY, 0.5, 1e13] {
            assert!(!Model { fit_evaluations: Some(wrong), ..usual() }.is_sound(), "{wrong}");
            assert!(!Model { asked_evaluations: Some(wrong), ..usual() }.is_sound(), "{wrong}");
        }
    }

    prop_compose! {
        fn models()(exponents in prop::array::uniform6(0.0..1.0_f64)) -> Model {
            let [a, b, c, d, e, f] = exponents;
            let at = |least: f64, most: f64, x: f64| least * (most / least).powf(x);
            let launches = [at(1e-7, 1e-4, a), at(1e-6, 1e-2, b)];
            model(launches, [at(1e-11, 1e-8, c), at(1e-11, 1e-8, d)], at(1e-12, 1e-7, e), at(1e-13, 1e-7, f))
        }
    }

    fn runs_on_gpu(model: &Model, demand: &Demand) -> bool {
        model.next(demand) == Next::Run(Executor::Gpu)
    }

    proptest! {
        #[test]
        fn the_choice_is_the_least_estimate(model in models(), exponent in 0.0..10.0_f64) {
            let demand = job(10_f64.powf(exponent));
            let (cpu, gpu) = (model.cpu(&demand).unwrap().total(), model.gpu(&demand).unwrap().total());
            prop_assert_eq!(runs_on_gpu(&model, &demand), gpu < cpu);
        }

        #[test]
        fn more_takes_longer(model in models(), exponent in 0.0..9.0_f64, times in 1.0..10.0_f64) {
            let (less, more) = (job(10_f64.powf(exponent)), job(times * 10_f64.powf(exponent)));
            prop_assert!(model.cpu(&less).unwrap().total() <= model.cpu(&more).unwrap().total());
            prop_assert!(model.gpu(&less).unwrap().total() <= model.gpu(&more).unwrap().total());
        }

        /// With size the choice changes once at most.
        #[test]
        fn there_is_one_crossing(model in models()) {
            let chosen: Vec<bool> =
                (0..100).map(|step| runs_on_gpu(&model, &job(10_f64.powf(0.1 * f64::from(step))))).collect();
            let changes = chosen.windows(2).filter(|pair| pair[0] != pair[1]).count();
            // Where both take the same to the nanosecond, rounding may decide either way.
            prop_assert!(changes <= 1 || model.cpu_launch.max(model.gpu_launch) < 1e-6, "{:?}", chosen);
        }

        #[test]
        fn what_makes_the_gpu_faster_never_takes_a_job_from_it(
            model in models(), exponent in 0.0..10.0_f64, less in 0.0..1.0_f64, part in 0..4_usize,
        ) {
            let demand = job(10_f64.powf(exponent));
            let mut faster = model.clone();
            let mut held = demand.clone();
            match part {
                0 => faster.gpu_launch = within(less * faster.gpu_launch),
                1 => faster.upload = within(less * faster.upload),
                2 => faster.read_back = within(less * faster.read_back),
                _ => held.upload = 0.0,
            }
            prop_assert!(!runs_on_gpu(&model, &demand) || runs_on_gpu(&faster, &held));
        }

        #[test]
        fn whatever_is_observed_the_model_stays_sound(
            model in models(),
            jobs in prop::collection::vec((any::<bool>(), 0.0..1e13_f64, 0..u64::MAX), 1..40),
        ) {
            let mut model = model;
            for (on_gpu, work, nanos) in jobs {
                let executor = if on_gpu { Executor::Gpu } else { Executor::Cpu };
                model.observe(executor, &job(work), Duration::from_nanos(nanos));
                prop_assert!(model.is_sound(), "{:?}", model);
            }
        }

        #[test]
        fn jobs_that_take_the_same_come_to_be_expected(model in models(), exponent in 2.0..9.0_f64, took in -6.0..1.0_f64) {
            let (demand, took) = (job(10_f64.powf(exponent)), 10_f64.powf(took));
            for executor in [Executor::Cpu, Executor::Gpu] {
                let mut model = model.clone();
                for _ in 0..1500 {
                    model.observe(executor, &demand, Duration::from_secs_f64(took));
                }
                let expected = match executor {
                    Executor::Cpu => model.cpu(&demand),
                    Executor::Gpu => model.gpu(&demand),
                };
                let expected = expected.unwrap().total().as_secs_f64();
                prop_assert!((expected / took - 1.0).abs() < 0.02, "{} {}", expected, took);
            }
        }
    }
}
