"""The kernels are really used before the first real batch."""

import json
import subprocess
import sys

from models.schema.money import default_reporting_currency
from stream_app.scoring.warm_up import warm_up
from tests.unit.stream_app.scoring.fakes import AmountModel


class WatchedModel(AmountModel):
    """Remembers how many rows it was given."""

    rows = 0

    def score(self, values):
        """Count and score."""
        self.rows += len(values)
        return super().score(values)


def test_a_made_up_transaction_goes_all_the_way() -> None:
    model = WatchedModel()
    warm_up(model, default_reporting_currency())  # type: ignore[arg-type]  # a fake
    assert model.rows == 1


def test_no_kernel_is_loaded_where_a_module_is_imported() -> None:
    """The first takes a process a second, and most commands need none."""
    show = "print(sum(signatures for _, signatures in kernels_after_warm_up.compiled()))"
    code = f"import stream_app.scoring.app; from tests.support import kernels_after_warm_up; {show}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_no_kernel_is_compiled_behind_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.kernels_after_warm_up"], capture_output=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["flagged"] > 0
    assert found["late"] == []
