"""Truth inference by others on one core: what crowd-kit, SciPy and JAX take for what `cargo bench --bench truth` measures.

    taskset -c 0 python3 benches/rivals/truth.py [--annotations 100000 1000000] [--repeats 3] [--slow]
    taskset -c 0 python3 benches/rivals/truth.py --labels labels.csv [--truth labels.truth.csv]

Without a file it makes annotations up as `benches/simulation.rs` does: the same distributions, not the same draws. For the same
annotations let the example write them: `cargo run --release --example truth_inference -- --write labels.csv`.

Every time begins with unsorted integer triples and ends with posteriors; compiling (JAX) and loading are left out. Dawid and
Skene's method is run for ten iterations: with SciPy and JAX with 0.6 counted on the diagonal beforehand and 0.1 off it, as
`DawidSkene::default()` does; crowd-kit counts nothing. GLAD is timed for one iteration; MACE for ten restarts of fifty; both
with --slow only, for they take minutes. Who is absent is named.
"""
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import argparse
import importlib
import importlib.metadata
import statistics
import time

import numpy as np

ITERATIONS = 10
DIAGONAL, OFF_DIAGONAL = 0.6, 0.1
PER_ITEM = 5
PRIOR = np.array([0.4, 0.3, 0.2, 0.1])


class Annotations:
    """Triples in no order, and the class of each item, or -1."""

    def __init__(self, items, sources, labels, truth):
        self.items, self.sources, self.labels, self.truth = items, sources, labels, truth
        self.of_items, self.of_sources = int(items.max()) + 1, int(sources.max()) + 1
        self.classes = int(max(labels.max(), truth.max(initial=0))) + 1

    @classmethod
    def simulated(cls, annotations, seed):
        random = np.random.default_rng(seed)
        of_sources, classes = max(annotations // 200, PER_ITEM), len(PRIOR)
        of_items = -(-annotations // PER_ITEM)
        accuracy = random.beta(6, 3, of_sources)
        confusions = random.exponential(size=(of_sources, classes, classes))
        diagonal = np.arange(classes)
        confusions[:, diagonal, diagonal] = 0
        confusions *= (1 - accuracy)[:, None, None] / confusions.sum(2, keepdims=True)
        confusions[:, diagonal, diagonal] = accuracy[:, None]
        truth = random.choice(classes, of_items, p=PRIOR)
        sources = random.integers(of_sources, size=(of_items, PER_ITEM))
        # Until no source is on an item twice.
        while True:
            ordered = np.sort(sources, 1)
            again = (ordered[:, 1:] == ordered[:, :-1]).any(1)
            if not again.any():
                break
            sources[again] = random.integers(of_sources, size=(again.sum(), PER_ITEM))
        items = np.repeat(np.arange(of_items), PER_ITEM)[:annotations]
        sources = sources.ravel()[:annotations]
        below = confusions.cumsum(2)[sources, truth[items]]
        labels = (random.random(annotations)[:, None] >= below[:, :-1]).sum(1)
        order = random.permutation(annotations)
        return cls(items[order], sources[order], labels[order], truth)

    @classmethod
    def of_files(cls, labels, truth):
        triples = np.loadtxt(labels, dtype=np.int64, delimiter=",", skiprows=1)
        of_items = np.full(triples[:, 0].max() + 1, -1)
        if truth is not None:
            pairs = np.loadtxt(truth, dtype=np.int64, delimiter=",", skiprows=1)
            pairs = pairs[pairs[:, 0] < len(of_items)]
            of_items[pairs[:, 0]] = pairs[:, 1]
        return cls(*(np.ascontiguousarray(column) for column in triples.T[:3]), of_items)

    def accuracy(self, decision):
        """Percent, where the truth is given."""
        known = self.truth >= 0
        return 100 * np.mean(np.asarray(decision)[known] == self.truth[known]) if known.any() else float("nan")

    def pseudo_counts(self):
        """[N, L, C]."""
        counts = np.full((self.classes, self.classes), OFF_DIAGONAL)
        np.fill_diagonal(counts, DIAGONAL)
        return np.tile(counts, (self.of_sources, 1, 1))


def scipy_majority(of, sparse):
    votes = sparse.csr_matrix((np.ones(len(of.items)), (of.items, of.labels)), (of.of_items, of.classes)).toarray()
    return votes / votes.sum(1, keepdims=True)


def scipy_dawid_skene(of, sparse):
    c = of.classes
    cells = of.sources * c + of.labels
    # [items, sources x labels]
    said = sparse.csr_matrix((np.ones(len(cells)), (of.items, cells)), (of.of_items, of.of_sources * c))
    by_cell = said.T.tocsr()
    before = of.pseudo_counts()
    posterior = scipy_majority(of, sparse)
    for _ in range(ITERATIONS):
        counts = (by_cell @ posterior).reshape(before.shape) + before
        logs = np.log(counts / counts.sum(1, keepdims=True)).reshape(-1, c)
        z = said @ logs + np.log(posterior.mean(0))
        z -= z.max(1, keepdims=True)
        posterior = np.exp(z)
        posterior /= posterior.sum(1, keepdims=True)
    return posterior


def jax_dawid_skene(of, jax):
    jnp, sums, c = jax.numpy, jax.ops.segment_sum, of.classes
    shape = (of.of_sources, c, c)

    @jax.jit
    def fit(items, cells, by_cell_items, by_cell, before):
        one = jax.nn.one_hot(cells % c, c, dtype=jnp.float32)
        votes = sums(one, items, of.of_items, indices_are_sorted=True)
        posterior = votes / votes.sum(1, keepdims=True)

        def iteration(_, posterior):
            counts = sums(posterior[by_cell_items], by_cell, of.of_sources * c, indices_are_sorted=True)
            counts = counts.reshape(shape) + before
            logs = jnp.log(counts / counts.sum(1, keepdims=True)).reshape(-1, c)
            z = sums(logs[cells], items, of.of_items, indices_are_sorted=True) + jnp.log(posterior.mean(0))
            return jax.nn.softmax(z, axis=1)

        return jax.lax.fori_loop(0, ITERATIONS, iteration, posterior)

    before = of.pseudo_counts().astype(np.float32)

    def run():
        items, cells = of.items.astype(np.int32), (of.sources * c + of.labels).astype(np.int32)
        by_item, by_cell = np.argsort(items, kind="stable"), np.argsort(cells, kind="stable")
        return np.asarray(fit(items[by_item], cells[by_item], items[by_cell], cells[by_cell], before))

    run()
    return run


def crowd_kit(of, module, slow):
    """Name, and what is timed."""
    import pandas

    table = pandas.DataFrame({"task": of.items, "worker": of.sources, "label": of.labels})

    def decided(aggregation):
        return lambda: aggregation().fit_predict(table).reindex(np.arange(of.of_items)).to_numpy()

    yield "majority vote", decided(lambda: module.MajorityVote())
    # It never stops early.
    yield f"Dawid-Skene, {ITERATIONS} iterations", decided(lambda: module.DawidSkene(n_iter=ITERATIONS, tol=-np.inf))
    if slow and hasattr(module, "GLAD"):
        yield "GLAD, 1 iteration", decided(lambda: module.GLAD(n_iter=1, silent=True))
    if slow and hasattr(module, "MACE"):
        yield "MACE, 10 x 50", decided(lambda: module.MACE(n_restarts=10, n_iter=50))


def timed(run, repeats, enough):
    """Median seconds, of fewer repeats where one takes long, and the last answer."""
    seconds = []
    while len(seconds) < repeats and sum(seconds) < enough:
        start = time.perf_counter()
        answer = run()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), len(seconds), answer


def of_package(name, of, slow):
    """Name and what is timed, or nothing if the package is absent."""
    try:
        if name == "scipy":
            sparse = importlib.import_module("scipy.sparse")
            yield "majority vote", lambda: scipy_majority(of, sparse)
            yield f"Dawid-Skene, {ITERATIONS} iterations", lambda: scipy_dawid_skene(of, sparse)
        elif name == "jax":
            yield f"Dawid-Skene, {ITERATIONS} iterations", jax_dawid_skene(of, importlib.import_module("jax"))
        else:
            yield from crowd_kit(of, importlib.import_module("crowdkit.aggregation"), slow)
    except ImportError as absent:
        print(f"{name} is absent: {absent}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--annotations", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--labels", help="a CSV file of item, source, label: integers from 0 on")
    parser.add_argument("--truth", help="a CSV file of item, truth")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--enough", type=float, default=60, help="seconds after which nothing is repeated")
    parser.add_argument("--slow", action="store_true", help="GLAD and MACE, too")
    args = parser.parse_args()
    packages = {"crowd-kit": "crowdkit", "scipy": "scipy", "jax": "jax"}
    for package in ["numpy", *packages]:
        try:
            print(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            print(f"{package} is absent")
            packages.pop(package, None)
    if args.labels:
        sets = [Annotations.of_files(args.labels, args.truth)]
    else:
        sets = (Annotations.simulated(annotations, args.seed) for annotations in args.annotations)
    print("\n| annotations | package | what | seconds | runs | accuracy % |\n|--:|---|---|--:|--:|--:|", flush=True)
    for of in sets:
        for package, module in packages.items():
            for what, run in of_package(module, of, args.slow):
                seconds, runs, answer = timed(run, args.repeats, args.enough)
                answer = np.asarray(answer)
                decision = answer.argmax(1) if answer.ndim == 2 else answer
                accuracy = of.accuracy(decision)
                print(f"| {len(of.items)} | {package} | {what} | {seconds:.4f} | {runs} | {accuracy:.2f} |", flush=True)


if __name__ == "__main__":
    main()
