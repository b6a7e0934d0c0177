//! Whether two devices give the same answer, within the contract of the kernel.

/// One output of all items.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: &'static str,
    pub values: Vec<f64>,
    pub within: Within,
}

/// How near two devices' values are to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Within {
    /// The same.
    Exactly,
    /// |a - b| <= absolute + relative |a|.
    Close { absolute: f64, relative: f64 },
    /// The same but for a share of the values, those at a border.
    ButFor(f64),
}

impl Column {
    pub fn exact<T: Copy + Into<f64>>(name: &'static str, values: &[T]) -> Self {
        Self::new(name, values, Within::Exactly)
    }

    pub fn close<T: Copy + Into<f64>>(name: &'static str, values: &[T], absolute: f64, relative: f64) -> Self {
        Self::new(name, values, Within::Close { absolute, relative })
    }

    pub fn but_for<T: Copy + Into<f64>>(name: &'static str, values: &[T], share: f64) -> Self {
        Self::new(name, values, Within::ButFor(share))
    }

    fn new<T: Copy + Into<f64>>(name: &'static str, values: &[T], within: Within) -> Self {
        Self { name, values: values.iter().map(|&value| value.into()).collect(), within }
    }
}

/// The first difference between two answers beyond what their columns allow.
pub fn check(one: &[Column], other: &[Column]) -> Result<(), String> {
    if one.is_empty() || one.len() != other.len() {
        return Err(format!("{} outputs, not {}", other.len(), one.len()));
    }
    one.iter().zip(other).try_for_each(|(a, b)| of_column(a, b))
}

fn of_column(one: &Column, other: &Column) -> Result<(), String> {
    let name = one.name;
    if one.values.is_empty() || one.values.len() != other.values.len() {
        return Err(format!("{name} has {} values, not {}", other.values.len(), one.values.len()));
    }
    let (absolute, relative, share) = match one.within {
        Within::Exactly => (0.0, 0.0, 0.0),
        Within::Close { absolute, relative } => (absolute, relative, 0.0),
        Within::ButFor(share) => (0.0, 0.0, share),
    };
    // A NaN is near nothing, itself included.
    let is_near = |a: f64, b: f64| a == b || (a - b).abs() <= absolute + relative * a.abs();
    let pairs = || one.values.iter().zip(&other.values).enumerate();
    let apart = pairs().filter(|(_, (a, b))| !is_near(**a, **b)).count();
    if apart as f64 <= share * one.values.len() as f64 {
        return Ok(());
    }
    let first = pairs().find(|(_, (a, b))| !is_near(**a, **b));
    let (place, (a, b)) = first.ok_or_else(|| format!("{name} differs"))?;
    Err(format!(
        "{name} at {place} is {b}, not {a}, one of {apart} that differ by more than {absolute:e} + {relative:e} of it"
    ))
}
