"""scikit-learn's softmax regression on what `cargo bench --bench stacking` wrote: medians of seconds, and objectives.

Usage: OMP_NUM_THREADS=1 python3 benches/stacking_baseline.py [target folder] (needs scikit-learn)
"""
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "target") / "stacking"
x = np.fromfile(folder / "features.f32", np.float32).reshape(-1, 80)
y = np.fromfile(folder / "labels.u32", np.uint32).astype(np.int64)
l2 = 1e-4


def objective(model):
    z = x.astype(np.float64) @ model.coef_.T.astype(np.float64) + model.intercept_
    most = z.max(1)
    loss = np.log(np.exp(z - most[:, None]).sum(1)) + most - z[np.arange(len(y)), y]
    return loss.mean() + l2 / 2 * np.square(model.coef_, dtype=np.float64).sum()


print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}")
for name, x_fit in [("f32", x), ("f64", x.astype(np.float64))]:
    for tol in [1e-4, 1e-5]:
        seconds = []
        for _ in range(3):
            model = LogisticRegression(C=1 / (l2 * len(y)), tol=tol, max_iter=2000)
            start = time.perf_counter()
            model.fit(x_fit, y)
            seconds.append(time.perf_counter() - start)
        median = statistics.median(seconds)
        print(f"{name}, tol {tol:g}: {median:.2f} s, {model.n_iter_[0]} iterations, objective {objective(model):.8f}")
