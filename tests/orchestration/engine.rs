//! The engine that everything here is fused on.

use std::sync::{Arc, LazyLock};

use consilience::Engine;

pub fn engine() -> Arc<Engine> {
    static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(|| Arc::new(Engine::cpu().expect("a CPU engine")));
    Arc::clone(&ENGINE)
}
