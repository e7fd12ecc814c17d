"""``grader report``: a class graded without a server (``grade --out``) as pages that open offline."""

from grader.folder_report.pages import INDEX, write_report
from grader.folder_report.reading import NothingToReportError, read_folder

__all__ = ["INDEX", "NothingToReportError", "read_folder", "write_report"]
