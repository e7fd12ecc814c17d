"""The kinds of checks, one file each, found by its name (``checks.spec.kind`` says what a file must hold)."""
