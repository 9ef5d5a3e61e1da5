"""Where another thread is."""

from __future__ import annotations

import threading

from dicomsim.services.stack import stack_of

LIMIT = 20.0


def test_the_stack_of_a_thread_shows_where_it_is_and_that_of_an_ended_one_is_empty() -> None:
    entered, may_end = threading.Event(), threading.Event()

    def waiting_here() -> None:
        entered.set()
        assert may_end.wait(LIMIT)

    thread = threading.Thread(target=waiting_here)
    thread.start()
    assert entered.wait(LIMIT)
    ident = thread.ident
    assert ident is not None
    assert "in waiting_here" in stack_of(ident)
    may_end.set()
    thread.join(LIMIT)
    assert "" == stack_of(ident)
