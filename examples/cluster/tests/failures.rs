//! What becomes of a job when a process of its cluster is lost, or cannot do its part.

use consilience_cluster::processes::{Part, wait};

use crate::support::{
    AT_ONCE, IN_THE_END, QUERY, client, failed, in_the_clear, of_parts, paused_in_stages, read, scratch, succeeded,
};

/// An executor is killed with work behind it, which others have not fetched, and more before it; and in the next stage, where
/// they have fetched some.
#[test]
fn an_executor_that_is_killed_leaves_the_answer_as_it_was() {
    let (folder, table) = scratch();
    let calm = folder.path().join("calm.parquet");
    succeeded(client("local", &table, QUERY, &calm, &[]));
    for (stage, query) in paused_in_stages() {
        let folder = folder.path().join(format!("stage-{stage}"));
        let mut cluster = in_the_clear(&folder, 2);
        let hurt = folder.join("hurt.parquet");
        let mut job = client(&cluster.url, &table, &query, &hurt, &[]);
        wait("output of the one to be killed", || cluster.executors[0].has_written(stage)).expect("output");
        cluster.executors[0].kill().expect("killed");
        assert!(job.try_wait().expect("a state").is_none(), "the job was over before");
        succeeded(job);
        assert!(read(&hurt) == read(&calm), "another answer");
        wait("the loss to be noticed", || !cluster.is_ready()).expect("noticed");
    }
}

/// Functions are taken by name: a job that meets an executor without them fails, and says what it lacks.
#[test]
fn an_executor_without_the_functions_says_so() {
    let (folder, table) = scratch();
    let executor = Part { arguments: vec!["--built-in-only".to_owned()], ..Part::default() };
    let cluster = of_parts(folder.path(), vec![executor]);
    let output = folder.path().join("never.parquet");
    let message = failed(client(&cluster.url, &table, QUERY, &output, &[]), IN_THE_END);
    assert!(message.contains("fuse_log_pool"), "{message}");
}

/// A scheduler forgets its jobs when it dies, and its clients hear of it; executors find the next one by themselves.
#[test]
fn a_scheduler_that_is_started_again_has_its_executors_and_no_job() {
    let (folder, table) = scratch();
    let mut cluster = in_the_clear(folder.path(), 2);
    let [before, after, here] = ["before", "after", "here"].map(|name| folder.path().join(format!("{name}.parquet")));
    let [(_, paused), _] = paused_in_stages();
    let mut job = client(&cluster.url, &table, &paused, &before, &[]);
    wait("a task's output", || cluster.executors.iter().any(|executor| executor.has_written(1))).expect("output");
    assert!(job.try_wait().expect("a state").is_none(), "the job was over before");
    cluster.kill_scheduler().expect("killed");
    let message = failed(job, AT_ONCE);
    let address = cluster.url.trim_start_matches("df://");
    assert!(message.contains(&format!("the scheduler at {address} does not answer any more")), "{message}");
    assert!(!before.exists(), "part of an answer has the name of a whole one");
    cluster.restart_scheduler().expect("a scheduler");
    wait("the executors", || cluster.is_ready()).expect("executors");
    succeeded(client(&cluster.url, &table, QUERY, &after, &[]));
    succeeded(client("local", &table, QUERY, &here, &[]));
    assert!(read(&after) == read(&here), "another answer");
}

/// Nobody waits for ever where there is nobody to work.
#[test]
fn a_cluster_without_executors_says_so() {
    let (folder, table) = scratch();
    let mut cluster = in_the_clear(folder.path(), 0);
    let output = folder.path().join("never.parquet");
    let message = failed(client(&cluster.url, &table, QUERY, &output, &["--patience", "2"]), AT_ONCE);
    let address = cluster.url.trim_start_matches("df://").to_owned();
    let expected = format!("the scheduler at {address}, after 2 s: no executor is alive");
    assert!(message.contains(&expected), "{message}");
    cluster.kill_scheduler().expect("killed");
    let message = failed(client(&cluster.url, &table, QUERY, &output, &["--patience", "2"]), AT_ONCE);
    assert!(message.contains(&format!("{address}, after 2 s: ")) && message.contains("refused"), "{message}");
    assert!(!output.exists());
}

/// The last executor of a job is lost: the job is given up after the time that another has to come.
#[test]
fn a_job_whose_executors_are_all_lost_ends() {
    let (folder, table) = scratch();
    let mut cluster = in_the_clear(folder.path(), 1);
    let output = folder.path().join("never.parquet");
    std::fs::write(&output, "of yesterday").expect("a file");
    let [(_, paused), _] = paused_in_stages();
    let job = client(&cluster.url, &table, &paused, &output, &[]);
    wait("a task's output", || cluster.executors[0].has_written(1)).expect("output");
    cluster.executors[0].kill().expect("killed");
    let message = failed(job, IN_THE_END);
    assert!(message.contains("executor"), "{message}");
    assert_eq!(std::fs::read_to_string(&output).expect("a file"), "of yesterday");
}

/// A limit on the size of files stands for a full disk.
#[test]
fn an_executor_whose_disk_is_full_says_where() {
    let (folder, table) = scratch();
    let limited = ["sh", "-c", "ulimit -f 8 && trap '' XFSZ && exec \"$@\"", "sh"].map(str::to_owned).to_vec();
    let cluster = of_parts(folder.path(), vec![Part { prefix: limited, ..Part::default() }]);
    let output = folder.path().join("never.parquet");
    let message = failed(client(&cluster.url, &table, QUERY, &output, &[]), IN_THE_END);
    for part in [&cluster.url[5..], "Stage 1", "Task", "File too large"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let names = std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let strays: Vec<_> = names.filter(|name| name.to_string_lossy().contains("never")).collect();
    assert!(strays.is_empty(), "{strays:?}");
}
