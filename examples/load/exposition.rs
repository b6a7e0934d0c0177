//! Prometheus's text format, read.

/// What a server says of itself.
#[derive(Debug, Clone)]
pub struct Exposition(String);

/// One line: a name, labels, a value.
#[derive(Debug, PartialEq)]
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: f64,
}

impl Exposition {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The value of the series of this name with no labels.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.samples(name).find(|sample| sample.labels.is_empty()).map(|sample| sample.value)
    }

    /// The bounds of a histogram with the numbers of values up to each, of the series with this label.
    pub fn buckets(&self, name: &str, key: &str, label: &str) -> Vec<(f64, f64)> {
        let name = format!("{name}_bucket");
        let mut buckets = Vec::new();
        for sample in self.samples(&name) {
            let of = |key: &str| sample.labels.iter().find(|(k, _)| *k == key).map(|(_, v)| v.as_str());
            let bound: Option<f64> = of("le").and_then(|bound| bound.parse().ok());
            if let Some(bound) = bound.filter(|_| of(key) == Some(label)) {
                buckets.push((bound, sample.value));
            }
        }
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        buckets
    }

    fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Sample<'a>> {
        self.0.lines().filter(move |line| line.starts_with(name)).filter_map(sample).filter(move |s| s.name == name)
    }
}

/// `None` for a comment, and for what is not of the format.
fn sample(line: &str) -> Option<Sample<'_>> {
    let name_len = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))?;
    let (name, mut rest) = line.split_at(name_len);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            rest = rest.trim_start_matches([',', ' ']);
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (key, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.push((key.trim(), value));
            rest = after;
        }
    }
    // A time may follow.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    (!name.is_empty()).then_some(Sample { name, labels, value })
}

/// What stands before the closing quote, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            (_, other) => value.push(other),
        }
    }
}
