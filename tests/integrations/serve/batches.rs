//! Batches of evidence.

use std::net::SocketAddr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt32Type};
use arrow_array::{ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field};
use consilience::{Encoding, Evidence, Fusion, Rule};
use serde_json::json;

use super::client::{Response, json as send_json, send};
use super::served::Setup;
use crate::orchestration::engine::engine;

const STREAM: &str = "content-type: application/vnd.apache.arrow.stream";

fn lists(classes: i32, values: Vec<f32>, present: Option<Vec<bool>>) -> ArrayRef {
    let element = Arc::new(Field::new("element", DataType::Float32, false));
    let values = Arc::new(Float32Array::from(values));
    Arc::new(FixedSizeListArray::new(element, classes, values, present.map(NullBuffer::from)))
}

fn stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

async fn fuse(at: SocketAddr, query: &str, body: &[u8]) -> Response {
    send(at, &format!("POST /api/v1/fuse{query} HTTP/1.1\r\n{STREAM}"), body).await
}

fn read(response: &Response) -> Vec<RecordBatch> {
    assert_eq!(response.status, 200, "{}", response.text());
    StreamReader::try_new(&response.body[..], None).unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn json_is_fused_as_by_the_engine() {
    let served = Setup::default().serve().await;
    let body = json!({
        "classes": 3,
        "fusion": { "rule": "log_pool", "outputs": ["posterior", "decision", "entropy"] },
        "sources": [
            { "opinions": [[0.7, 0.2, 0.1], null, [0.25, 0.25, 0.5]] },
            { "labels": [1, 2, null] },
        ],
    });
    let answer = send_json(served.at, "POST /api/v1/fuse", &body.to_string()).await.json();
    let opinions = [0.7, 0.2, 0.1, 0.0, 0.0, 0.0, 0.25, 0.25, 0.5];
    let labels = [1, 2, consilience::MISSING_U16];
    let sources = [consilience::Opinions::Probabilities(&opinions), consilience::Opinions::LabelsU16(&labels)];
    let evidence = Evidence::of(3, &sources).unwrap().with_presence(0, &[true, false, true]).unwrap();
    let fusion: Fusion = serde_json::from_value(body["fusion"].clone()).unwrap();
    let fused = engine().fuse(&fusion, &evidence).unwrap();
    let posterior: Vec<Vec<f32>> = serde_json::from_value(answer["outputs"]["posterior"].clone()).unwrap();
    assert_eq!(posterior.concat(), fused.posterior());
    assert_eq!(answer["outputs"]["decision"], json!(fused.decision()));
    let entropy: Vec<f32> = serde_json::from_value(answer["outputs"]["entropy"].clone()).unwrap();
    assert_eq!(entropy, fused.entropy());
    assert_eq!((&answer["items"], &answer["classes"]), (&json!(3), &json!(3)));
    assert_eq!(answer["outputs"].as_object().unwrap().len(), 3);

    let logits = json!({ "classes": 2, "encoding": "logits", "fusion": { "rule": "linear" }, "sources": [{ "opinions": [[0.0, 3.0]] }] });
    let answer = send_json(served.at, "POST /api/v1/fuse", &logits.to_string()).await.json();
    let p = answer["outputs"]["posterior"][0][1].as_f64().unwrap();
    assert!((p - 1.0 / (1.0 + (-3.0f64).exp())).abs() < 1e-6, "{p}");
    // What the body says, the query does not.
    for query in ["encoding=logits", "fusion=%7B%22rule%22%3A%22linear%22%7D"] {
        let refused = send_json(served.at, &format!("POST /api/v1/fuse?{query}"), &logits.to_string()).await;
        assert!(refused.status == 400 && refused.detail().contains("not the query"), "{}", refused.detail());
    }
    served.end().await.unwrap();
}

#[tokio::test]
async fn a_stream_is_fused_as_by_the_engine() {
    let served = Setup::default().serve().await;
    let a = vec![0.7, 0.2, 0.1, 0.1, 0.1, 0.8, 0.25, 0.25, 0.5];
    let b = vec![0.1, 0.8, 0.1, 9.0, 9.0, 9.0, 0.3, 0.3, 0.4];
    let present = vec![true, false, true];
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![7, 8, 9]));
    let batch = RecordBatch::try_from_iter([
        ("a", lists(3, a.clone(), None)),
        ("item", ids),
        ("b", lists(3, b.clone(), Some(present.clone()))),
    ])
    .unwrap();
    let evidence = Evidence::new(Encoding::Probabilities, 3, &[&a, &b]).unwrap().with_presence(1, &present).unwrap();
    for (query, fusion) in
        [("", Fusion::default()), ("?fusion=%7B%22rule%22%3A%22log_pool%22%7D", Fusion::new(Rule::LogPool))]
    {
        let fused = engine().fuse(&fusion, &evidence).unwrap();
        let answers = read(&fuse(served.at, query, &stream(&[batch.clone(), batch.clone()])).await);
        assert_eq!(answers.len(), 2);
        for answer in answers {
            let column = |name: &str| answer.column_by_name(name).unwrap_or_else(|| panic!("no {name}")).clone();
            assert_eq!(column("item").as_ref(), &Int64Array::from(vec![7, 8, 9]) as &dyn arrow_array::Array);
            let posterior =
                column("posterior").as_fixed_size_list().values().as_primitive::<Float32Type>().values().to_vec();
            assert_eq!(posterior, fused.posterior());
            assert_eq!(column("decision").as_primitive::<UInt32Type>().values().to_vec(), fused.decision());
        }
    }
    // Without ids rows are counted, on from one batch to the next.
    let bare = batch.project(&[0]).unwrap();
    let answers = read(&fuse(served.at, "", &stream(&[bare.clone(), bare])).await);
    let second =
        answers[1].column_by_name("item").unwrap().as_primitive::<arrow_array::types::UInt64Type>().values().to_vec();
    assert_eq!(second, [3, 4, 5]);
    served.end().await.unwrap();
}

