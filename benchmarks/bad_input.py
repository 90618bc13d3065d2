"""What becomes of odd and broken picture files, how long the slowest takes, and how much memory all of them need.

python benchmarks/bad_input.py FOLDER
"""

import resource
import sys
import time
from collections import Counter
from pathlib import Path

import hati
from hati.tools.tables import table


def main(folder: Path) -> None:
    model = hati.load()
    outcomes: Counter[str] = Counter()
    slowest = (0.0, "")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".csv")
    for file in files:
        start = time.perf_counter()
        [answer] = model.answers([file])
        slowest = max(slowest, (time.perf_counter() - start, file.name))
        outcomes["named" if answer.error is None else type(answer.error).__name__] += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [(outcome, str(count)) for outcome, count in outcomes.most_common()]
    print(table(("Outcome", "Files"), rows, right=(1,), title=f"{len(files)} files"))
    print(f"slowest: {slowest[0]:.2f} s, {slowest[1]}; peak memory of the whole process: {peak:.0f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
