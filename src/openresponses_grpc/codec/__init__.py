"""The codec: converts events between JSON and serialized protobuf. Compiled from the descriptors on first use. Pure.

`_reader` converts JSON to protobuf. On the fast path, `_structs` parses the JSON and `_encode` writes the bytes. Any
other JSON takes the slow path, `_general` on top of `_scan`. `_decode` converts protobuf to JSON; `_check` explains why
a message cannot be converted. `_strict` rejects what OpenRouter's SDK rejects. `_schema` holds the contract, `_scalars`
numbers, lengths and strings, `_extras` the JSON text in messages.
"""

from ._bridge import from_dict, from_json, json_to_protobuf, protobuf_to_json, to_dict, to_json

__all__ = ["from_dict", "from_json", "json_to_protobuf", "protobuf_to_json", "to_dict", "to_json"]
