from __future__ import annotations

import logging

from dicomsim.repl.log_lines import LogLines


def test_a_record_is_one_line_without_its_traceback() -> None:
    shown: list[str] = []
    logger = logging.getLogger("tests.log_lines")
    logger.addHandler(LogLines(shown.append))
    logger.info("not this")
    logger.warning("one\n  two %s", 3)
    try:
        raise ValueError("wrong\nvalue")
    except ValueError:
        logger.exception("failed")
    assert ["one two 3", "failed (ValueError: wrong value)"] == shown
