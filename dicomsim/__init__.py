"""dicomsim: a test harness and conformance simulator for DICOM networking."""

__version__ = "0.1.0"
