//! Chat services over HTTP as live sources: whatever answers `POST <base>/chat/completions` the way OpenAI does, Ollama,
//! llama.cpp and vLLM among them.
//!
//! An answer becomes an opinion by the first of these rules that applies. A leading `<think>…</think>` is left out.
//! Names of classes are compared in lower case.
//!
//! 1. **Log probabilities.** Where the service gives those of its tokens and its answer begins with the name of a class
//!    (after white space and `"'*_([` and the backquote), or is the beginning of one name: each token listed for the first
//!    place counts with its probability for the one class whose name it begins or whose whole name it holds. Where the
//!    service's own token begins several names, what is listed for the next place counts likewise, given that token. The
//!    rest, tokens that name no class, still begin several or are not listed, is spread evenly over the classes.
//! 2. **An object.** The first JSON object in the answer with a key `class` or `probabilities`.
//!    `{"class": "cat", "confidence": 0.8}` is a label with that confidence, in [0, 1]; without one it is a bare label, and
//!    a class of `null` abstains. `{"probabilities": {"cat": 0.8, "dog": 0.2}}` are probabilities: a class left out has 0,
//!    and they are scaled to sum to one where they are within 0.05 of it. At most 64 opening braces are tried.
//! 3. **A word.** The one class whose name stands in the answer as a whole word, or as whole words; a name inside a longer
//!    class's name does not count. What stands around it is not understood: "not a cat" names `cat`. In scripts that put no
//!    spaces between words the answer has to be the name alone.
//!
//! None or several is [`NoClass`](crate::SourceError::NoClass). A service that refuses in the field made for it abstains.
//!
//! Plain `http` needs no more than the feature `http`; `https` needs the feature of that name.

mod chat;
mod completion;
mod events;
mod exchange;
mod key;
mod options;
mod prompt;
mod rule;
mod secure;
mod setting;
mod wait;

pub use self::chat::ChatSource;
pub use self::key::ApiKey;
pub use self::options::{CLASS_AND_CONFIDENCE, ChatOptions, NAME_OF_THE_CLASS, Prices};
