"""Figures in the notebook's outputs, as Jupyter has them.

The warm server imports pyplot before there is a shell to show figures in, so that matplotlib has settled on
drawing without a screen: figures would neither appear nor be closed when their cell ends, and the plots
of all cells would fall on one another.
"""

from __future__ import annotations

import sys
from typing import Any


def show_figures(shell: Any) -> None:
    """Have the shell show and close figures after each cell, where pyplot has been imported already.

    Where it has not, ``MPLBACKEND`` sees to it on import.
    """
    if "matplotlib.pyplot" in sys.modules:
        shell.enable_matplotlib("inline")