#[tokio::test]
async fn streams_that_are_none_say_why() {
    let served = Setup::default().serve().await;
    let good = RecordBatch::try_from_iter([("a", lists(2, vec![0.5, 0.5, 1.0, 0.0], None))]).unwrap();
    let whole = stream(std::slice::from_ref(&good));
    let of = |columns: Vec<(&str, ArrayRef)>| stream(&[RecordBatch::try_from_iter(columns).unwrap()]);
    let floats: ArrayRef = Arc::new(Float32Array::from(vec![0.5, 0.5]));
    let more = of(vec![("a", lists(2, vec![0.5, 0.5, 1.0, 0.0], None)), ("b", lists(3, vec![0.0; 6], None))]);
    let sums = of(vec![("a", lists(2, vec![0.5, 0.5, 0.5, 0.9], None))]);
    let ids = of(vec![("a", lists(2, vec![0.5, 0.5, 1.0, 0.0], None)), ("id", floats.clone())]);
    let cases: [(&[u8], &str); 9] = [
        (b"", "no batch of rows"),
        (b"not a stream", "not a readable Arrow IPC"),
        (&whole[..whole.len() / 2], "not a readable Arrow IPC"),
        (&of(vec![("a", floats.clone())]), "needed are list columns of floats"),
        (&of(vec![("a", lists(0, vec![], Some(vec![])))]), "at least one class"),
        (&more, "column `b`, row 0"),
        (&sums, "column `a`, row 1"),
        (&ids, "ids are integers or strings"),
        (&[&whole[..whole.len() - 8], &[0xff; 64]].concat(), "Arrow IPC"),
    ];
    for (body, says) in cases {
        let answer = fuse(served.at, "", body).await;
        assert_eq!(answer.status, 422, "{says}: {}", answer.text());
        assert!(answer.detail().contains(says), "{says}: {}", answer.detail());
    }
    let wrong = fuse(served.at, "?fusion=%7B%22rule%22%3A%22guess%22%7D", &whole).await;
    assert!(wrong.status == 422 && wrong.detail().contains("`fusion`: "), "{}", wrong.detail());
    let encoding = fuse(served.at, "?encoding=words", &whole).await;
    assert!(encoding.status == 400 && encoding.detail().contains("`words`"), "{}", encoding.detail());
    assert_eq!(fuse(served.at, "", &whole).await.status, 200);
    served.end().await.unwrap();
}
