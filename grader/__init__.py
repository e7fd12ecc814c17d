"""The service around the judge: what comes in, waits, is stored, and is shown."""

__version__ = "0.1.0"
