"""``python -m manymesh``."""

from manymesh.cli.app import main

if __name__ == "__main__":
    main()
