# ruff: noqa: E501 - the programs below are dense on purpose
"""Hostile values and a sabotaged kernel: evidence stays small and decodable, other values are untouched."""

from __future__ import annotations

import pytest

from checks.evidence.values import (
    Array,
    Broken,
    Callable,
    Int,
    Layer,
    Mapping,
    Model,
    Opaque,
    Sequence,
    Table,
)
from checks.plan import Limits, PartPlan, RunPlan
from tests.worker.runs import IMPORTS, Outcome, run_cells
from tests.worker.verdicts import RIGHT_ANSWERS, grade
from worker.warm import WarmServer

pytestmark = pytest.mark.sandbox

ROOMY = Limits(seconds=120, cell_seconds=60, memory_mib=1500)
SEED = 20261122
VALUES = 120
A_CELL = 20
MAX_FRAME = 41 << 20

# What is drawn from: classes that lie, leave or never answer, and sizes that nobody has room for.
ARSENAL = r'''
import array, collections, ctypes, enum, functools, itertools, operator, random, types
import numpy as np, pandas as pd
from tensorflow import keras

def leave(*a, **k): raise SystemExit('no')
def lie(*a, **k): return 10**9
def fail(*a, **k): raise MemoryError
def deep(*a, **k): return deep(*a, **k)
def forge(*a, **k): return iter('forged')
def exits(*a, **k): raise KeyboardInterrupt
TRICKS = [leave, lie, fail, deep, forge, exits, None, 7, property(leave), property(fail)]
DUNDERS = '__len__ __iter__ __eq__ __hash__ __repr__ __str__ __getattr__ __getattribute__ __getitem__ __class__ ' \
    '__array__ __array_interface__ __bool__ __int__ __index__ __float__ __reduce_ex__ __dict__ __module__ ' \
    '__array_finalize__ __array_ufunc__ __contains__ __sizeof__ __format__ __bytes__ __copy__ __get__'.split()
PLAIN = 'dtype shape size tobytes tolist ravel item data items keys values index columns iloc array _mgr name ' \
    'nbytes ndim flags format get_config weights __name__ __qualname__ __code__ __mro__ _mask mask codes'.split()
BASES = [object, int, float, str, bytes, bytearray, complex, list, tuple, dict, set, frozenset, np.ndarray,
    np.float64, np.ma.MaskedArray, pd.DataFrame, pd.Series, collections.OrderedDict, collections.deque,
    collections.UserDict, Exception, type, array.array, enum.Enum, keras.layers.Dense, pd.api.extensions.ExtensionArray]

def hostile_class(rng):
    names = rng.sample(DUNDERS, rng.randrange(1, 5)) + rng.sample(PLAIN, rng.randrange(3))
    body = {name: rng.choice(TRICKS) for name in names}
    kind = type
    if rng.random() < 0.2:
        kind = type('Meta', (type,), {name: rng.choice(TRICKS) for name in rng.sample(DUNDERS + ['__mro__'], 2)})
    return kind('x' * rng.choice([1, 10**6]), (rng.choice(BASES),), body)

def hostile_instance(rng):
    kind = type.__call__(type, 'K', (), {}) if rng.random() < 0.02 else hostile_class(rng)
    base = type.mro(kind)[1]
    value = base.__new__(kind, (3,), 'i') if base in (np.ndarray,) else base.__new__(kind)
    if rng.random() < 0.5:
        base.__init__(value)
    return value

def late_liar(rng):
    """An honest value whose class is changed afterwards."""
    value = rng.choice([pd.DataFrame({'a': [1.0, 2]}), pd.Series(['u', 'v']), np.ma.array([1, 2], mask=[0, 1]),
        np.arange(3.0), keras.layers.Dense(2), pd.Index([1, 2])])
    body = {name: rng.choice(TRICKS) for name in rng.sample(PLAIN + DUNDERS, 3)}
    object.__setattr__(value, '__class__', type('Late', (type(value),), body))
    return value

def cyclic(rng):
    a, b, c = [], {}, collections.deque()
    a.append(b); b['a'] = (c, a); c.append(b)
    return rng.choice([a, b, c, np.array([a, b, None], dtype=object)])

def nested(rng):
    value = []
    for _ in range(20_000): value = rng.choice([list, lambda x: (x,), lambda x: {1: x}])([value])
    return value

def huge(rng):
    return rng.choice([
        lambda: np.broadcast_to(rng.choice([np.float64(1), np.longdouble(1), np.array('x' * 10**6), np.array(None),
            np.array((1, 2.0), dtype='i8,f8')]), (10**5, 10**5)),
        lambda: range(10**12), lambda: pd.RangeIndex(10**12), lambda: [None] * 10**7, lambda: dict.fromkeys(range(10**6)),
        lambda: 1 << 10**7, lambda: ['y' * 10**6] * 10**5, lambda: [leave] * 10**5, lambda: -(1 << 40_000),
        lambda: pd.DataFrame({'a': np.broadcast_to(1.0, 10**7)}), lambda: memoryview(bytes(10**8)),
        lambda: np.array(['z' * 10**6] * 200), lambda: collections.deque([[]] * 10**6), lambda: 'w' * 10**8,
        lambda: pd.DataFrame(np.zeros((1, 10**5))), lambda: np.empty((0, 10**9)), lambda: np.zeros((1,) * 40),
    ])()

def odd(rng):
    return rng.choice([
        lambda: np.array([(1, 'a', None)], dtype=[('x', 'i4'), ('y', 'U3'), ('z', 'O')]), lambda: np.void(b'123'),
        lambda: float('nan'), lambda: np.array([np.nan, np.inf, -np.inf]), lambda: '\ud800\udfff' * 5, lambda: np.str_('t'),
        lambda: pd.NaT, lambda: pd.NA, lambda: Ellipsis, lambda: NotImplemented, lambda: type, lambda: sys,
        lambda: (i for i in itertools.count()), lambda: itertools.count(), lambda: functools.partial(leave),
        lambda: types.MethodType(hostile_class(rng), 1), lambda: types.SimpleNamespace(__class__=int),
        lambda: ctypes.c_double(1.5), lambda: ctypes.py_object(), lambda: weird_function(rng), lambda: 1j * float('inf'),
        lambda: np.datetime64('NaT'), lambda: pd.interval_range(0, 5), lambda: pd.period_range('2020', periods=3),
        lambda: pd.arrays.SparseArray([0.0] * 9), lambda: pd.DataFrame([[1, 2]], columns=['a', 'a']),
        lambda: pd.DataFrame({(1, 2): [leave]}), lambda: np.array([hostile_instance(rng)], dtype=object),
        lambda: keras.Sequential([keras.layers.Dense(1)]), lambda: array.array('u', 'ab'), lambda: memoryview(b'').cast('c'),
        lambda: object.__new__(pd.DataFrame), lambda: object.__new__(pd.Series), lambda: object.__new__(keras.Model),
        lambda: object.__new__(keras.layers.Dense), lambda: object.__new__(keras.callbacks.History),
        lambda: keras.callbacks.History(), lambda: np.matrix([[1, 2]]), lambda: np.rec.array([(1, 2.0)]),
    ])()

def weird_function(rng):
    def f(a=hostile_instance(rng), *, b=leave): pass
    f.__wrapped__ = f.__signature__ = f.__name__ and hostile_instance(rng)
    f.__code__ = f.__code__.replace(co_filename=rng.choice(['/dev/zero', '/proc/self/mem', '', 'x' * 10**5]))
    return f

def container(rng):
    inner = [make(rng) for _ in range(rng.randrange(3))]
    return rng.choice([list, tuple, lambda x: {'k': x}, lambda x: np.array(x + [None], dtype=object)])(inner)

MAKERS = [hostile_instance] * 6 + [late_liar] * 3 + [container] * 2 + [odd] * 4 + [huge, cyclic, hostile_class, nested]

def make(rng):
    while True:
        try:
            return rng.choice(MAKERS)(rng)
        except BaseException:
            continue
'''


