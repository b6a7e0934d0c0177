//! Posteriors that an engine holds: fitted to, tempered and scored where they are.

use consilience::calibration::{self, Loss, Outcomes, Scores, Temperature};
use consilience::{
    CalibrationError, DeviceError, Engine, ErrorKind, Evidence, Fusion, Output, ResidentArray, ResidentFused, Result,
    Rule,
};

use super::{own, refused, tight};
use crate::support::engines;
use crate::support::problem::Random;

/// Rows that sum to one within roundings, and labels.
pub struct Labelled {
    pub classes: usize,
    pub rows: Vec<f32>,
    pub labels: Vec<u32>,
}

impl Labelled {
    fn checked(&self) -> calibration::Labelled<'_> {
        calibration::Labelled::new(self.classes, &self.rows, &self.labels).expect("distributions and classes")
    }

    pub fn host(&self) -> Temperature {
        Temperature::fit(&self.checked())
    }
}

impl Labelled {
    /// The rows as they are held: one source is its own pool, but divided by its sum.
    pub fn as_held(&self, engine: &Engine, posterior: &ResidentFused) -> Result<Self> {
        let rows = posterior.read(engine)?.take_values(Output::Posterior).unwrap_or_default();
        Ok(Self { classes: self.classes, rows, labels: self.labels.clone() })
    }
}

/// Labels drawn of rows that are then made surer than they have a right to be: by how much, T says.
pub fn labelled(items: usize, classes: usize, sure: f64, seed: u64) -> Labelled {
    let mut random = Random::new(seed);
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..items {
        let p: Vec<f64> = random.list(classes, -2.0, 2.0).iter().map(|&x| f64::from(x).exp()).collect();
        let mut left = f64::from(random.unit()) * p.iter().sum::<f64>();
        let drawn = p.iter().position(|p| {
            left -= p;
            left < 0.0
        });
        labels.push(drawn.unwrap_or(classes - 1) as u32);
        let q: Vec<f64> = p.iter().map(|p| p.powf(sure)).collect();
        let sum: f64 = q.iter().sum();
        rows.extend(q.iter().map(|q| (q / sum) as f32));
    }
    Labelled { classes, rows, labels }
}

/// The rows as a posterior, and the labels.
pub fn held(engine: &Engine, all: &Labelled) -> Result<(ResidentFused, ResidentArray<u32>)> {
    let evidence = engine.upload(&Evidence::probabilities(all.classes, &[&all.rows])?)?;
    let posterior = engine.fuse_resident(&Fusion::new(Rule::Linear).outputs(&[Output::Posterior]), &evidence)?;
    Ok((posterior, engine.upload_array(&all.labels)?))
}

#[test]
fn fits_are_the_hosts() -> Result<()> {
    for (items, classes, sure) in [(1, 3, 1.0), (100, 2, 3.0), (2500, 10, 1.7)] {
        let all = labelled(items, classes, sure, 11);
        let want = all.host();
        for (name, engine) in engines::all() {
            let (posterior, labels) = held(engine, &all)?;
            let got = Temperature::fit_resident(engine, &posterior, &labels)?;
            let at = format!("{name}, {items}: {got:?}, not {want:?}");
            assert_eq!((got.ending(), got.items()), (want.ending(), want.items()), "{at}");
            assert!((got.value() / want.value() - 1.0).abs() <= 1e-4, "{at}");
            for (got, want) in [(got.nll_before(), want.nll_before()), (got.nll_after(), want.nll_after())] {
                assert!((got - want).abs() <= 1e-5 * want.max(0.1), "{at}");
            }
        }
    }
    Ok(())
}

#[test]
fn tempered_posteriors_are_the_hosts_and_part_of_the_chain() -> Result<()> {
    let all = labelled(700, 6, 3.0, 5);
    let fitted = all.host();
    let mut want = all.rows.clone();
    fitted.apply(6, &mut want)?;
    for (name, engine) in engines::all() {
        let own = own(engine);
        let engine = own.as_ref().unwrap_or(engine);
        let evidence = engine.upload(&Evidence::probabilities(6, &[&all.rows])?)?;
        let before = engine.submissions();
        let fusion = Fusion::new(Rule::Linear).outputs(&[Output::Posterior]);
        let posterior = engine.fuse_resident(&fusion, &evidence)?;
        let tempered = fitted.apply_resident(engine, &posterior)?;
        engine.flush()?;
        assert_eq!(engine.submissions() - before, u64::from(engine.is_gpu()), "{name}");
        let got = tempered.read(engine)?;
        for (item, (got, want)) in got.posterior().iter().zip(&want).enumerate() {
            assert!((got - want).abs() <= 2e-6, "{name}, {item}: {got}, not {want}");
        }
        for (item, row) in all.rows.chunks_exact(6).enumerate() {
            let top = (0..6).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("a class");
            assert_eq!(got.decision()[item] as usize, top, "{name}, {item}");
        }
    }
    Ok(())
}

