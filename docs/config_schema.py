"""docs/config.schema.json, by which editors check config.yaml and studies/*.yaml: the settings' types.

python docs/config_schema.py prints it; --write writes it (`make schema`).
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from selfdoubt.settings.study import Study  # noqa: E402

FILE = ROOT / "docs/config.schema.json"
OR_NULL = {"type": "null"}  # takes out what config.yaml has


def schema() -> str:
    """Return the schema of a part of a config: a study overrides what it names, so that no key has to be there."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **relaxed(Study.model_json_schema())}
    return json.dumps(whole, indent=1) + "\n"


def relaxed(node):
    """Return a schema in which keys may be missing or null, and kinds of entries need not name their kind."""
    if isinstance(node, list):
        return [relaxed(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = {key: relaxed(value) for key, value in node.items() if not _is_left_out(key, value)}
    if "oneOf" in node:
        node["anyOf"] = node.pop("oneOf")
    for key in {"properties", "patternProperties"} & node.keys():
        node[key] = {name: {"anyOf": [each, OR_NULL]} for name, each in node[key].items()}
    return node


def _is_left_out(key: str, value) -> bool:
    """Return whether it is a word of the schema, and not a key of the config, which may be called so."""
    kinds = {"discriminator": dict, "required": list, "title": str}
    return key in kinds and isinstance(value, kinds[key])


if __name__ == "__main__":
    if "--write" in sys.argv:
        FILE.write_text(schema())
    else:
        print(schema(), end="")
