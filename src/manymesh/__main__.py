"""``python -m manymesh``."""

from manymesh.cli import main

if __name__ == "__main__":
    main()
