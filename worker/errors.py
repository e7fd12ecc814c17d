"""Whose fault it is, as types.

GraderFault
+-- InfrastructureError      ours, and perhaps gone the next time: the job is retried
|   +-- KernelNotReady       a kernel did not answer; no cell has run on it, so another is tried
|   +-- SandboxUnavailable   a layer of the sandbox is missing; the service refuses to start
+-- (nothing else: what a notebook does is never an exception here, but a run status)
"""


class GraderFault(Exception):  # noqa: N818 - it says whose fault, as the tree above does
    """Something went wrong on our side of the border."""


class InfrastructureError(GraderFault):
    """The machine, a process of ours or the network failed; the attempt tells nothing about the student."""


class KernelNotReady(InfrastructureError):  # noqa: N818 - the state of a kernel
    """A kernel was started and did not answer in time; no cell has run on it."""


class SandboxUnavailable(InfrastructureError):  # noqa: N818 - the state of a machine
    """A part of the sandbox is not there; the message names it and what would bring it."""
