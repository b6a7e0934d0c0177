//! Temperatures, fitted to the labelled items of a file.

use std::path::Path;

use consilience::arrow::{EvidenceReader, FuseJob, LabelOptions, Labels};
use consilience::calibration::{Labelled, Temperature, temperatures_of_sources};
use consilience::{Answer, Encoding, Engine, Evidence, Fusion, OnInvalid, Output};

use crate::Failure;

/// What was fitted, and to what.
pub struct Calibration {
    pub labels: Labels,
    pub sources: Vec<Temperature>,
    pub pool: Temperature,
}

impl Calibration {
    /// Reads the job's evidence once and fits first a temperature of each source, then one of what the job's rule makes of
    /// the sources so tempered. In memory are the labelled items alone.
    pub fn fit(engine: &Engine, job: &FuseJob, path: &Path) -> Result<Self, Failure> {
        let mut reader = EvidenceReader::open(&job.input, &job.evidence)?;
        let options = LabelOptions { id: job.evidence.id.clone(), ..LabelOptions::default() };
        let labels = Labels::read(path, reader.classes(), &options)?;
        let mut kept = Kept::new(reader.sources().len(), reader.classes());
        while let Some(chunk) = reader.next_chunk()? {
            let evidence = chunk.evidence(job.encoding)?;
            kept.add(&evidence, &labels.of(chunk.ids()), job.fusion.on_invalid).map_err(|error| chunk.locate(error))?;
        }
        if kept.labels.is_empty() {
            return Err(format!("{}: no item of the evidence has a label there", path.display()).into());
        }
        let (sources, pool) = kept.fit(engine, &job.fusion)?;
        Ok(Self { labels, sources, pool })
    }

    /// The fusion, with what was fitted.
    pub fn apply(&self, fusion: Fusion) -> Fusion {
        fusion.source_temperatures(self.sources.iter().map(Temperature::value).collect()).temperature(self.pool.value())
    }
}

/// The labelled items, as probabilities.
struct Kept {
    classes: usize,
    planes: Vec<Vec<f32>>,
    presence: Vec<Vec<bool>>,
    labels: Vec<u32>,
}

impl Kept {
    fn new(sources: usize, classes: usize) -> Self {
        Self { classes, planes: vec![Vec::new(); sources], presence: vec![Vec::new(); sources], labels: Vec::new() }
    }

    fn add(&mut self, evidence: &Evidence<'_>, labels: &[Option<u32>], policy: OnInvalid) -> consilience::Result<()> {
        let mut row = vec![0.0; self.classes];
        for (item, label) in labels.iter().enumerate().filter_map(|(item, label)| Some((item, (*label)?))) {
            for (source, (plane, presence)) in self.planes.iter_mut().zip(&mut self.presence).enumerate() {
                let given = match evidence.opinion(source, item, &mut row) {
                    Err(error) if error.is_invalid_evidence() && policy != OnInvalid::Error => false,
                    answer => answer? == Answer::Given,
                };
                presence.push(given);
                plane.extend_from_slice(&row);
            }
            self.labels.push(label);
        }
        Ok(())
    }

    fn fit(&self, engine: &Engine, fusion: &Fusion) -> Result<(Vec<Temperature>, Temperature), Failure> {
        let planes: Vec<&[f32]> = self.planes.iter().map(Vec::as_slice).collect();
        let mut evidence = Evidence::new(Encoding::Probabilities, self.classes, &planes)?;
        for (source, presence) in self.presence.iter().enumerate() {
            evidence = evidence.with_presence(source, presence)?;
        }
        let sources = temperatures_of_sources(&evidence, &self.labels)?;
        let values = sources.iter().map(Temperature::value).collect();
        let tempered = fusion.clone().source_temperatures(values).outputs(&[Output::Posterior]);
        let fused = engine.fuse(&tempered, &evidence)?;
        let pool = Temperature::fit(&Labelled::new(self.classes, fused.posterior(), &self.labels)?);
        Ok((sources, pool))
    }
}
