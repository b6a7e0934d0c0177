//! A batch over HTTP beside the engine's own time for it, a copy of its bytes, and their way through a socket to somebody who
//! only reads them and sends as many back as an answer has.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeListArray, Float32Array, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field};
use consilience::orchestration::router::Group;
use consilience::orchestration::{Opinion, Question, Service, source};
use consilience::serve::Server;
use consilience::{Engine, Evidence, Fused, Fusion, Rule};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::net::TcpListener;

const SOURCES: usize = 8;
const CLASSES: usize = 10;
/// Of which 8 sources over 10 classes make 10 MB.
const ITEMS: usize = 31_250;

fn planes() -> Vec<Vec<f32>> {
    let mut random = StdRng::seed_from_u64(1);
    let mut row = || {
        let shares: [f32; CLASSES] = std::array::from_fn(|_| random.random_range(0.01..1.0));
        let sum: f32 = shares.iter().sum();
        shares.map(|share| share / sum)
    };
    (0..SOURCES).map(|_| (0..ITEMS).flat_map(|_| row()).collect()).collect()
}

fn stream(planes: &[Vec<f32>]) -> Vec<u8> {
    let element = Arc::new(Field::new("element", DataType::Float32, false));
    let column = |(source, plane): (usize, &Vec<f32>)| {
        let values = Arc::new(Float32Array::from(plane.clone()));
        let lists = FixedSizeListArray::new(Arc::clone(&element), CLASSES as i32, values, None);
        (format!("source {source}"), Arc::new(lists) as ArrayRef)
    };
    let batch = RecordBatch::try_from_iter(planes.iter().enumerate().map(column)).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// A server on a thread of its own, for as long as the process lives.
fn serve(engine: &Arc<Engine>) -> SocketAddr {
    let says = |name: &str| Arc::new(source::of(name, async |_: Question<str>| Ok(Opinion::Binary(0.5).into())));
    let service = Service::builder(Arc::clone(engine), 2)
        .group(Group::ai("model"), vec![says("model")])
        .group(Group::runtime("table"), vec![says("table")])
        .build()
        .unwrap();
    let server = Server::builder(Arc::new(service), Arc::clone(engine)).build().unwrap();
    let (told, at) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            server.serve(listener, std::future::pending()).await.unwrap();
        });
    });
    at.recv().unwrap()
}

/// Reads requests of so many bytes, and answers each with so many: what a connection takes without HTTP and without work.
fn transfer(request: usize, answer: usize) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        connection.set_nodelay(true).unwrap();
        let (mut read, written) = (vec![0; request], vec![0; answer]);
        while connection.read_exact(&mut read).is_ok() {
            connection.write_all(&written).unwrap();
        }
    });
    at
}

fn connect(to: SocketAddr) -> TcpStream {
    let connection = TcpStream::connect(to).unwrap();
    connection.set_nodelay(true).unwrap();
    connection
}

/// Sends a batch and reads the answer; how many bytes of a body it has.
fn post(connection: &mut TcpStream, rule: &str, body: &[u8], answer: &mut Vec<u8>) -> usize {
    let head = format!(
        "POST /api/v1/fuse?fusion=%7B%22rule%22%3A%22{rule}%22%7D HTTP/1.1\r\nhost: bench\r\n\
         content-type: application/vnd.apache.arrow.stream\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(body).unwrap();
    answer.clear();
    let mut chunk = vec![0; 1 << 20];
    loop {
        let read = connection.read(&mut chunk).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(answer));
        answer.extend_from_slice(&chunk[..read]);
        let Some(end) = answer.windows(4).take(4096).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(answer));
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        let length: usize = length.parse().unwrap();
        if answer.len() == end + 4 + length {
            return length;
        }
    }
}

fn batches(c: &mut Criterion) {
    let engine = Arc::new(Engine::cpu().expect("a CPU engine"));
    let planes = planes();
    let views: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    let evidence = Evidence::probabilities(CLASSES, &views).unwrap();
    let body = stream(&planes);
    let server = serve(&engine);
    let mut group = c.benchmark_group("serve/fuse_10_mb");
    group.throughput(Throughput::Bytes(body.len() as u64)).sample_size(40);
    let mut copy = vec![0; body.len()];
    group.bench_function("copy", |b| b.iter(|| black_box(&mut copy).copy_from_slice(black_box(&body))));
    for (name, rule) in [("linear", Rule::Linear), ("log_pool", Rule::LogPool)] {
        let (fusion, mut fused) = (Fusion::new(rule), Fused::default());
        group.bench_function(format!("{name}/engine"), |b| {
            b.iter(|| engine.fuse_into(&fusion, &evidence, &mut fused).unwrap());
        });
        let mut answer = Vec::new();
        let mut length = 0;
        group.bench_function(format!("{name}/http"), |b| {
            // A connection that was idle for long is closed.
            let mut connection = connect(server);
            b.iter(|| length = post(&mut connection, name, black_box(&body), &mut answer));
        });
        let mut answer = vec![0; length.max(1)];
        group.bench_function(format!("{name}/transfer"), |b| {
            let mut connection = connect(transfer(body.len(), answer.len()));
            b.iter(|| {
                connection.write_all(black_box(&body)).unwrap();
                connection.read_exact(&mut answer).unwrap();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, batches);
criterion_main!(benches);
