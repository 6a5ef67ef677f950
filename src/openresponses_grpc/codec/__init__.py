"""The codec: an event's JSON to its protobuf bytes and back, compiled from the descriptors on first use. Pure: no I/O.

`reader` makes bytes of JSON: `structs` parses the usual JSON and `encode` writes the bytes; `scan` and `general` read
any other JSON. `decode` makes JSON of bytes; `check` finds out why a message has no JSON. `strict` rejects what the SDK
rejects. `schema` has the contract, `scalars` the values, `extras` the JSON text that a message holds.
"""

from ._bridge import from_dict, from_json, json_to_protobuf, protobuf_to_json, to_dict, to_json

__all__ = ["from_dict", "from_json", "json_to_protobuf", "protobuf_to_json", "to_dict", "to_json"]
