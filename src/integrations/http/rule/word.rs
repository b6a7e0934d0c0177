//! The one class whose name stands in an answer.

use super::classes::{Classes, fold, is_of_word};

pub fn read(classes: &Classes, answer: &str) -> Option<u16> {
    let text = fold(answer);
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for (class, name) in classes.folded().iter().enumerate() {
        for (start, _) in text.match_indices(name.as_str()) {
            let end = start + name.len();
            if !goes_on_before(&text[..start], name) && !goes_on_after(&text[end..], name) {
                found.push((start, end, class));
            }
        }
    }
    // Sorted by where they begin, the longer first, an occurrence lies in another exactly if one before it reaches as far.
    found.sort_by_key(|&(start, end, _)| (start, std::cmp::Reverse(end)));
    let (mut reach, mut named) = (0, None);
    for (_, end, class) in found {
        if end <= reach {
            continue;
        }
        reach = end;
        if named.is_some_and(|other| other != class) {
            return None;
        }
        named = Some(class);
    }
    named.and_then(|class| u16::try_from(class).ok())
}

/// Whether the word that a name ends with goes on.
pub fn goes_on_after(rest: &str, name: &str) -> bool {
    goes_on(name.chars().next_back(), rest.chars())
}

fn goes_on_before(rest: &str, name: &str) -> bool {
    goes_on(name.chars().next(), rest.chars().rev())
}

/// Whether a word with `edge` at its edge goes on beyond it. A hyphen between letters joins them.
fn goes_on(edge: Option<char>, mut beyond: impl Iterator<Item = char>) -> bool {
    edge.is_some_and(is_of_word)
        && match beyond.next() {
            Some('-' | '\u{2010}' | '\u{2011}') => beyond.next().is_some_and(is_of_word),
            Some(next) => is_of_word(next),
            None => false,
        }
}
