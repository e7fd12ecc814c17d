"""The trusted side's half of the sandbox: the outer jail, control groups, the system-call filter, the inputs.

See ``docs/sandbox.md`` for the whole. The half that runs inside is ``worker/inside``.
"""
