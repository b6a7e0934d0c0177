//! The columns of a fused file.

use std::sync::Arc;

use arrow_array::builder::{Float32Builder, StringBuilder};
use arrow_array::{ArrayRef, FixedSizeListArray, Float32Array, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};

use crate::integrations::arrow::Format;
use crate::tensor::{Fused, Output, Outputs};

/// What is written of every item beside its id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Columns {
    /// The names of the sources: of the contributions, in CSV, and of who is named in an explanation.
    pub sources: Vec<String>,
    /// Number of classes.
    pub classes: usize,
    /// The outputs, in the order of [`Output::ALL`].
    pub outputs: Outputs,
    /// How many of the strongest sources are named, with their contributions: `source_1`, `contribution_1`, ...; null
    /// where there are fewer. They have to be computed: [`Output::Contributions`].
    pub explain: usize,
    /// The names of the classes: where they are given, a column `label` holds that of the class decided for.
    pub class_names: Option<Vec<String>>,
}

impl Columns {
    /// Columns of outputs alone.
    #[must_use]
    pub fn new(sources: Vec<String>, classes: usize, outputs: Outputs) -> Self {
        Self { sources, classes, outputs, explain: 0, class_names: None }
    }

    /// The same with so many of the strongest sources of every item.
    #[must_use]
    pub fn explain(mut self, strongest: usize) -> Self {
        self.explain = strongest;
        self
    }

    /// The same with the name of the class decided for.
    #[must_use]
    pub fn class_names(mut self, names: Vec<String>) -> Self {
        self.class_names = Some(names);
        self
    }

    /// Whether contributions have to be there.
    pub(super) fn has_contributions(&self) -> bool {
        self.explain > 0 || self.outputs.contains(Output::Contributions)
    }

    /// Values of an output per item.
    fn width(&self, output: Output) -> usize {
        match output {
            Output::Posterior => self.classes,
            Output::Contributions => self.sources.len(),
            _ => 1,
        }
    }

    /// Values per item in all.
    pub(super) fn values_per_item(&self) -> usize {
        self.outputs.iter().map(|output| self.width(output)).sum::<usize>() + 2 * self.explain + 1
    }

    /// The names of an output's values, where each is a column of its own.
    fn names(&self, output: Output) -> Vec<String> {
        match output {
            Output::Contributions => self.sources.iter().map(|source| format!("{output}.{source}")).collect(),
            _ => (0..self.width(output)).map(|class| format!("{output}.{class}")).collect(),
        }
    }

    /// The id's field, then the outputs', then the label's, then the explanation's.
    pub(in crate::integrations::arrow) fn schema(&self, id: &Field, format: Format) -> Schema {
        let mut fields = vec![id.clone()];
        for output in self.outputs.iter() {
            match (output, format) {
                (Output::Posterior | Output::Contributions, Format::Parquet) => {
                    fields.push(Field::new(output.name(), lists_of(self.width(output)), false));
                }
                (Output::Posterior | Output::Contributions, Format::Csv) => {
                    fields
                        .extend(self.names(output).into_iter().map(|name| Field::new(name, DataType::Float32, false)));
                }
                (Output::Decision | Output::Flags, _) => {
                    fields.push(Field::new(output.name(), DataType::UInt32, false))
                }
                _ => fields.push(Field::new(output.name(), DataType::Float32, false)),
            }
        }
        if self.class_names.is_some() {
            fields.push(Field::new("label", DataType::Utf8, true));
        }
        for place in 1..=self.explain {
            fields.push(Field::new(format!("source_{place}"), DataType::Utf8, true));
            fields.push(Field::new(format!("contribution_{place}"), DataType::Float32, true));
        }
        Schema::new(fields)
    }

    /// The columns of that schema.
    pub(in crate::integrations::arrow) fn arrays(
        &self,
        ids: &ArrayRef,
        fused: &Fused,
        format: Format,
    ) -> Vec<ArrayRef> {
        let mut arrays: Vec<ArrayRef> = vec![Arc::clone(ids)];
        for output in self.outputs.iter() {
            let values = fused.values(output).unwrap_or_default();
            let width = self.width(output);
            match (output, format) {
                (Output::Posterior | Output::Contributions, Format::Parquet) => arrays.extend(lists(values, width)),
                (Output::Posterior | Output::Contributions, Format::Csv) => {
                    arrays.extend((0..width).map(|place| -> ArrayRef {
                        let column = values.iter().skip(place).step_by(width).copied();
                        Arc::new(Float32Array::from_iter_values(column))
                    }));
                }
                _ => arrays.push(match fused.integers(output) {
                    Some(integers) => Arc::new(UInt32Array::from_iter_values(integers.iter().copied())),
                    None => Arc::new(Float32Array::from_iter_values(values.iter().copied())),
                }),
            }
        }
        if let Some(names) = &self.class_names {
            let labels = fused.decision().iter().map(|&class| names.get(class as usize));
            arrays.push(Arc::new(StringArray::from_iter(labels)));
        }
        arrays.extend(self.explanations(fused));
        arrays
    }

    /// Names and contributions of the strongest sources.
    fn explanations(&self, fused: &Fused) -> Vec<ArrayRef> {
        let mut builders: Vec<_> = (0..self.explain).map(|_| (StringBuilder::new(), Float32Builder::new())).collect();
        for item in 0..fused.items() {
            let strongest = fused.strongest(item, self.explain);
            for (place, (names, contributions)) in builders.iter_mut().enumerate() {
                let found = strongest.get(place).filter(|(_, contribution)| *contribution != 0.0);
                names.append_option(found.and_then(|(source, _)| self.sources.get(*source)));
                contributions.append_option(found.map(|(_, contribution)| *contribution));
            }
        }
        let finish = |(mut names, mut contributions): (StringBuilder, Float32Builder)| -> [ArrayRef; 2] {
            [Arc::new(names.finish()), Arc::new(contributions.finish())]
        };
        builders.into_iter().flat_map(finish).collect()
    }
}

fn lists_of(width: usize) -> DataType {
    DataType::FixedSizeList(Arc::new(element()), i32::try_from(width).unwrap_or(i32::MAX))
}

fn lists(values: &[f32], width: usize) -> Option<ArrayRef> {
    let values: ArrayRef = Arc::new(Float32Array::from_iter_values(values.iter().copied()));
    let lists = FixedSizeListArray::try_new(Arc::new(element()), i32::try_from(width).ok()?, values, None).ok()?;
    Some(Arc::new(lists))
}

fn element() -> Field {
    Field::new("element", DataType::Float32, false)
}
