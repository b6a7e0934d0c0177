//! Pictures as text.

use crate::digits::SIDE;

/// From white to black.
const INKS: [char; 9] = ['.', ':', '-', '=', '+', '*', '#', '%', '@'];

/// The question about a picture of pixels in [0, 1].
pub fn question(pixels: impl IntoIterator<Item = f64>) -> String {
    let mut text = format!(
        "Which digit is drawn here? Each character is one of {SIDE} x {SIDE} pixels, from {} for white to {} for black.\n",
        INKS[0],
        INKS[INKS.len() - 1]
    );
    for (place, ink) in pixels.into_iter().enumerate() {
        if place % SIDE == 0 {
            text.push('\n');
        }
        text.push(INKS[(ink * (INKS.len() - 1) as f64).round() as usize]);
    }
    text
}

/// The picture in a question, if there is one: lines of pixels, as many as one has.
pub fn read(question: &str) -> Option<Vec<f64>> {
    let ink = |c| INKS.iter().position(|ink| *ink == c).map(|level| level as f64 / (INKS.len() - 1) as f64);
    let row = |line: &str| line.chars().map(ink).collect::<Option<Vec<_>>>().filter(|row| row.len() == SIDE);
    let rows: Vec<_> = question.lines().filter_map(row).take(SIDE).collect();
    (rows.len() == SIDE).then(|| rows.concat())
}
