"""Whether `predict` stays quick and memory stays flat over many calls, in one thread and in eight.

python benchmarks/repeated_calls.py [CALLS]
"""

import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np

import hati


def seconds(call: object, times: int) -> list[float]:
    assert callable(call)
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return found


def peak() -> float:
    """The most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(calls: int) -> None:
    model = hati.load()
    x = np.random.default_rng(0).uniform(-0.9, 0.9, (1, 224, 224, 3)).astype(np.float32)
    seconds(lambda: model.predict(x), 100)
    before = peak()
    times = seconds(lambda: model.predict(x), calls)
    print(f"{calls} calls: median {1e3 * median(times):.2f} ms, memory grew by {peak() - before:.1f} MB")
    print(f"first tenth {1e3 * median(times[: calls // 10]):.2f} ms, last {1e3 * median(times[-calls // 10 :]):.2f} ms")
    session = model._session(model.graph)
    rounds = [
        (median(seconds(lambda: session(x), 50)), median(seconds(lambda: model.predict(x), 50))) for _ in range(9)
    ]
    print(f"predict adds {1e3 * median(own - bare for bare, own in rounds):.2f} ms to a bare call of ONNX Runtime")
    start = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: model.predict(x), range(calls)))
    print(f"eight threads: {(time.perf_counter() - start) / sum(times):.2f} of the time of one")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
