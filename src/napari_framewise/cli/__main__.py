"""`python -m napari_framewise.cli`, where the command is not on the path."""

import sys

from napari_framewise.cli import main

if __name__ == "__main__":
    sys.exit(main())
