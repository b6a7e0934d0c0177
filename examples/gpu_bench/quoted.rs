//! Fields of comma-separated values.

/// A field as it stands in a line: in quotes where it has what would end it.
pub fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
