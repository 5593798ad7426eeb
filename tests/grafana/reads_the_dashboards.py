"""Reads each dashboard with Grafana's own library for them: a key that its schema does not know gets lost."""

import json
import sys

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard


def lost(ours, theirs, path):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key in theirs:
                yield from lost(value, theirs[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs)):
            yield from lost(one, other, f"{path}[{number}]")
    elif ours != theirs:
        yield path


plugins.register_default_plugins()
unknown = []
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        text = file.read()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(json.loads(text))))
    unknown += lost(json.loads(text), read, name)
if unknown or not sys.argv[1:]:
    sys.exit("\n".join(["not in Grafana's schema, or no dashboard given:", *unknown]))
print(f"{len(sys.argv) - 1} dashboards are as Grafana's schema has them")
