"""Authoring: one master notebook with macros gives the student's, the author's and the reference notebook."""

from grader.authoring.publish import MasterError, publish

__all__ = ["MasterError", "publish"]
