"""End the process, as a script does that was published as a plugin by mistake."""

import sys

sys.exit("this module is a script")