#[test]
fn scores_are_the_hosts() -> Result<()> {
    for (items, classes) in [(1, 2), (256, 3), (1000, 10)] {
        let all = labelled(items, classes, 2.0, 13);
        for (name, engine) in engines::all() {
            let (posterior, labels) = held(engine, &all)?;
            let all = all.as_held(engine, &posterior)?;
            let checked = all.checked();
            let summary = Scores::of(&checked, 15)?.summary().expect("items");
            let got = Outcomes::of_resident(engine, &posterior, &labels)?;
            // What is read as it stands is the host's to the bit.
            assert_eq!(got.per_item(Loss::Nll), Loss::Nll.per_item(&checked), "{name}");
            assert_eq!(got.per_item(Loss::ZeroOne), Loss::ZeroOne.per_item(&checked), "{name}");
            assert_eq!((got.mean(Loss::Nll), got.accuracy()), (summary.nll, summary.accuracy), "{name}");
            assert_eq!(got.ece(15)?, summary.ece, "{name}");
            assert_eq!(got.ece(7)?, calibration::ece(&checked, 7)?, "{name}");
            assert_eq!(got.bins(15)?, Scores::of(&checked, 15)?.bins(), "{name}");
            assert_eq!(got.adaptive_ece(9)?, calibration::adaptive_ece(&checked, 9)?, "{name}");
            assert!((got.mean(Loss::Brier) - summary.brier).abs() <= 1e-6, "{name}");
            assert!(got.ece(0).is_err() && got.adaptive_ece(0).is_err(), "{name}");
        }
    }
    Ok(())
}

/// A fit waits for the device, once for each evaluation: all before it, the copy and the first sums are one hand-over.
#[test]
fn a_fit_reads_back_no_more_than_its_steps() -> Result<()> {
    let Some((name, engine)) = engines::all().iter().find(|(_, engine)| engine.is_gpu()) else { return Ok(()) };
    let own = own(engine).expect("a GPU");
    let all = labelled(3000, 5, 2.0, 17);
    let evidence = own.upload(&Evidence::probabilities(5, &[&all.rows])?)?;
    let labels = own.upload_array(&all.labels)?;
    let before = own.submissions();
    let posterior = own.fuse_resident(&Fusion::new(Rule::Linear), &evidence)?;
    let fitted = Temperature::fit_resident(&own, &posterior, &labels)?;
    // An evaluation is handed over and read; the first is followed by a look at the opinions, the last step by the loss there.
    let evaluations = u64::from(fitted.iterations()) + 1;
    assert_eq!(own.submissions() - before, 2 * evaluations + 1, "{name}: {fitted:?}");
    Ok(())
}

