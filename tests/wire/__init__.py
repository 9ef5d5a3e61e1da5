"""Bytes and values of PS3.8 and PS3.7, against the vectors of tests/oracle and against themselves."""
