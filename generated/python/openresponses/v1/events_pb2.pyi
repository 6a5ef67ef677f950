from openresponses.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OpenResponsesImageGenCallGenerating(_message.Message):
    __slots__ = ("item_id", "output_index", "sequence_number")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_INDEX_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    output_index: float
    sequence_number: float
    def __init__(self, item_id: _Optional[str] = ..., output_index: _Optional[float] = ..., sequence_number: _Optional[float] = ...) -> None: ...

class OpenResponsesImageGenCallCompleted(_message.Message):
    __slots__ = ("item_id", "output_index", "sequence_number")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_INDEX_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    output_index: float
    sequence_number: float
    def __init__(self, item_id: _Optional[str] = ..., output_index: _Optional[float] = ..., sequence_number: _Optional[float] = ...) -> None: ...

class UnrecognizedEvent(_message.Message):
    __slots__ = ("type", "json")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    type: str
    json: str
    def __init__(self, type: _Optional[str] = ..., json: _Optional[str] = ...) -> None: ...

class OpenResponsesStreamEvent(_message.Message):
    __slots__ = ("image_generation_call_generating", "image_generation_call_completed", "unrecognized", "extra_json")
    IMAGE_GENERATION_CALL_GENERATING_FIELD_NUMBER: _ClassVar[int]
    IMAGE_GENERATION_CALL_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    UNRECOGNIZED_FIELD_NUMBER: _ClassVar[int]
    EXTRA_JSON_FIELD_NUMBER: _ClassVar[int]
    image_generation_call_generating: OpenResponsesImageGenCallGenerating
    image_generation_call_completed: OpenResponsesImageGenCallCompleted
    unrecognized: UnrecognizedEvent
    extra_json: str
    def __init__(self, image_generation_call_generating: _Optional[_Union[OpenResponsesImageGenCallGenerating, _Mapping]] = ..., image_generation_call_completed: _Optional[_Union[OpenResponsesImageGenCallCompleted, _Mapping]] = ..., unrecognized: _Optional[_Union[UnrecognizedEvent, _Mapping]] = ..., extra_json: _Optional[str] = ...) -> None: ...
