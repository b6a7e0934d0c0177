//! Jobs that are held until they are let go, and say when they begin.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use consilience::orchestration::lane::Stats;
use tokio::sync::oneshot;
use tokio::task::yield_now;

/// The test's end of its jobs.
#[derive(Debug, Clone, Default)]
pub struct Desk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    begun: Vec<u32>,
    held: HashMap<u32, oneshot::Sender<bool>>,
    /// Jobs that were dropped before they were let go.
    dropped: Vec<u32>,
}

/// Says that its job was dropped.
struct Watch(Desk, u32);

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().expect("a lock");
        if state.held.remove(&self.1).is_some() {
            state.dropped.push(self.1);
        }
    }
}

impl Desk {
    /// A job that is held, and comes to ten times its number.
    pub fn job(&self, id: u32) -> impl Future<Output = u32> + Send + 'static {
        let desk = self.clone();
        async move {
            let (go, gone) = oneshot::channel();
            {
                let mut state = desk.0.lock().expect("a lock");
                state.begun.push(id);
                state.held.insert(id, go);
            }
            let _watch = Watch(desk, id);
            let good = gone.await.expect("an end");
            assert!(good, "job {id} is bad");
            10 * id
        }
    }

    /// Lets a job go that has begun, to its result or, if it is no good, to a panic.
    pub async fn let_go(&self, id: u32, good: bool) {
        let go = self.0.lock().expect("a lock").held.remove(&id).expect("it is held");
        let _ = go.send(good);
        settled().await;
    }

    /// The jobs that have begun, in the order in which they did.
    pub fn begun(&self) -> Vec<u32> {
        self.0.lock().expect("a lock").begun.clone()
    }

    /// The jobs that are under way.
    pub fn held(&self) -> Vec<u32> {
        let mut held: Vec<u32> = self.0.lock().expect("a lock").held.keys().copied().collect();
        held.sort_unstable();
        held
    }

    /// The jobs that were dropped while they were held.
    pub fn dropped(&self) -> Vec<u32> {
        self.0.lock().expect("a lock").dropped.clone()
    }
}

/// Until every task of the one thread has done what it can.
pub async fn settled() {
    for _ in 0..16 {
        yield_now().await;
    }
}

/// Every job that arrived is in one place.
pub fn assert_adds_up(stats: &Stats) {
    let held = (stats.queued.iter().sum::<usize>() + stats.running) as u64;
    let ended = stats.served + stats.panicked + stats.cancelled + stats.rejected + stats.refused;
    assert_eq!(held + ended, stats.arrived, "{stats:?}");
    let begun = stats.wait.observations() - stats.running as u64;
    assert_eq!(stats.service.observations(), begun, "{stats:?}");
    assert_eq!(stats.service.successes(), stats.served, "{stats:?}");
}
