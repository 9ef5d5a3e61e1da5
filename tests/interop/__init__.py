"""Real peers: programs that others wrote, started on a free port of the loopback interface with a folder of their own.

`peers` starts and stops them, `tools` runs one-shot programs (`echoscu`, `storescu`, …), `samples` makes the files to
send, and conftest has a fixture for each. A peer that is not installed skips its tests, or fails them under CI.
"""
