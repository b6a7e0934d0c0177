//! How answers become opinions.

use std::sync::Arc;

use consilience::SourceError;
use consilience::http::{ChatOptions, ChatSource};
use consilience::orchestration::{Opinion, Question, Source};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::server::{Server, ok};
use super::{LONG, completion};

/// What a body says of these classes.
async fn read(classes: &[&str], body: Value) -> Result<Opinion, SourceError> {
    let server = Server::start([ok(&body.to_string())]).await;
    let options = ChatOptions::default();
    let source = ChatSource::open("m", &server.base(), "small", classes.iter().copied(), options).expect("a source");
    let question = Question::<str>::new(Arc::from("x"), classes.len(), Instant::now() + LONG);
    Ok(source.ask(question).await?.opinion)
}

async fn said(classes: &[&str], text: &str) -> Result<Opinion, SourceError> {
    read(classes, serde_json::from_str(&completion(text)).expect("JSON")).await
}

/// A token that was taken, its probability, and the alternatives listed with theirs.
type Place<'a> = (&'a str, f64, &'a [(&'a str, f64)]);

/// What an answer of these tokens says.
async fn tokens(classes: &[&str], places: &[Place<'_>]) -> Result<Opinion, SourceError> {
    let text: String = places.iter().map(|(token, ..)| *token).collect();
    let place = |(token, p, others): &Place<'_>| {
        let other = |(token, p): &(&str, f64)| json!({"token": token, "logprob": p.ln(), "bytes": null});
        json!({"token": token, "logprob": p.ln(), "top_logprobs": others.iter().map(other).collect::<Vec<_>>()})
    };
    let content: Vec<_> = places.iter().map(place).collect();
    read(classes, json!({"choices": [{"message": {"content": text}, "logprobs": {"content": content}}]})).await
}

