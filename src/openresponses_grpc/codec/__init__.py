"""The codec: an event's JSON to its protobuf bytes and back. Pure: no I/O.

It is compiled from the contract's descriptors on first use.
"""

# `_reader` makes bytes of JSON: `_structs` parses the usual JSON and `_encode` writes the bytes; `_scan` and `_general`
# read any other JSON. `_decode` makes JSON of bytes; `_check` finds out why a message has no JSON. `_strict` rejects
# what the SDK rejects. `_schema` has the contract, `_scalars` the values, `_extras` the JSON text that a message holds.

from ._bridge import from_dict, from_json, json_to_protobuf, protobuf_to_json, to_dict, to_json

__all__ = ["from_dict", "from_json", "json_to_protobuf", "protobuf_to_json", "to_dict", "to_json"]
