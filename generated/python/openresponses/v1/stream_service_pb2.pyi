from openresponses.v1 import events_pb2 as _events_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PublishRequest(_message.Message):
    __slots__ = ("stream_id", "first_offset", "events", "end_of_stream", "epoch")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_OFFSET_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    END_OF_STREAM_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    first_offset: int
    events: _containers.RepeatedCompositeFieldContainer[_events_pb2.OpenResponsesStreamEvent]
    end_of_stream: bool
    epoch: int
    def __init__(self, stream_id: _Optional[str] = ..., first_offset: _Optional[int] = ..., events: _Optional[_Iterable[_Union[_events_pb2.OpenResponsesStreamEvent, _Mapping]]] = ..., end_of_stream: bool = ..., epoch: _Optional[int] = ...) -> None: ...

class PublishResponse(_message.Message):
    __slots__ = ("next_offset", "epoch")
    NEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    next_offset: int
    epoch: int
    def __init__(self, next_offset: _Optional[int] = ..., epoch: _Optional[int] = ...) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("stream_id", "start_offset", "epoch")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    start_offset: int
    epoch: int
    def __init__(self, stream_id: _Optional[str] = ..., start_offset: _Optional[int] = ..., epoch: _Optional[int] = ...) -> None: ...

class SubscribeResponse(_message.Message):
    __slots__ = ("first_offset", "events", "end_of_stream", "epoch")
    FIRST_OFFSET_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    END_OF_STREAM_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    first_offset: int
    events: _containers.RepeatedCompositeFieldContainer[_events_pb2.OpenResponsesStreamEvent]
    end_of_stream: bool
    epoch: int
    def __init__(self, first_offset: _Optional[int] = ..., events: _Optional[_Iterable[_Union[_events_pb2.OpenResponsesStreamEvent, _Mapping]]] = ..., end_of_stream: bool = ..., epoch: _Optional[int] = ...) -> None: ...
