"""Write the expected messages anew: `python write_golden.py --write`, then read the diff."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    os.environ["FXKIT_WRITE_GOLDEN"] = "1"
    sys.exit(pytest.main([str(pathlib.Path(__file__).with_name("test_messages.py"))]))
