"""Retries of clients: which errors they retry, and after which delay."""

import grpc
import pytest

from openresponses_grpc import StreamError
from openresponses_grpc.client._errors import stream_error
from openresponses_grpc.client._recovery import Recovery


def failure(code: grpc.StatusCode, retry_after: float | None = None) -> StreamError:
    return StreamError(code, "", retry_after=retry_after)


UNAVAILABLE = failure(grpc.StatusCode.UNAVAILABLE)

LOST = ["Internal error from Core", "picker is null -- shouldn't happen"]
"""What gRPC reports, as INTERNAL, for a call that ends during a write or starts while its channel becomes idle."""


def test_a_first_call_fails_at_once_unless_wait_for_ready_is_set() -> None:
    with pytest.raises(StreamError):
        Recovery().next_delay(UNAVAILABLE)
    assert Recovery(wait_for_ready=True).next_delay(UNAVAILABLE) >= 0


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_first_call_is_retried_with_the_delay_of_the_server(code: grpc.StatusCode) -> None:
    recovery = Recovery()
    assert recovery.next_delay(failure(code, retry_after=3)) == 3
    assert recovery.connected


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_fail_fast_raises_server_errors_before_the_first_reply(
    code: grpc.StatusCode,
) -> None:
    recovery = Recovery(wait_for_ready=True, fail_fast=True)
    assert recovery.next_delay(UNAVAILABLE) >= 0  # not an error from the server
    with pytest.raises(StreamError):
        recovery.next_delay(failure(code, retry_after=3))
    recovery.record_reply(progress=False)
    assert recovery.next_delay(failure(code, retry_after=3)) == 3


@pytest.mark.parametrize(
    "error, retryable",
    [
        (None, True),
        (UNAVAILABLE, True),
        (failure(grpc.StatusCode.CANCELLED), True),
        (failure(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after=1), True),
        (failure(grpc.StatusCode.RESOURCE_EXHAUSTED), False),
        (failure(grpc.StatusCode.ABORTED), False),
        (failure(grpc.StatusCode.NOT_FOUND), False),
        (failure(grpc.StatusCode.OUT_OF_RANGE), False),
        (failure(grpc.StatusCode.INVALID_ARGUMENT), False),
        (failure(grpc.StatusCode.PERMISSION_DENIED), False),
        (failure(grpc.StatusCode.INTERNAL), False),
    ],
)
def test_only_retryable_errors_are_retried(error: StreamError | None, retryable: bool) -> None:
    recovery = Recovery()
    recovery.record_reply(progress=True)
    if retryable:
        assert recovery.next_delay(error) >= 0
    else:
        with pytest.raises(StreamError):
            recovery.next_delay(error)


@pytest.mark.parametrize(
    "details, retryable", [*((text, True) for text in LOST), ("internal error 0123456789abcdef", False)]
)
def test_a_call_whose_status_is_lost_is_retryable(details: str, retryable: bool) -> None:
    error = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details)
    assert stream_error(error, server="server", secure=False).retryable == retryable


@pytest.mark.parametrize("details", LOST)
def test_a_first_call_whose_status_is_lost_is_retried_until_its_status_is_known(details: str) -> None:
    recovery = Recovery()
    for _ in range(3):
        assert recovery.next_delay(StreamError(grpc.StatusCode.UNAVAILABLE, details)) >= 0
        assert not recovery.connected  # the next call does not wait for a server either
    with pytest.raises(StreamError):
        recovery.next_delay(UNAVAILABLE)


def test_delays_grow_to_a_limit_and_reset_on_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    recovery = Recovery()
    recovery.record_reply(progress=True)
    delays = [recovery.next_delay(UNAVAILABLE) for _ in range(100)]
    assert delays[:6] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert set(delays[5:]) == {5.0}
    recovery.record_reply(progress=False)
    assert recovery.next_delay(UNAVAILABLE) == 5.0
    recovery.record_reply(progress=True)
    assert recovery.next_delay(UNAVAILABLE) == 0.2
    assert recovery.next_delay(failure(grpc.StatusCode.UNAVAILABLE, retry_after=30)) == 30
