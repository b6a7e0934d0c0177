//! What runs in the background, as much of it as may be.

use std::sync::{Mutex, MutexGuard};

use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::orchestration::lock::locked;

/// Tasks that nobody waits for. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Tasks {
    most: usize,
    /// `None` once it is shut down.
    tasks: Mutex<Option<JoinSet<()>>>,
}

impl Tasks {
    pub fn new(most: usize) -> Self {
        Self { most, tasks: Mutex::new(Some(JoinSet::new())) }
    }

    /// Begins a task, unless there are as many as may be, no runtime to run it, or it is shut down; whether it did.
    pub fn begin(&self, task: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(runtime) = Handle::try_current() else { return false };
        let mut tasks = self.tasks();
        let Some(tasks) = tasks.as_mut() else { return false };
        // A panic of one is its end and nobody else's.
        while tasks.try_join_next().is_some() {}
        let room = tasks.len() < self.most;
        if room {
            tasks.spawn_on(task, &runtime);
        }
        room
    }

    /// Ends all tasks and waits until they are gone; none is begun any more.
    pub async fn shutdown(&self) {
        let tasks = self.tasks().take();
        if let Some(mut tasks) = tasks {
            tasks.shutdown().await;
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        locked(&self.tasks)
    }
}