def test_drawn_hostile_values_leave_their_neighbours_and_the_frames_intact(warm_server: WarmServer) -> None:
    """Each part has a hostile value before and after an honest one; many parts a cell, many cells a run."""
    parts = tuple(PartPlan(f"v{n}", (f"first{n}", f"hostile{n}", f"last{n}"), ()) for n in range(VALUES))
    drawing = [
        f"for n in range({start}, {start + A_CELL}):\n"
        f"    rng = random.Random({SEED} + n)\n"
        "    globals().update({f'first{n}': n, f'hostile{n}': make(rng), f'last{n}': [n]})\n"
        "    globals()[f'v{n}'].check()\n"
        "    del globals()[f'hostile{n}']"
        for start in range(0, VALUES, A_CELL)
    ]
    outcome = run_cells(
        warm_server,
        IMPORTS,
        ARSENAL,
        *drawing,
        limits=ROOMY,
        run_plan=RunPlan(module="learntools.tests.sandbox", parts=parts),
    )
    assert outcome.status == "completed", (outcome.evidence.run.detail, outcome.printed)
    kinds = set()
    for number in range(VALUES):
        frame = outcome.frame(f"v{number}", "check")
        assert frame is not None, number
        assert frame.values[f"first{number}"] == Int(str(number))
        assert frame.values[f"last{number}"] == Sequence(items=(Int(str(number)),))
        kinds.add(type(frame.values[f"hostile{number}"]))
    assert max(len(snapshot.frame) for snapshot in outcome.evidence.snapshots) < MAX_FRAME
    assert kinds >= {Array, Broken, Callable, Mapping, Opaque, Sequence, Table}, (
        "the draw must reach every extractor"
    )


