"""The contract kit: checks that a plugin keeps what it declares, for every kind of plugin.

One line puts a plugin through all of them::

    from fxkit.testing import contract_tests

    test_contract = contract_tests("processor", MyProcessor)

Every check is a function of one case. It raises `AssertionError` with one line that says what was
promised and what was measured, or returns why there was nothing to check. `fxkit plugins check` runs
the same on installed plugins.

A spec may have a classmethod `examples()` that returns instances worth checking beside its defaults.
"""

from fxkit.testing.contract import contract_tests, trials_of
from fxkit.testing.suite import checks_of

__all__ = ["checks_of", "contract_tests", "trials_of"]
