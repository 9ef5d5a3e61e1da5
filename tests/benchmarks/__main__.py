"""Run the benchmarks named as arguments, or all: `python -m tests.benchmarks [NAME]...`."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

SUFFIX = "_bench"


def main(names: list[str]) -> int:
    """Run each benchmark's `main()`; 2 if there is none of that name, 1 if one reports that by returning non-zero."""
    available = sorted(path.stem.removesuffix(SUFFIX) for path in Path(__file__).parent.glob(f"*{SUFFIX}.py"))
    unknown = [name for name in names if name not in available]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(available)}", file=sys.stderr)
        return 2
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # for the ends, which run elsewhere
    failed = 0
    for name in names or available:
        print(f"== {name}", flush=True)
        failed |= bool(importlib.import_module(f"tests.benchmarks.{name}{SUFFIX}").main())
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