def _part1(outcome: Outcome) -> object:
    frame = outcome.frame("part1", "check")
    return None if frame is None else frame.values["answer"]


def test_a_value_whose_method_never_returns_costs_itself_alone(warm_server: WarmServer) -> None:
    """The one way to hang the extraction is a framework's method that a student's class replaces."""
    outcome = run_cells(
        warm_server,
        IMPORTS,
        """
        from tensorflow import keras
        from _grader_inside.writing import taken
        taken.__defaults__ = (0.5,)  # the test shall not take longer than it must
        class Endless(keras.layers.Dense):
            def get_config(self):
                while True: pass
        answer = Endless(3)
        other = 5
        part2.check()
        """,
        "answer = 1\npart1.check()",
        limits=ROOMY,
    )
    assert outcome.status == "completed"
    frame = outcome.frame("part2", "check")
    assert frame is not None
    assert frame.values["other"] == Int("5")
    answer = frame.values["answer"]
    assert isinstance(answer, Broken)
    assert "too long" in answer.why
    assert _part1(outcome) == Int("1")


def test_a_layer_whose_configuration_leaves_is_still_a_layer_or_told(warm_server: WarmServer) -> None:
    cell = """
    from tensorflow import keras
    class Leaving(keras.layers.Dense):
        def get_config(self): raise SystemExit
    answer = Leaving(3)
    other = 5
    part2.check()
    """
    frame = run_cells(warm_server, IMPORTS, cell).frame("part2", "check")
    assert frame is not None
    assert isinstance(frame.values["answer"], (Layer, Broken))
    assert frame.values["other"] == Int("5")


def test_what_a_subclass_makes_of_a_models_attributes_is_passed_over(warm_server: WarmServer) -> None:
    cell = """
    import os
    from tensorflow import keras
    class Leaving(keras.Model): pass
    class Wide(keras.layers.Dense): pass
    answer, other = Leaving(name='honest'), Wide(3)
    for name in ('layers', 'inputs', 'outputs', 'compiled', 'weights', 'name', '_functional', '_nodes'):
        setattr(Leaving, name, property(lambda self: os._exit(5)))
    Wide.weights = property(lambda self: os._exit(6))
    part2.check()
    """
    outcome = run_cells(warm_server, IMPORTS, cell, "answer = 1\npart1.check()")
    assert outcome.status == "completed", outcome.printed
    frame = outcome.frame("part2", "check")
    assert frame is not None
    answer = frame.values["answer"]
    assert isinstance(answer, Model)
    assert answer.name == "honest"
    assert isinstance(frame.values["other"], Layer)
    assert _part1(outcome) == Int("1")


