"""A process of its own that renders the sample shelf: the contract of exporters compares its bytes."""

import sys

from kindlehl.testing.exporters import tell

if __name__ == "__main__":
    tell(*sys.argv[1:])
