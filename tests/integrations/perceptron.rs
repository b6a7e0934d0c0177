//! A small network by its weights, what it says in f64, and questions for it.

use std::sync::Arc;
use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::parallel_fusion::{Options, Outcome};
use consilience::orchestration::source::Model;
use consilience::orchestration::{Opinion, ParallelFusion, Question, Reply, Source, source};
use consilience::{Engine, Fusion, Rule};
use tokio::time::Instant;

/// From three features to four hidden units.
pub const HIDDEN: [[f32; 4]; 3] = [[0.5, -1.25, 0.3, 2.0], [-0.7, 0.4, 1.1, -0.2], [0.9, 0.6, -1.5, 0.1]];
pub const HIDDEN_BIAS: [f32; 4] = [0.1, -0.3, 0.0, 0.7];
/// From there to two classes.
pub const OUT: [[f32; 2]; 4] = [[1.2, -0.4], [-0.6, 0.8], [0.35, -1.9], [0.05, 0.9]];
pub const OUT_BIAS: [f32; 2] = [-0.2, 0.15];

/// What it is asked: units are on and off in turn.
pub const INPUTS: [[f32; 3]; 5] =
    [[1.0, 0.0, 0.0], [-1.0, 2.5, 0.3], [0.2, 0.2, -4.0], [3.0, -1.0, 1.5], [0.0, 0.0, 0.0]];

/// The logits of a network of rectified hidden units.
pub fn logits(input: &[f32]) -> [f64; 2] {
    let mut out = OUT_BIAS.map(f64::from);
    for unit in 0..4 {
        let sum: f64 = (0..3).map(|i| f64::from(input[i]) * f64::from(HIDDEN[i][unit])).sum();
        let on = (sum + f64::from(HIDDEN_BIAS[unit])).max(0.0);
        for (class, out) in out.iter_mut().enumerate() {
            *out += on * f64::from(OUT[unit][class]);
        }
    }
    out
}

/// A question over two classes.
pub fn question(input: &[f32]) -> Question<[f32]> {
    over(2, input)
}

pub fn over(classes: usize, input: &[f32]) -> Question<[f32]> {
    Question::new(Arc::from(input), classes, Instant::now() + Duration::from_secs(60))
}

/// The answers to questions of one call.
pub fn answers(model: &impl Model<[f32]>, inputs: &[&[f32]]) -> Vec<Result<Opinion, SourceError>> {
    let questions: Vec<_> = inputs.iter().map(|input| question(input)).collect();
    let opinion = |reply: Result<Reply, SourceError>| reply.map(|reply| reply.opinion);
    model.answer(&questions).into_iter().map(opinion).collect()
}

/// The errors of one call's questions in words; `None` where there is none.
pub fn errors(model: &impl Model<[f32]>, inputs: &[&[f32]]) -> Vec<Option<String>> {
    answers(model, inputs).into_iter().map(|answer| answer.err().map(|error| error.to_string())).collect()
}

/// The network's answers, together and alone, are those in f64.
pub fn check(model: &impl Model<[f32]>) {
    let inputs: Vec<&[f32]> = INPUTS.iter().map(|input| &input[..]).collect();
    let together = answers(model, &inputs);
    assert_eq!(together.len(), INPUTS.len());
    for (input, together) in inputs.iter().zip(together) {
        let alone = answers(model, &[input]).remove(0);
        for answer in [together, alone] {
            let Ok(Opinion::Logits(row)) = answer else { panic!("{answer:?}") };
            let apart = row.iter().zip(logits(input)).map(|(&said, right)| (f64::from(said) - right).abs());
            assert_eq!(row.len(), 2);
            assert!(apart.fold(0.0, f64::max) < 1e-6, "{input:?}: {row:?}, {:?}", logits(input));
        }
    }
}

/// The network as a source beside a closure that says .3 and .7, fused by their mean.
pub async fn check_fused(model: impl Model<[f32]>) {
    let network: Arc<dyn Source<[f32]>> = Arc::new(source::batched("network", model).build().expect("a source"));
    let closure = source::of("closure", async |_: Question<[f32]>| Ok(Opinion::Probabilities(vec![0.3, 0.7]).into()));
    let options = Options { learning: None, ..Options::parallel_fusion() }.fusion(Fusion::new(Rule::Linear));
    let engine = Arc::new(Engine::cpu().expect("an engine"));
    let asked = ParallelFusion::new(engine, 2, vec![network, Arc::new(closure)], options).expect("a fusion");
    let outcomes = INPUTS.iter().map(|input| asked.ask(Arc::from(&input[..])));
    for (input, outcome) in INPUTS.iter().zip(futures_util::future::join_all(outcomes).await) {
        let Outcome { posterior, reports, .. } = outcome.expect("an answer");
        let [a, b] = logits(input);
        let right = (1.0 / (1.0 + (b - a).exp()) + f64::from(0.3_f32)) / 2.0;
        assert!((f64::from(posterior[0]) - right).abs() < 1e-6, "{input:?}: {posterior:?}, {right}");
        assert_eq!(&*reports[0].name, "network");
    }
}
