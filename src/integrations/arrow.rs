//! Evidence, annotations, labels and posteriors as Parquet and CSV files, streamed: memory does not grow with the file of evidence.
//!
//! Two layouts of evidence are understood; which one a file has is read from its columns.
//!
//! | layout | columns |
//! |---|---|
//! | wide | the item's id, and per source one list column of C floats named after it, or C float columns `<source>.<class>` |
//! | long | the item's id, `source`, and one list column of C floats or C float columns; sorted by id |
//!
//! The id column is the one named in the options, else `item`, `item_id` or `id`; it holds integers or strings. A null
//! opinion (a null list, or C nulls) is a missing one, as is an (item, source) pair that a long file does not list.
//! Columns that fit neither layout are left alone. CSV has no lists; its opinions are scalar columns. In a long CSV file
//! every column of numbers beside id and source is a class.
//!
//! Labels of many sources, one row an annotation, are read as [`NamedAnnotations`], of which [`truth`](crate::truth) finds what
//! is true.
//!
//! # Examples
//!
//! *A file fused into a file.*
//!
//! ```
//! use consilience::Engine;
//! use consilience::arrow::FuseJob;
//!
//! let dir = tempfile::tempdir()?;
//! let (input, output) = (dir.path().join("evidence.csv"), dir.path().join("fused.csv"));
//! std::fs::write(&input, "item,a.no,a.yes,b.no,b.yes\n7,0.25,0.75,0.25,0.75\n8,1,0,,\n")?;
//!
//! let summary = FuseJob::new(&input, &output).run(&Engine::cpu()?, |_| {})?;
//! assert_eq!((summary.items, summary.sources.len(), summary.classes), (2, 2, 2));
//! let fused = std::fs::read_to_string(&output)?;
//! assert!(fused.starts_with("item,posterior.0,posterior.1,decision,confidence\n7,"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod annotations;
mod chunk;
mod failure;
mod format;
mod ids;
#[cfg(feature = "serve")]
pub(in crate::integrations) mod ipc;
mod job;
mod labels;
mod layout;
mod plane;
mod reader;
mod table;
mod writer;

pub use self::annotations::{EmptyLabel, Gold, NamedAnnotations, NamedAnnotationsBuilder, NamedAnnotationsOptions};
pub use self::chunk::EvidenceChunk;
pub use self::format::Format;
pub use self::job::{FuseJob, Progress, Summary};
pub use self::labels::{LabelOptions, Labels};
pub use self::reader::{EvidenceOptions, EvidenceReader};
pub use self::writer::{Columns, FusedWriter};
