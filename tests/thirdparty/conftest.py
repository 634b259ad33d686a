"""Leave the distributions' own tests to `tests/integration/test_thirdparty.py`, which installs them first."""

collect_ignore_glob = ["*/tests/*"]
