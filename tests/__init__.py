"""The tests mirror the package file by file; interop talks to real peers, oracle holds the standard's tables."""
