"""Tests of the service providers."""
