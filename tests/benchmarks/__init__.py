"""Measurements, run by `make bench` and never by pytest: a module `NAME_bench.py` a subject, whose `main()` prints."""
