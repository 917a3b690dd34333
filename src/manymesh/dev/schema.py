"""Prints the manifest's JSON schema: ``python -m manymesh.dev.schema > docs/run.schema.json``."""

from __future__ import annotations

import json
import sys

from manymesh.run.manifest import Manifest

if __name__ == "__main__":
    sys.stdout.write(json.dumps(Manifest.model_json_schema(), indent=1) + "\n")
