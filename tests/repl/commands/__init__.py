"""Tests of the prompt's commands."""