#[test]
fn what_is_wrong_is_named() -> Result<()> {
    let all = labelled(2000, 3, 1.0, 19);
    for (name, engine) in engines::all() {
        let (posterior, _) = held(engine, &all)?;
        for at in [0, 1023, 1024, 1999] {
            let mut labels = all.labels.clone();
            (labels[at], labels[1999]) = (3, u32::MAX);
            let labels = engine.upload_array(&labels)?;
            refused(name, Temperature::fit_resident(engine, &posterior, &labels), "calibration/likelihood", at);
            refused(name, Outcomes::of_resident(engine, &posterior, &labels), "calibration/outcome", at);
        }
        let fewer = engine.upload_array(&all.labels[1..])?;
        let planes = engine.upload_planes(&all.labels, 2)?;
        for (number, labels) in [&fewer, &planes].into_iter().enumerate() {
            let fitted = Temperature::fit_resident(engine, &posterior, labels).expect_err("other labels");
            let scored = Outcomes::of_resident(engine, &posterior, labels).expect_err("other labels");
            for error in [fitted, scored] {
                let is_length = match error.kind() {
                    ErrorKind::Calibration(CalibrationError::Length { what: "labels", given: 1999, needed: 2000 }) => {
                        true
                    }
                    ErrorKind::Length(_) => number == 1,
                    _ => false,
                };
                assert!(is_length, "{name}, {number}: {error}");
            }
        }
        let labels = engine.upload_array(&all.labels)?;
        let evidence = engine.upload(&Evidence::probabilities(3, &[&all.rows])?)?;
        let decisions = engine.fuse_resident(&Fusion::default().outputs(&[Output::Decision]), &evidence)?;
        let error = Temperature::fit_resident(engine, &decisions, &labels).expect_err("no posterior");
        assert!(error.is_shape() && error.to_string().contains("the posterior, which was not asked for"), "{error}");
        let none = Labelled { classes: 3, rows: Vec::new(), labels: Vec::new() };
        let (empty, no_labels) = held(engine, &none)?;
        for error in [
            Temperature::fit_resident(engine, &empty, &no_labels).expect_err("nothing"),
            Outcomes::of_resident(engine, &empty, &no_labels).expect_err("nothing"),
        ] {
            assert!(matches!(error.kind(), ErrorKind::Calibration(CalibrationError::NoItems)), "{name}: {error}");
        }

        // An opinion that is none is named as if the posterior had been read.
        let mut rows = all.rows.clone();
        rows[3 * 1500 + 1] = -0.25;
        let evidence = engine.upload(&Evidence::probabilities(3, &[&rows])?)?;
        let posterior = engine.fuse_resident(&Fusion::default(), &evidence)?;
        for error in [
            Temperature::fit_resident(engine, &posterior, &labels).expect_err("an invalid opinion"),
            Outcomes::of_resident(engine, &posterior, &labels).expect_err("an invalid opinion"),
        ] {
            let invalid = error.invalid_opinion().unwrap_or_else(|| panic!("{name}: {error}"));
            assert_eq!((invalid.source, invalid.item, invalid.class), (0, 1500, Some(1)), "{name}");
        }
    }
    Ok(())
}

#[test]
fn what_is_found_is_counted_bounded_and_of_its_engine() -> Result<()> {
    let all = labelled(2000, 3, 1.0, 23);
    for (name, engine) in engines::all() {
        let (_, labels) = held(engine, &all)?;
        let (elsewhere, _) = held(&tight(engine, 1 << 30), &all)?;
        let error = Temperature::fit_resident(engine, &elsewhere, &labels).expect_err("another engine's");
        assert!(matches!(error.kind(), ErrorKind::Device(DeviceError::HeldElsewhere)), "{name}: {error}");
        drop(elsewhere);
        let own = tight(engine, 3 * 24_000 + 8_000 + 1_000);
        let (posterior, labels) = held(&own, &all)?;
        let handles = own.resident().handles;
        assert_eq!(handles, 2, "{name}");
        Temperature::fit_resident(&own, &posterior, &labels)?;
        assert_eq!(own.resident().handles, handles, "{name}");
        let full = own.upload_array(&vec![0_u32; 7_500])?;
        let error = Temperature::fit_resident(&own, &posterior, &labels).expect_err("no room");
        assert!(
            matches!(error.kind(), ErrorKind::Device(DeviceError::ResidentBudget { needed: 24_000, .. })),
            "{name}: {error}"
        );
        drop(full);
        assert_eq!(own.resident().handles, handles, "{name}");
    }
    Ok(())
}

#[cfg(feature = "gpu")]
#[test]
fn a_device_that_is_lost_takes_the_posterior_with_it_and_another_fit_runs_on_the_cpu() -> Result<()> {
    use consilience::fault::{Fault, Faults};
    use consilience::{Device, EngineOptions, OnDeviceFailure};

    let faults = Faults::new();
    let options = EngineOptions {
        device: Device::Gpu,
        on_device_failure: OnDeviceFailure::UseCpu,
        retry_after: Some(std::time::Duration::from_secs(3600)),
        ..EngineOptions::default()
    };
    let Some(engine) = engines::open(&options, Some(faults.clone())) else { return Ok(()) };
    let all = labelled(500, 3, 2.0, 29);
    let (posterior, labels) = held(&engine, &all)?;
    let want = Temperature::fit_resident(&engine, &posterior, &labels)?;
    faults.plan(0, Fault::Lost);
    let error = Temperature::fit_resident(&engine, &posterior, &labels).expect_err("the device is gone");
    assert!(error.is_device(), "{error}");
    let error = Outcomes::of_resident(&engine, &posterior, &labels).expect_err("what it held is gone");
    assert!(matches!(error.kind(), ErrorKind::Device(DeviceError::HeldLost)), "{error}");
    let (posterior, labels) = held(&engine, &all)?;
    let again = Temperature::fit_resident(&engine, &posterior, &labels)?;
    assert!((again.value() / want.value() - 1.0).abs() < 1e-4, "{again:?} {want:?}");
    Ok(())
}