SABOTAGE = {
    "all modules gone": "import sys; sys.modules.clear()",
    "numpy and pandas gone": (
        "import sys\nfor n in [n for n in sys.modules if n.partition('.')[0] in ('numpy', 'pandas', 'json')]: del sys.modules[n]"
    ),
    "the extractor gone": (
        "import sys\nfor n in [n for n in sys.modules if n.startswith('_grader_inside')]: del sys.modules[n]"
    ),
    "an extractor that raises": (
        "import _grader_inside.frame as f, _grader_inside.values as v\n"
        "def fail(*a, **k): raise RuntimeError\nf.encode = f.Taker = v.Taker.take = v.Taker.node = fail"
    ),
    "an extractor that forgets": "import _grader_inside.values as v; v._TAKES.clear()",
    "built-ins gone": (
        "import builtins\nfor n in ('len', 'isinstance', 'type', 'dict', 'list', 'str', 'int', 'sorted', 'Exception'):\n"
        "    delattr(builtins, n)"
    ),
    "IPython patched": (
        "import IPython, ipykernel.ipkernel as k\nk.IPythonKernel.do_execute = k.IPythonKernel.execute_request = None\n"
        "IPython.core.interactiveshell.InteractiveShell.run_cell = None"
    ),
    "pandas patched": (
        "import pandas as pd\ndef fail(*a, **k): raise SystemExit\n"
        "pd.DataFrame.iloc = pd.DataFrame.index = pd.Series.array = pd.Index.get_level_values = property(fail)"
    ),
    "the recursion limit": "import sys; sys.setrecursionlimit(120)",
    "descriptors closed": "import os\nfor fd in range(3, 64):\n    try: os.close(fd)\n    except OSError: pass",
    "a thread that floods": (
        "import threading\ndef flood():\n    while True: print('x')\nthreading.Thread(target=flood, daemon=True).start()"
    ),
    "a trace function": "import sys\ndef trace(*a): raise SystemExit\nsys.settrace(trace); sys.setprofile(trace)",
    "an audit hook": "import sys\ndef hook(*a): raise SystemExit\nsys.addaudithook(hook)",
    "the namespace replaced": "get_ipython().user_ns = {}; globals().clear()",
    "the collector off and all finalisers on": (
        "import gc\nclass D:\n    def __del__(self): raise SystemExit\n"
        "gc.set_threshold(1)\nfor _ in range(99): d = D(); d.d = d"
    ),
}


@pytest.mark.parametrize("sabotage", SABOTAGE.values(), ids=SABOTAGE.keys())
def test_sabotage_after_a_check_changes_no_verdict_that_was_earned(
    warm_server: WarmServer, sabotage: str
) -> None:
    first, second = RIGHT_ANSWERS
    graded = grade(warm_server, first, sabotage, second)
    assert graded.statuses[0] == "correct", (graded.status, graded.evidence.run.detail, graded.messages)
    assert graded.statuses[1] in ("correct", "error", "incorrect", "not_attempted")
    assert graded.messages[1]


HARMLESS = ("numpy and pandas gone", "the extractor gone", "pandas patched")


@pytest.mark.parametrize("sabotage", [SABOTAGE[name] for name in HARMLESS], ids=HARMLESS)
def test_evidence_is_taken_all_the_same_after_modules_are_gone(
    warm_server: WarmServer, sabotage: str
) -> None:
    """Every name that the extraction needs was bound before the notebook began."""
    outcome = run_cells(
        warm_server,
        IMPORTS + "\nimport numpy as np, pandas as pd\nheld = [np.arange(3.0), np.array(['a', 'b'])]",
        sabotage,
        "answer = held\npart1.check()",
    )
    answer = _part1(outcome)
    assert isinstance(answer, Sequence), (outcome.status, outcome.printed)
    assert [type(item) for item in answer.items] == [Array, Array]
