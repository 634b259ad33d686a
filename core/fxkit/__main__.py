"""`python -m fxkit` is the command `fxkit`."""

from __future__ import annotations

import sys

from fxkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
