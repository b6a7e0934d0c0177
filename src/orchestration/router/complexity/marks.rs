//! Sentences, questions, code and mathematics, found in one pass over the bytes of a text.

use super::Complexity;

/// What the marks in a text tell; [`Complexity`] says what they are.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) sentences: u32,
    pub(super) question: bool,
    pub(super) code: bool,
    pub(super) math: bool,
}

impl Marks {
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut marks = Self { code: begins_code(bytes), ..Self::default() };
        // Where the part begins that was not yet searched for something said, and whether something was said before it.
        let (mut from, mut spoken) = (0, false);
        for at in bytes.iter().enumerate().filter_map(|(at, &byte)| IS_MARK[usize::from(byte)].then_some(at)) {
            let ends = marks.read(bytes, at);
            if ends && marks.sentences < Complexity::SENTENCES {
                spoken |= says_something(&text[from..at]);
                // A mark is a whole character, so the rest of it says nothing.
                from = text.ceil_char_boundary(at + 1);
                marks.sentences += u32::from(std::mem::take(&mut spoken));
            }
            if marks.question && marks.code && marks.math && marks.sentences == Complexity::SENTENCES {
                return marks;
            }
        }
        if marks.sentences < Complexity::SENTENCES {
            marks.sentences += u32::from(says_something(&text[from..]));
        }
        marks
    }

    /// Takes in the mark at a place; whether a sentence may end there.
    fn read(&mut self, bytes: &[u8], at: usize) -> bool {
        let rest = &bytes[at..];
        match rest {
            [b'!', b'=', ..] => self.code = true,
            [b'?' | b'.' | b'!', after @ ..] => {
                self.question |= rest[0] == b'?';
                return is_end(after);
            }
            // ？ ！ 。
            [0xef, 0xbc, mark @ (0x9f | 0x81), ..] => {
                self.question |= *mark == 0x9f;
                return true;
            }
            [0xe3, 0x80, 0x82, ..] => return true,
            // ؟
            [0xd8, 0x9f, ..] => self.question = true,
            [b'`', ..]
            | [b':', b':', ..]
            | [b'-' | b'=', b'>', ..]
            | [b'=', b'=', ..]
            | [b'&', b'&', ..]
            | [b'|', b'|', ..]
            | [b'<', b'/', ..]
            | [b'/', b'>', ..]
            | [b'(', b')', ..] => self.code = true,
            [b';' | b'{' | b'}', after @ ..] => self.code |= is_blank_line(after),
            [b'\n', after @ ..] => self.code |= begins_code(after),
            [b'\\', after @ ..] => {
                self.math |=
                    [&b"frac"[..], b"sum", b"int", b"sqrt", b"(", b"["].iter().any(|name| after.starts_with(name));
            }
            [b'+' | b'*' | b'^' | b'=', after @ ..] => self.math |= is_between_operands(&bytes[..at], after),
            // U+2200 to U+22FF, then × ÷ ± π.
            [0xe2, 0x88..=0x8b, ..] | [0xc3, 0x97 | 0xb7, ..] | [0xc2, 0xb1, ..] | [0xcf, 0x80, ..] => self.math = true,
            _ => {}
        }
        false
    }
}

/// The first bytes of all marks.
static IS_MARK: [bool; 256] = {
    let mut table = [false; 256];
    let firsts = b"?.!`:-=&|</(;{}\n\\+*^\xef\xe3\xd8\xe2\xc3\xc2\xcf";
    let mut index = 0;
    while index < firsts.len() {
        table[firsts[index] as usize] = true;
        index += 1;
    }
    table
};

fn says_something(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

/// Whether white space, a closing quote or bracket, or nothing follows.
fn is_end(after: &[u8]) -> bool {
    match after {
        [] => true,
        // ” and ’, and the white space of U+2000 to U+200A.
        [0xe2, 0x80, 0x80..=0x8a | 0x99 | 0x9d, ..] | [0xe3, 0x80, 0x80, ..] | [0xc2, 0xa0, ..] => true,
        [first, ..] => first.is_ascii_whitespace() || matches!(first, b'"' | b'\'' | b')' | b']'),
    }
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// Whether there is nothing more on the line.
fn is_blank_line(after: &[u8]) -> bool {
    matches!(after.iter().find(|byte| !is_blank(byte)), None | Some(b'\n'))
}

/// Whether the line that begins here is one of code.
fn begins_code(line: &[u8]) -> bool {
    let indent = line.iter().take_while(|byte| is_blank(byte)).count();
    [&b"fn "[..], b"def ", b"#include"].iter().any(|mark| line[indent..].starts_with(mark))
}

fn is_between_operands(before: &[u8], after: &[u8]) -> bool {
    let left = before.iter().rev().skip_while(|&&byte| byte == b' ');
    let right = after.iter().skip_while(|&&byte| byte == b' ');
    is_operand(left, b')') && is_operand(right, b'(')
}

/// Whether an operand begins here, seen from the operator; with the bracket that may stand there instead.
fn is_operand<'a>(mut away: impl Iterator<Item = &'a u8>, bracket: u8) -> bool {
    let part_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
    match away.next() {
        Some(byte) if byte.is_ascii_digit() || *byte == bracket => true,
        Some(byte) if byte.is_ascii_alphabetic() => !away.next().is_some_and(part_of_word),
        _ => false,
    }
}
