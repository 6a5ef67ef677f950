"""`openresponses streams`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import click
from google.protobuf.json_format import MessageToJson
from google.protobuf.timestamp_pb2 import Timestamp

from openresponses_grpc.v1.stream_service_pb2 import StreamInfo, StreamState

from ..client import EventStreamClient
from ._connect import with_client
from ._options import option
from ._statuses import ExitStatusHelp
from ._tally import in_units

_json_option = option("--json", "as_json", is_flag=True, help="Print each stream as one line of JSON (ProtoJSON).")


@click.group(short_help="List, show and delete streams.")
def streams() -> None:
    """List, show and delete the streams of a server.

    If the server requires tokens, you can see only the streams that your token may inspect.
    """


@streams.command("list", cls=ExitStatusHelp, short_help="List the streams.")
@with_client
@_json_option
def list_streams(client: EventStreamClient, as_json: bool) -> None:
    """List the streams, in no particular order, with their state, number of events, size, age and id.

    The state is open, complete, failed, or abandoned: open, but without a publisher for too long.
    """
    if as_json:
        for info in client.list_streams():
            click.echo(_json(info))
        return
    now = datetime.now(UTC)
    rows = [_row(info, now) for info in client.list_streams()]
    # The id comes last because it may be long.
    for row in [("STATE", "EVENTS", "BYTES", "AGE", "ID"), *rows]:
        click.echo("{:<10}{:>10}{:>10}{:>6}  {}".format(*row))


@streams.command(cls=ExitStatusHelp, short_help="Show one stream.")
@with_client
@_json_option
@click.argument("stream")
def show(client: EventStreamClient, as_json: bool, stream: str) -> None:
    """Show the state, offsets, size and times of STREAM."""
    info = client.get_stream(stream)
    if as_json:
        click.echo(_json(info))
        return
    for name, value in _properties(info):
        click.echo(f"{name + ':':<14}{value}")


@streams.command(cls=ExitStatusHelp, short_help="Delete one stream.")
@with_client
@option(
    "--epoch",
    metavar="N",
    type=click.IntRange(min=0),
    help="Delete the stream only if it has this epoch, as printed by show.",
)
@option("--missing-ok", is_flag=True, help="Succeed if the stream does not exist.")
@click.argument("stream")
def delete(client: EventStreamClient, epoch: int | None, missing_ok: bool, stream: str) -> None:
    """Delete STREAM and its events. Its publishers and subscribers fail, and its id can be reused."""
    client.delete_stream(stream, epoch=epoch, allow_missing=missing_ok)


def _json(info: StreamInfo) -> str:
    return MessageToJson(info, indent=None)


def _row(info: StreamInfo, now: datetime) -> tuple[object, ...]:
    age = (now - info.create_time.ToDatetime(UTC)).total_seconds()
    events = info.next_offset - info.first_offset
    return _state(info), events, in_units(info.event_bytes), _age(age), _shown(info.stream_id)


def _properties(info: StreamInfo) -> Iterator[tuple[str, object]]:
    yield "id", _shown(info.stream_id)
    yield "epoch", info.epoch
    yield "state", _state(info)
    if info.HasField("failure"):
        yield "reason", _shown(info.failure.reason)
        if info.failure.message:
            yield "message", _shown(info.failure.message)
    yield "first offset", info.first_offset
    yield "next offset", info.next_offset
    yield "event bytes", info.event_bytes
    yield "created", _time(info.create_time)
    yield "updated", _time(info.update_time)
    if info.HasField("expire_time"):
        yield "expires", _time(info.expire_time)


def _state(info: StreamInfo) -> str:
    return StreamState.Name(info.state).removeprefix("STREAM_STATE_").lower()


def _time(time: Timestamp) -> str:
    return time.ToDatetime(UTC).isoformat(" ", "seconds")


def _age(seconds: float) -> str:
    """Formats a duration in its largest unit: `3m`."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"


def _shown(text: str) -> str:
    """Returns a text for a terminal: as JSON if it contains line ends or other control characters."""
    return text if text.isprintable() else json.dumps(text)
