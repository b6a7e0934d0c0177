//! Jobs whose answer may count rows twice end as failures.
//!
//! Where a stage that reads from others is begun anew, because an executor was lost, Ballista 55 runs all of its tasks again but
//! keeps what those handed on that had ended before: whoever reads from it reads their rows twice. Tasks that still run cannot be
//! called back either, and write to the same files. A first stage is not begun anew: only what was lost is run again.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::error::Result;
use ballista_core::serde::protobuf::JobStatus;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::{JobId, JobStatusSubscriber};
use ballista_scheduler::cluster::{BallistaCluster, JobState, JobStateEventStream};
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::state::execution_graph::ExecutionGraphBox;
use ballista_scheduler::state::execution_stage::ExecutionStage;
use datafusion::prelude::{SessionConfig, SessionContext};

/// What the failure of such a job says.
const ASK_AGAIN: &str = "was begun anew after a part of the cluster was lost, and rows may count twice; ask again";

/// How often a job is asked again, at most.
const AGAIN: usize = 3;

/// Asks, and asks again where the answer may count rows twice: those who were lost take no part any more.
///
/// # Errors
///
/// Whatever else the answer is, or the same at the last time, too.
pub async fn ask<T, E, A>(mut ask: impl FnMut() -> A) -> std::result::Result<T, E>
where
    E: Display,
    A: Future<Output = std::result::Result<T, E>>,
{
    for _ in 0..AGAIN {
        match ask().await {
            Err(error) if error.to_string().contains(ASK_AGAIN) => {}
            answer => return answer,
        }
    }
    ask().await
}

/// The state of a cluster in which no job succeeds that may have counted rows twice.
///
/// # Errors
///
/// Ballista's own.
pub async fn cluster(config: &SchedulerConfig) -> Result<BallistaCluster> {
    let cluster = BallistaCluster::new_from_config(config).await?;
    Ok(BallistaCluster::new(cluster.cluster_state(), Arc::new(Exact(cluster.job_state()))))
}

struct Exact(Arc<dyn JobState>);

/// The stage of a job that reads from others and was begun anew, if the job succeeded and one was.
fn begun_anew(graph: &ExecutionGraphBox) -> Option<usize> {
    if !matches!(graph.status().status, Some(Status::Successful(_))) {
        return None;
    }
    let is_anew = |stage: &ExecutionStage| match stage {
        ExecutionStage::Successful(stage) => stage.stage_attempt_num > 0 && !stage.inputs.is_empty(),
        // Of a job that succeeds all are.
        _ => false,
    };
    graph.stages().iter().filter(|(_, stage)| is_anew(stage)).map(|(number, _)| *number).min()
}

#[async_trait]
impl JobState for Exact {
    async fn save_job(&self, job: &JobId, graph: &ExecutionGraphBox) -> Result<()> {
        let Some(stage) = begun_anew(graph) else { return self.0.save_job(job, graph).await };
        let mut failed = graph.cloned();
        failed.fail_job(format!("stage {stage} {ASK_AGAIN}"));
        self.0.save_job(job, &failed).await
    }

    fn accept_job(&self, job: &JobId, name: &str, queued_at: u64) -> Result<()> {
        self.0.accept_job(job, name, queued_at)
    }

    fn pending_job_number(&self) -> usize {
        self.0.pending_job_number()
    }

    async fn submit_job(
        &self,
        job: JobId,
        graph: &ExecutionGraphBox,
        subscriber: Option<JobStatusSubscriber>,
    ) -> Result<()> {
        self.0.submit_job(job, graph, subscriber).await
    }

    async fn get_jobs(&self) -> Result<HashSet<JobId>> {
        self.0.get_jobs().await
    }

    async fn get_all_jobs(&self) -> Result<HashSet<JobId>> {
        self.0.get_all_jobs().await
    }

    async fn get_job_status(&self, job: &JobId) -> Result<Option<JobStatus>> {
        self.0.get_job_status(job).await
    }

    async fn get_execution_graph(&self, job: &JobId) -> Result<Option<ExecutionGraphBox>> {
        self.0.get_execution_graph(job).await
    }

    async fn fail_unscheduled_job(&self, job: &JobId, reason: String) -> Result<()> {
        self.0.fail_unscheduled_job(job, reason).await
    }

    async fn remove_job(&self, job: &JobId) -> Result<()> {
        self.0.remove_job(job).await
    }

    async fn try_acquire_job(&self, job: &JobId) -> Result<Option<ExecutionGraphBox>> {
        self.0.try_acquire_job(job).await
    }

    async fn job_state_events(&self) -> Result<JobStateEventStream> {
        self.0.job_state_events().await
    }

    async fn create_or_update_session(&self, session: &str, config: &SessionConfig) -> Result<Arc<SessionContext>> {
        self.0.create_or_update_session(session, config).await
    }

    async fn remove_session(&self, session: &str) -> Result<()> {
        self.0.remove_session(session).await
    }

    fn produce_config(&self) -> SessionConfig {
        self.0.produce_config()
    }
}
