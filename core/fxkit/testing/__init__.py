"""The contract kit: checks that a processor, controller or loss keeps what it declares.

Every check is a function of one case; it returns nothing and raises `AssertionError` with one line
that says what was promised and what was measured. `fxkit.testing.suite` lists them by kind::

    from fxkit import BuildContext
    from fxkit.testing.case import ProcessorCase
    from fxkit.testing.suite import PROCESSOR_CHECKS

    @pytest.mark.parametrize("check", PROCESSOR_CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(ProcessorCase(spec=MyProcessor(), ctx=BuildContext()))
"""
