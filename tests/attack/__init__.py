"""Attacks over loopback: hostile peers, broken input, and whether a plain C-ECHO still works afterwards."""