#[track_caller]
fn assert_probabilities(opinion: Result<Opinion, SourceError>, want: &[f32]) {
    match opinion {
        Ok(Opinion::Probabilities(row)) => {
            assert_eq!(row.len(), want.len());
            assert!(row.iter().zip(want).all(|(p, want)| (p - want).abs() < 1e-6), "{row:?}, not {want:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_no_class(opinion: Result<Opinion, SourceError>, begins: &str, names: &str) {
    match opinion {
        Err(SourceError::NoClass { answer, known }) => assert_eq!((&*answer, &*known), (begins, names)),
        other => panic!("{other:?}"),
    }
}

const PETS: [&str; 3] = ["Cat", "Dog", "Caterpillar"];

#[tokio::test]
async fn listed_tokens_count_for_the_classes_they_begin() {
    // " do" and "DOG" begin one name, "ca" two; what is left of one is spread evenly: .04 + .06 of "ca" over three.
    let place = (" dog", 0.6, &[("DOG", 0.2), (" do", 0.1), (" dog", 0.6), (" ca", 0.06)][..]);
    assert_probabilities(tokens(&PETS, &[place]).await, &[0.1 / 3.0, 0.9 + 0.1 / 3.0, 0.1 / 3.0]);
    // No alternatives at all.
    assert_probabilities(tokens(&["cat", "dog"], &[("dog", 0.7, &[]), (".", 1.0, &[])]).await, &[0.15, 0.85]);
}

#[tokio::test]
async fn a_token_that_begins_several_names_leads_to_the_next() {
    // After "Cat" (0.8): "erp" (0.75) begins one name, "." (0.2) ends another, "egory" (0.05) names none.
    let first = ("Cat", 0.8, &[("Cat", 0.8), ("Dog", 0.15)][..]);
    let second = ("erp", 0.75, &[("erp", 0.75), (".", 0.2), ("egory", 0.05)][..]);
    let (cat, dog, caterpillar) = (0.8 * 0.2, 0.15, 0.8 * 0.75);
    let each = (1.0 - cat - dog - caterpillar) / 3.0;
    let want = [cat + each, dog + each, caterpillar + each];
    assert_probabilities(tokens(&PETS, &[first, second, ("illar", 1.0, &[])]).await, &want);
    // The answer ends there: it is the whole of the one name.
    assert_probabilities(tokens(&PETS, &[first]).await, &[0.8 + 0.05 / 3.0, 0.15 + 0.05 / 3.0, 0.05 / 3.0]);
    // It is cut off before it is the whole of any.
    assert_no_class(tokens(&PETS, &[("Ca", 0.8, &[])]).await, "Ca", "Cat, Dog, Caterpillar");
}

#[tokio::test]
async fn what_may_stand_before_a_name_is_passed_over() {
    // The alternative that names a class at once counts too; the name follows the opening with probability 0.9.
    let opening = ("\n**", 0.5, &[("dog", 0.4)][..]);
    let name = ("Cat", 0.9, &[("Dog", 0.1)][..]);
    let want = [0.45 + 0.1 / 2.0, 0.45 + 0.1 / 2.0];
    assert_probabilities(tokens(&["cat", "dog"], &[opening, name, ("**", 1.0, &[])]).await, &want);
}

#[tokio::test]
async fn tokens_that_the_whole_answer_contradicts_do_not_count() {
    let insects = ["insect", "mammal"];
    assert_eq!(tokens(&insects, &[("In", 0.9, &[]), (" short: a mammal", 0.5, &[])]).await.unwrap(), Opinion::label(1));
    // Cut off, it is still the beginning of one name.
    assert_probabilities(tokens(&insects, &[("In", 0.9, &[])]).await, &[0.95, 0.05]);
    assert_eq!(
        tokens(&insects, &[("The", 0.9, &[("insect", 0.1)]), (" mammal", 1.0, &[])]).await.unwrap(),
        Opinion::label(1)
    );
    // A thought is no answer.
    let thought = [("<think>", 1.0, &[][..]), ("insect?", 1.0, &[]), ("</think>", 1.0, &[]), ("mammal", 1.0, &[])];
    assert_eq!(tokens(&insects, &thought).await.unwrap(), Opinion::label(1));
}

#[tokio::test]
async fn log_probabilities_above_zero_are_none() {
    let error = tokens(&PETS, &[("dog", 1.5, &[])]).await.expect_err("above");
    assert_eq!(
        error.to_string(),
        "its opinion is not valid: the log probability of a token is 0.4054651081081644, which must be at most 0"
    );
}

#[tokio::test]
async fn an_object_says_class_and_confidence() {
    let label = |class, confidence| Opinion::Label { class, confidence };
    for (text, want) in [
        (r#"{"class": "dog", "confidence": 0.75}"#, label(1, Some(0.75))),
        ("```json\n{ \"confidence\": 1, \"class\": \" CAT \" }\n``` as I said, dog", label(0, Some(1.0))),
        (r#"{"class": "dog"}"#, label(1, None)),
        (r#"{"class": "dog", "confidence": null}"#, label(1, None)),
        (r#"{cat} {"answer": 1} {"class": "dog", "confidence": 0.5} {"class": "cat"}"#, label(1, Some(0.5))),
        (r#"{"class": null}"#, Opinion::Abstained),
        (r#"<think>{"class": "cat"}</think>{"class": "dog"}"#, label(1, None)),
    ] {
        assert_eq!(said(&["cat", "dog"], text).await.expect(text), want, "{text}");
    }
}

#[tokio::test]
async fn an_object_says_probabilities() {
    let pets = ["cat", "dog", "ant"];
    let text = |object: &str| format!("Here: {{\"probabilities\": {object}}}");
    assert_probabilities(said(&pets, &text(r#"{"Dog": 0.25, "cat": 0.75}"#)).await, &[0.75, 0.25, 0.0]);
    assert_probabilities(said(&pets, &text(r#"{"dog": 0.32, "cat": 0.32, "ant": 0.32}"#)).await, &[1.0 / 3.0; 3]);
    for (object, want) in [
        (r#"{"dog": 0.5, "cat": 0.4}"#, "the probabilities sum to 0.9, which must be 1 within 0.05"),
        (r#"{"dog": 75, "cat": 25}"#, "the probabilities sum to 100, which must be 1 within 0.05"),
        (r#"{"dog": 1.5, "cat": -0.5}"#, "the probability of `cat` is -0.5, which must be a number from 0 to 1"),
        (r#"{"dog": "high"}"#, "the probability of `dog` is \"high\", which must be a number from 0 to 1"),
        (r#"{"dog": 0.5, "cow": 0.5}"#, "there is no class `cow` to have a probability; classes are cat, dog, ant"),
        (r#"{"dog": 0.5, "DOG": 0.5}"#, "`dog` has two probabilities"),
        ("[0.5, 0.5]", "`probabilities` is [0.5,0.5], which must be an object with the classes as keys"),
    ] {
        let error = said(&pets, &text(object)).await.expect_err(object).to_string();
        assert_eq!(error, format!("its opinion is not valid: {want}"));
    }
}

#[tokio::test]
async fn an_object_that_says_neither_is_refused() {
    for (text, want) in [
        (r#"{"class": "dog", "confidence": 75}"#, "the confidence is 75, which must be a number from 0 to 1"),
        (r#"{"class": "dog", "confidence": "high"}"#, "the confidence is \"high\", which must be a number from 0 to 1"),
    ] {
        let error = said(&["cat", "dog"], text).await.expect_err(text).to_string();
        assert_eq!(error, format!("its opinion is not valid: {want}"));
    }
    for text in [r#"{"class": "cow"}"#, r#"{"class": 1}"#] {
        assert_no_class(said(&["cat", "dog"], text).await, text, "cat, dog");
    }
    // Very many braces are no reason to read for ever; the words are read then.
    let braces = "{\"a\": \"".repeat(100_000);
    assert_eq!(said(&["cat", "dog"], &format!("dog {braces}")).await.expect("a dog"), Opinion::label(1));
}

#[tokio::test]
async fn one_whole_word_is_a_class() {
    let classes = ["cat", "dog", "cat food", "é", "C++", "ΣΟΦΟΣ"];
    for (text, want) in [
        ("CAT", 0),
        ("It's a Dog!", 1),
        ("(dog)", 1),
        ("dog, dog and dog", 1),
        ("some cat food", 2),
        ("bulldog-cats or a dog", 1),
        ("É.", 3),
        ("in c++, of course", 4),
        ("ο σοφός είναι σοφος", 5),
        ("<think>cat or dog? cat!</think>\ndog", 1),
    ] {
        assert_eq!(said(&classes, text).await.expect(text), Opinion::label(want), "{text}");
    }
    let known = classes.join(", ");
    for text in [
        "",
        "a cow",
        "cat or dog",
        "cat food for a cat",
        "cats",
        "tom_cat",
        "cat-like",
        "dog\u{301}",
        "dog2",
        "<think>cat",
    ] {
        let begins = if text.starts_with('<') { "" } else { text };
        assert_no_class(said(&classes, text).await, begins, &known);
    }
    assert_no_class(said(&classes, &"é".repeat(300)).await, &"é".repeat(200), &known);
}

#[tokio::test]
async fn a_refusal_abstains() {
    let body = json!({"choices": [{"message": {"content": null, "refusal": "I cannot judge that."}}]});
    assert_eq!(read(&["cat", "dog"], body).await.expect("an answer"), Opinion::Abstained);
    let body = json!({"choices": [{"message": {"content": null}}]});
    assert_no_class(read(&["cat", "dog"], body).await, "", "cat, dog");
}
