"""Nothing on the way of a model or of data can run code that it brings along: no pickle, under any name."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("models", "stream_app", "producers")
MODULES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle", "pandas"}
"""Modules that read pickles, or are that; pandas hides one in `read_pickle` and is not needed."""
CALLS = {"torch.load", "yaml.load", "yaml.unsafe_load", "eval", "exec", "compile"}
ARGUMENTS = {"allow_pickle", "allow_redis_pickle"}


def dangers(source: str) -> Iterator[str]:
    """Yield what in some code could load a pickle or run loaded text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            if ast.unparse(node.func) in CALLS or ast.unparse(node.func).endswith((".read_pickle", ".loads_pickle")):
                yield ast.unparse(node.func)
            for keyword in node.keywords:
                if keyword.arg in ARGUMENTS and not (
                    isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                ):
                    yield f"{ast.unparse(node.func)}({keyword.arg}=…)"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_loads_a_pickle_or_runs_loaded_text(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths
    found = {str(path.relative_to(ROOT)): list(dangers(path.read_text())) for path in paths}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from joblib import load", "import os, dill as d", "from pandas.io import pickle",
        "np.load(path, allow_pickle=True)", "np.load(path, allow_pickle=flag)", "torch.load(path)", "eval(text)",
        "def f():\n    import marshal",
    ],
)  # fmt: skip
def test_each_of_them_would_be_found(code: str) -> None:
    assert list(dangers(code))


def test_what_is_harmless_is_not_found() -> None:
    assert not list(dangers("np.load(path, allow_pickle=False)\nre.compile(text)\nimport json\nfrom . import pickle"))
