"""Run the benchmarks named as arguments, or all: `python -m tests.benchmarks [NAME]...`."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import pytest

SUFFIX = "_bench"


def main(names: list[str]) -> int:
    """Run each benchmark's `main()`; 2 if there is none of that name, 1 if one reports that by returning non-zero."""
    available = sorted(path.stem.removesuffix(SUFFIX) for path in Path(__file__).parent.glob(f"*{SUFFIX}.py"))
    unknown = [name for name in names if name not in available]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(available)}", file=sys.stderr)
        return 2
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # for the ends, which run elsewhere
    failed = [name for name in names or available if _run(name)]
    print(f"\nnot all targets hold: {', '.join(failed)}" if failed else "\nall targets hold")
    return bool(failed)


def _run(name: str) -> bool:
    """Run one; whether a target was missed, or could not be measured."""
    print(f"== {name}", flush=True)
    try:
        return bool(importlib.import_module(f"tests.benchmarks.{name}{SUFFIX}").main())
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:  # as a test says that there is no such peer
        print(f"  not measured: {missing}")
        return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
