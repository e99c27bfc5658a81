"""`python -m dum.cli` is `dum`."""

import sys

from dum.cli import main

if __name__ == "__main__":
    sys.exit(main())
