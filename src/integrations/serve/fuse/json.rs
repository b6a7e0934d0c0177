//! Batches of evidence as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::Engine;
use crate::error::{EvidenceError, RequestError, Result};
use crate::spec::Fusion;
use crate::tensor::{Encoding, Evidence, Fused, MISSING_U16, Opinions, Output};

/// What sources say about items.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::integrations::serve) struct Batch {
    /// How they are fused: `rule`, `weighting`, `outputs` and so on; else by the default ensemble.
    #[schema(value_type = Option<Object>, example = json!({ "rule": "log_pool", "outputs": ["posterior", "decision"] }))]
    fusion: Option<Fusion>,
    /// What the numbers of opinions are: `probabilities`, unless it is said, `log_probabilities` or `logits`.
    #[schema(value_type = Option<String>, example = "probabilities")]
    encoding: Option<Encoding>,
    /// Number of classes.
    #[schema(minimum = 1, maximum = 65_534)]
    classes: usize,
    /// The sources, all of as many items.
    #[schema(min_items = 1)]
    sources: Vec<Source>,
}

/// What one source says of every item: opinions or labels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Source {
    /// Of every item a number for each class, or null where the source was not asked.
    opinions: Option<Vec<Option<Vec<f32>>>>,
    /// Of every item a class, or null where the source was not asked.
    labels: Option<Vec<Option<u16>>>,
}

/// What was asked for of every item.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::integrations::serve) struct Fusing {
    /// Number of items.
    items: usize,
    /// Number of classes.
    classes: usize,
    /// By their names the outputs that the fusion asks for: of `posterior` and `contributions` a list for every item, of the
    /// others a number.
    #[schema(value_type = Object)]
    outputs: BTreeMap<&'static str, Values>,
}

/// The values of an output.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Values {
    Integers(Vec<u32>),
    Numbers(Vec<f32>),
    Lists(Vec<Vec<f32>>),
}

/// A source's plane.
enum Plane {
    Rows { values: Vec<f32>, presence: Vec<bool> },
    Labels(Vec<u16>),
}

impl Source {
    fn plane(self, source_index: usize, classes: usize) -> Result<Plane> {
        match (self.opinions, self.labels) {
            (Some(rows), None) => {
                let mut values = Vec::with_capacity(rows.len() * classes);
                let presence = rows.iter().map(Option::is_some).collect();
                for (item, row) in rows.into_iter().enumerate() {
                    let row = row.unwrap_or_else(|| vec![0.0; classes]);
                    EvidenceError::check_len(
                        format_args!("the opinion of source {source_index} on item {item}"),
                        classes,
                        row.len(),
                    )?;
                    values.extend(row);
                }
                Ok(Plane::Rows { values, presence })
            }
            (None, Some(labels)) => {
                let labels = labels.into_iter().map(|label| label.unwrap_or(MISSING_U16)).collect();
                Ok(Plane::Labels(labels))
            }
            (opinions, _) => {
                let given = if opinions.is_some() { 2 } else { 0 };
                let what = format_args!("the list of `opinions` and `labels` of source {source_index}");
                EvidenceError::check_len(what, 1, given)?;
                Ok(Plane::Labels(Vec::new()))
            }
        }
    }
}

impl Batch {
    /// Fuses it.
    ///
    /// # Errors
    ///
    /// More than so many bytes of numbers, those of missing opinions among them; a row or a source of another length; or as
    /// [`Engine::fuse`].
    pub(in crate::integrations::serve) fn fuse(self, engine: &Engine, most_bytes: usize) -> Result<Fusing> {
        let Self { fusion, encoding, classes, sources } = self;
        let rows = sources.iter().map(|source| source.opinions.as_ref().map_or(0, Vec::len)).sum::<usize>();
        let bytes = rows.saturating_mul(classes).saturating_mul(size_of::<f32>());
        if bytes > most_bytes {
            return Err(RequestError::TooLarge { bytes, limit: most_bytes }.into());
        }
        let (fusion, encoding) = (fusion.unwrap_or_default(), encoding.unwrap_or(Encoding::Probabilities));
        let planes =
            sources.into_iter().enumerate().map(|(n, source)| source.plane(n, classes)).collect::<Result<Vec<_>>>()?;
        let opinions: Vec<Opinions<'_>> = (planes.iter())
            .map(|plane| match plane {
                Plane::Rows { values, .. } => Opinions::encoded(encoding, values),
                Plane::Labels(labels) => Opinions::LabelsU16(labels),
            })
            .collect();
        let mut evidence = Evidence::of(classes, &opinions)?;
        for (source, plane) in planes.iter().enumerate() {
            if let Plane::Rows { presence, .. } = plane
                && presence.contains(&false)
            {
                evidence = evidence.with_presence(source, presence)?;
            }
        }
        let fused = engine.fuse(&fusion, &evidence)?;
        let outputs = fused.outputs().iter().map(|output| (output.name(), values(&fused, output))).collect();
        Ok(Fusing { items: fused.items(), classes, outputs })
    }
}

fn values(fused: &Fused, output: Output) -> Values {
    if let Some(integers) = fused.integers(output) {
        return Values::Integers(integers.to_vec());
    }
    let values = fused.values(output).unwrap_or_default();
    match output {
        Output::Posterior | Output::Contributions => {
            let width = values.len().checked_div(fused.items()).unwrap_or_default().max(1);
            Values::Lists(values.chunks_exact(width).map(<[f32]>::to_vec).collect())
        }
        _ => Values::Numbers(values.to_vec()),
    }
}
