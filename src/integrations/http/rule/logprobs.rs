//! Probabilities of the classes out of those of an answer's first tokens.

use super::super::completion::Token;
use super::classes::{Classes, fold};
use super::word::goes_on_after;
use crate::error::SourceError;

/// What a text is the beginning of.
#[derive(Debug, PartialEq)]
enum Begins {
    One(usize),
    Several,
    None,
}

/// The probabilities, where the tokens begin with the name of a class.
pub fn read(classes: &Classes, answer: &str, tokens: &[Token]) -> Result<Option<Vec<f32>>, SourceError> {
    let mut mass = vec![0.0; classes.len()];
    // What the answer says before the place at hand, and how probable that was.
    let (mut said, mut path) = (String::new(), 1.0);
    let mut settled = None;
    for place in tokens {
        let own = [(&place.token, place.logprob)];
        let listed = place.top_logprobs.iter().flatten().map(|other| (&other.token, other.logprob));
        // The token that was taken is mostly, but not always, one of those listed.
        let others = listed.filter(|(token, _)| **token != place.token);
        let before = said.clone();
        for (index, (token, logprob)) in own.into_iter().chain(others).enumerate() {
            let p = path * probability(logprob)?;
            let begins = begins(classes, &format!("{before}{}", fold(token)));
            if let Begins::One(class) = begins {
                mass[class] += p;
            }
            if index == 0 {
                match begins {
                    Begins::One(class) => settled = Some(class),
                    Begins::Several => said.push_str(&fold(token)),
                    Begins::None => return Ok(None),
                }
            }
        }
        path *= probability(place.logprob)?;
        if settled.is_some() {
            break;
        }
    }
    if settled.is_none()
        && let Some(class) = classes.named(opened(&said))
    {
        // The answer is over; what begins several names is the whole of one.
        mass[usize::from(class)] += path;
        settled = Some(usize::from(class));
    }
    Ok(settled.filter(|&class| agrees(&classes.folded()[class], answer)).map(|_| shared(&mass)))
}

fn probability(logprob: f64) -> Result<f64, SourceError> {
    // A little above zero is rounding.
    if logprob > 1e-3 {
        let why = format!("the log probability of a token is {logprob}, which must be at most 0");
        return Err(SourceError::Invalid { why });
    }
    Ok(logprob.min(0.0).exp())
}

fn begins(classes: &Classes, said: &str) -> Begins {
    let said = opened(said);
    let mut starting = classes.folded().iter().enumerate().filter(|(_, name)| name.starts_with(said));
    match (starting.next(), starting.next()) {
        (Some((class, _)), None) => return Begins::One(class),
        (Some(_), Some(_)) => return Begins::Several,
        (None, _) => {}
    }
    let whole = classes.folded().iter().enumerate().filter(|(_, name)| holds(said, name));
    whole.max_by_key(|(_, name)| name.len()).map_or(Begins::None, |(class, _)| Begins::One(class))
}

/// The text without what may stand before a name.
fn opened(said: &str) -> &str {
    said.trim_start_matches(|c: char| c.is_whitespace() || "\"'`*_([".contains(c))
}

/// Whether the text begins with the whole name.
fn holds(text: &str, name: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| !goes_on_after(rest, name))
}

/// Whether the answer as a whole does not contradict its first tokens: "in" begins `insect`, "in my opinion" does not.
fn agrees(name: &str, answer: &str) -> bool {
    let answer = fold(answer);
    let answer = opened(&answer);
    holds(answer, name) || name.starts_with(answer)
}

/// The masses, with what is left of one spread evenly.
fn shared(mass: &[f64]) -> Vec<f32> {
    let sum: f64 = mass.iter().sum();
    let each = (1.0 - sum).max(0.0) / mass.len() as f64;
    mass.iter().map(|m| ((m + each) / sum.max(1.0)) as f32).collect()
}
