//! Reads the layout from the names and types of the columns.

use arrow_schema::DataType;

use super::{Found, Layout, Opinion};
use crate::error::{Error, FileError, Result};
use crate::integrations::arrow::reader::EvidenceOptions;
use crate::integrations::arrow::table::Table;

/// Names under which an id column is looked for when none is given.
const EVIDENCE_ID_NAMES: [&str; 3] = ["item", "item_id", "id"];

/// The same of annotations, whose items may be tasks.
pub(in crate::integrations::arrow) const ID_NAMES: [&str; 4] = ["item", "item_id", "id", "task"];

impl Found {
    /// The layout of the table.
    pub fn in_table(table: &Table, options: &EvidenceOptions) -> Result<Self> {
        let id = id_column(table, options.id.as_deref())?;
        let evidence = |&column: &usize| column != id;
        let lists: Vec<usize> =
            (0..table.fields().len()).filter(evidence).filter(|&c| is_list(table.fields()[c].data_type())).collect();
        let floats: Vec<usize> = (0..table.fields().len()).filter(evidence).filter(|&c| table.is_float(c)).collect();
        let groups = Group::all(table, &floats);
        if let Some(source) = source_column(table, id) {
            let floats: Vec<usize> = floats.into_iter().filter(|&column| column != source).collect();
            let dotted: usize = groups.iter().map(|group| group.columns.len()).sum();
            match lists.as_slice() {
                [list] => {
                    return Ok(Self {
                        id,
                        layout: Layout::Long { source, opinion: Opinion::List(*list) },
                        class_names: None,
                    });
                }
                [] if dotted < floats.len() || groups.len() == 1 => {
                    let class_names = floats.iter().map(|&column| table.fields()[column].name().clone()).collect();
                    let layout = Layout::Long { source, opinion: Opinion::Scalars(floats) };
                    return Ok(Self { id, layout, class_names: Some(class_names) });
                }
                _ => {}
            }
        }
        Self::wide(table, id, &lists, groups, options.sources.as_deref())
    }

    fn wide(table: &Table, id: usize, lists: &[usize], groups: Vec<Group>, wanted: Option<&[String]>) -> Result<Self> {
        let mut sources: Vec<(String, Opinion)> =
            lists.iter().map(|&column| (table.fields()[column].name().clone(), Opinion::List(column))).collect();
        let mut classes_of = Vec::new();
        for group in groups {
            if wanted.is_none_or(|wanted| wanted.contains(&group.source)) {
                classes_of.push((group.source.clone(), group.classes));
            }
            sources.push((group.source, Opinion::Scalars(group.columns)));
        }
        // Sources stand in the order of their first columns, unless the caller gives one.
        sources.sort_by_key(|(_, opinion)| opinion.columns().first().map(|column| column.index));
        if let Some(wanted) = wanted {
            let pick = |name: &String| match sources.iter().find(|(source, _)| source == name) {
                Some(found) => Ok(found.clone()),
                None => Err(Error::from(FileError::MissingColumn {
                    path: table.path().to_owned(),
                    column: name.clone(),
                    found: table.names(),
                })),
            };
            sources = wanted.iter().map(pick).collect::<Result<_>>()?;
        }
        if sources.is_empty() {
            return Err(layout_error(
                table,
                format!(
                    "no evidence among its columns ({}); needed are, beside the id, list columns of floats named after their \
                 sources, or float columns `<source>.<class>`, or a column `source` with one list column or float columns",
                    table.names()
                ),
            ));
        }
        if let Some(((first, classes), (other, others))) =
            classes_of.first().and_then(|first| Some((first, classes_of.iter().find(|other| other.1 != first.1)?)))
        {
            return Err(layout_error(
                table,
                format!(
                    "source `{first}` has the classes {}, source `{other}` has {}; all sources need the same classes in the \
                 same order (name the sources wanted to leave other columns alone)",
                    classes.join(", "),
                    others.join(", ")
                ),
            ));
        }
        let class_names = classes_of.into_iter().next().map(|(_, classes)| classes);
        Ok(Self { id, layout: Layout::Wide(sources), class_names })
    }
}

/// Float columns named `<source>.<class>` of one source.
#[derive(Debug)]
struct Group {
    source: String,
    classes: Vec<String>,
    columns: Vec<usize>,
}

impl Group {
    /// In order of first appearance.
    fn all(table: &Table, floats: &[usize]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for &column in floats {
            let Some((source, class)) = table.fields()[column].name().rsplit_once('.') else { continue };
            if source.is_empty() || class.is_empty() {
                continue;
            }
            let place = groups.iter().position(|group| group.source == source).unwrap_or_else(|| {
                groups.push(Self { source: source.to_owned(), classes: Vec::new(), columns: Vec::new() });
                groups.len() - 1
            });
            groups[place].classes.push(class.to_owned());
            groups[place].columns.push(column);
        }
        groups
    }
}

/// The id column: the one asked for, else the first of the usual names.
pub(in crate::integrations::arrow) fn id_column(table: &Table, wanted: Option<&str>) -> Result<usize> {
    named_column(table, "ids", wanted, &EVIDENCE_ID_NAMES)
}

/// A column of ids, or of what else is an integer or a string: the one asked for, else the first of those names that there is.
pub(in crate::integrations::arrow) fn named_column(
    table: &Table,
    what: &str,
    wanted: Option<&str>,
    names: &[&str],
) -> Result<usize> {
    let column = match wanted.or_else(|| names.iter().copied().find(|name| table.find(name).is_some())) {
        Some(name) => table.column(name)?,
        None => table.column(names.first().copied().unwrap_or_default())?,
    };
    if table.id_type(column).is_none() {
        let field = &table.fields()[column];
        let why = format!("column `{}` is of type {}; {what} are integers or strings", field.name(), field.data_type());
        return Err(layout_error(table, why));
    }
    Ok(column)
}

fn source_column(table: &Table, id: usize) -> Option<usize> {
    let column = table.find("source")?;
    (column != id && table.id_type(column).is_some()).then_some(column)
}

/// Whether columns of a type are lists of floats.
pub(in crate::integrations::arrow) fn is_list(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            matches!(item.data_type(), DataType::Float32 | DataType::Float64)
        }
        _ => false,
    }
}

fn layout_error(table: &Table, why: String) -> Error {
    FileError::Layout { path: table.path().to_owned(), why }.into()
}
