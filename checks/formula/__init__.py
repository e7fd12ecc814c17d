"""Formulas: a closed, total expression language over evidence.

A formula is written as a Python expression: arithmetic, comparison, ``and or not``, indexing, comprehensions
and the functions of :mod:`checks.formula.functions`. It is read with Python's own parser and an allow-list;
there are no attributes, no other calls and no names but those of variables. Evaluating costs at most what
:class:`checks.formula.cost.Budget` allows and never raises: what cannot be computed is a :class:`Failure`.
"""

from checks.formula.evaluation import Failure, Result, evaluate
from checks.formula.parsing import FormulaError, ParsedFormula, parsed

__all__ = ["Failure", "FormulaError", "ParsedFormula", "Result", "evaluate", "parsed"]
