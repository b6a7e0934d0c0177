//! What was inferred, by name.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::NamedAnnotations;
use crate::error::{LengthError, Result};
use crate::integrations::arrow::writer::BatchWriter;
use crate::integrations::arrow::{Columns, Format, FusedWriter};
use crate::methods::calibration::posterior;
use crate::tensor::{Fused, Output, Outputs};

/// Items written together.
const ITEMS: usize = 1 << 16;

impl NamedAnnotations {
    /// Writes what was inferred of each item, [B, C], into a `.parquet` or `.csv` file: its id, its posterior, the class decided
    /// for (the likeliest, the lowest of equals), that one's posterior (`confidence`) and its name (`label`). The file has its
    /// name when it is whole.
    ///
    /// # Examples
    ///
    /// *The shares of votes.*
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{ArrayRef, StringArray};
    /// use consilience::arrow::{NamedAnnotations, NamedAnnotationsOptions};
    /// use consilience::truth::majority;
    ///
    /// let text = |values: &[&str]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    /// let (items, sources) = (text(&["x", "x", "y"]), text(&["ann", "bob", "ann"]));
    /// let options = NamedAnnotationsOptions::default();
    /// let named = NamedAnnotations::of_arrays(&items, &sources, &text(&["no", "yes", "yes"]), &options)?;
    ///
    /// let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("votes.csv");
    /// named.write_posterior(&path, &majority(named.annotations()))?;
    /// let written = std::fs::read_to_string(&path)?;
    /// assert_eq!(written, "item,posterior.0,posterior.1,decision,confidence,label\nx,0.5,0.5,0,0.5,no\ny,0.0,1.0,1,1.0,yes\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A list of another length, or a row that is no distribution; another file ending, or the system refuses.
    pub fn write_posterior(&self, path: impl AsRef<Path>, posterior: &[f32]) -> Result<()> {
        let (classes, sources) = (self.classes.len(), self.sources.len());
        LengthError::check("the list of posteriors", self.items.len() * classes, posterior.len())?;
        posterior::check(classes, posterior)?;
        let outputs = Outputs::of(&[Output::Posterior, Output::Decision, Output::Confidence]);
        // Sources are only named where their contributions are written.
        let columns = Columns::new(Vec::new(), classes, outputs).class_names(self.classes.clone());
        let mut writer = FusedWriter::create(path, &self.item_field, columns)?;
        for (part, rows) in posterior.chunks(ITEMS * classes).enumerate() {
            let decision = rows.chunks_exact(classes).map(|row| posterior::decision(row) as u32).collect();
            let fused = Fused::of_posterior(sources, classes, rows.to_vec(), decision);
            writer.write(&self.items.slice(part * ITEMS, fused.items()), &fused)?;
        }
        writer.finish()
    }

    /// Writes how good each source is, `[N]`, and how many annotations it gave, abstentions among them.
    ///
    /// # Errors
    ///
    /// A list of another length; another file ending, or the system refuses.
    pub fn write_skill(&self, path: impl AsRef<Path>, skill: &[f64]) -> Result<()> {
        LengthError::check("the list of skills", self.sources.len(), skill.len())?;
        let path = path.as_ref();
        let schema = Schema::new(vec![
            self.source_field.clone(),
            Field::new("skill", DataType::Float64, false),
            Field::new("annotations", DataType::UInt64, false),
        ]);
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let mut writer = BatchWriter::create(path, Format::of(path)?, schema, properties)?;
        let (skill, volume) = (Float64Array::from(skill.to_vec()), UInt64Array::from(self.volume()));
        writer.write(vec![Arc::clone(&self.sources), Arc::new(skill) as ArrayRef, Arc::new(volume)])?;
        writer.finish()
    }

    /// How many annotations each source gave, `[N]`.
    fn volume(&self) -> Vec<u64> {
        let mut volume = vec![0; self.sources.len()];
        for item in 0..self.annotations.items() {
            self.annotations.of_item(item).for_each(|(source, _)| volume[source as usize] += 1);
        }
        volume
    }
}
