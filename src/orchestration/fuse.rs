//! One item's opinions fused by an engine, alone or in a batch with those of others.

mod case;
mod fuser;
mod group;
mod verdict;

use std::fmt;
use std::sync::Arc;

pub use self::case::Case;
pub use self::fuser::Fuser;
use self::group::groups;
pub use self::verdict::Verdict;
use crate::engine::Engine;
use crate::error::{ErrorKind, Result};
use crate::orchestration::Process;

/// Fuses cases on an engine: one by one with [`fuse`](Self::fuse), or many at once as what a
/// [`Batcher`](crate::orchestration::Batcher) calls.
///
/// Cases of one batch that share a fusion, and whose sources come in the same forms, make one call of the engine; a source
/// that is missing in one case fits any form in another. A verdict has the same bits alone and in any batch.
///
/// [`Fuser`] is one or the other, as the device asks for.
///
/// # Examples
///
/// *Two models on one item, first without a batcher and then through one.*
///
/// ```
/// use std::sync::Arc;
///
/// use consilience::orchestration::batcher::{Batcher, Submission};
/// use consilience::orchestration::{FusionProcess, Opinion, fuse::Case};
/// use consilience::{Engine, Fusion};
///
/// let fusion = Arc::new(Fusion::default());
/// let opinions = vec![Some(Opinion::Probabilities(vec![0.7, 0.2, 0.1])), None, Some(Opinion::label(0))];
/// let case = Case::new(fusion, 3, opinions)?;
/// let process = FusionProcess::new(Arc::new(Engine::cpu()?));
/// let alone = process.fuse(&case)?;
/// assert_eq!(alone.decision, Some(0));
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let batcher = Batcher::builder(process).name("fusion").build()?;
/// assert_eq!(batcher.submit(case, Submission::default()).await?, alone);
/// # Ok::<(), consilience::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FusionProcess {
    engine: Arc<Engine>,
}

impl FusionProcess {
    /// Fuses on this engine.
    #[must_use]
    pub const fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Fuses one case, on the calling thread.
    ///
    /// # Errors
    ///
    /// The fusion does not fit the case, the engine refuses a value that the case was let through with, or the device
    /// fails.
    pub fn fuse(&self, case: &Case) -> Result<Verdict> {
        let fused = case.with_evidence(|evidence| self.engine.fuse(case.fusion(), evidence))??;
        Ok(Verdict::of(&fused, case.fusion().outputs, 0))
    }

    /// Fuses the cases of one group, whose verdicts go where the cases are from.
    fn fuse_group(&self, cases: &[Case], group: &group::Group<'_>, verdicts: &mut [Option<Result<Verdict>>]) {
        let fused = if let [_] = group.members[..] {
            None
        } else {
            Some(
                group.with_evidence(cases, |evidence| self.engine.fuse(group.fusion, evidence)).and_then(|fused| fused),
            )
        };
        match fused {
            Some(Ok(fused)) => {
                for (item, &member) in group.members.iter().enumerate() {
                    verdicts[member] = Some(Ok(Verdict::of(&fused, group.fusion.outputs, item)));
                }
            }
            // Each would wait for the same device to fail again.
            Some(Err(error)) if error.is_device() => {
                for &member in &group.members {
                    let ErrorKind::Device(cause) = error.kind() else { continue };
                    verdicts[member] = Some(Err(cause.clone().into()));
                }
            }
            // What is wrong with one of them is not to be told to the others.
            Some(Err(_)) | None => {
                for &member in &group.members {
                    verdicts[member] = Some(self.fuse(&cases[member]));
                }
            }
        }
    }
}

impl Process for FusionProcess {
    type Input = Case;
    type Output = Verdict;

    fn bytes(&self, case: &Case) -> usize {
        case.bytes()
    }

    fn process(&self, cases: Vec<Case>) -> Vec<Result<Verdict>> {
        let mut verdicts: Vec<_> = cases.iter().map(|_| None).collect();
        for group in groups(&cases) {
            self.fuse_group(&cases, &group, &mut verdicts);
        }
        // Every case is of one group.
        verdicts.into_iter().flatten().collect()
    }
}

impl fmt::Debug for FusionProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FusionProcess").field("engine", &self.engine.describe()).finish()
    }
}
