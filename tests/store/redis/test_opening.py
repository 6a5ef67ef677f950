"""Opening a Redis store: supported and rejected configurations."""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from openresponses_grpc.store import Append, OpenStoreError, StoreLimits, open_store
from openresponses_grpc.store.redis._setup import memory_problem, server_problem

from ...support.redis_server import RedisServer, running
from .streams import LIMITS, create, waiting_read


@pytest.mark.parametrize(
    "url, problem",
    [
        ("redis://127.0.0.1:{free}", "Connect call failed"),
        ("redis://:wrong@127.0.0.1:{port}", "AUTH"),
        ("redis://127.0.0.1:{port}?decode_responses=yes", "unknown option 'decode_responses'"),
        ("redis://127.0.0.1:{port}?ssl_ca_certs=/ca.pem", "unknown option 'ssl_ca_certs'"),
        ("redis://127.0.0.1:port", "invalid store URL"),
        ("redis+cluster://127.0.0.1:{port}", "This instance has cluster support disabled"),
        ("redis+cluster://127.0.0.1:{free}", "no node reports the slots: .*Connect call failed"),
        ("redis+cluster://127.0.0.1:{port}/1", "a Redis Cluster has one database"),
        ("redis://127.0.0.1:{node}", r"use redis\+cluster://"),
    ],
)
async def test_an_unsuitable_redis_url_is_rejected(
    redis_server: RedisServer, redis_cluster: list[RedisServer], unused_tcp_port: int, url: str, problem: str
) -> None:
    place = url.format(port=redis_server.port, node=redis_cluster[0].port, free=unused_tcp_port)
    with pytest.raises(OpenStoreError, match=problem):
        async with open_store(place, StoreLimits()):
            pass


@pytest.mark.parametrize(
    "info, cluster, problem",
    [
        ({"redis_version": "7.0.0", "cluster_enabled": "0"}, False, None),
        ({"redis_version": "10.1", "cluster_enabled": "1"}, True, None),
        ({"redis_version": "6.2.14", "cluster_enabled": "0"}, False, "has version 6.2.14; 7.0 or newer is required"),
    ],
)
def test_an_old_redis_is_rejected(info: dict[str, str], cluster: bool, problem: str | None) -> None:
    assert server_problem(info, cluster=cluster) == problem


@pytest.mark.parametrize(
    "info, problem",
    [
        ({}, False),
        ({"maxmemory": "0", "maxmemory_policy": "allkeys-lru"}, False),
        ({"maxmemory": "1", "maxmemory_policy": "noeviction"}, False),
        ({"maxmemory": "1", "maxmemory_policy": "allkeys-lru"}, True),
        ({"maxmemory": "1", "maxmemory_policy": "volatile-ttl"}, True),
    ],
)
def test_an_eviction_policy_with_maxmemory_is_rejected(info: dict[str, str], problem: bool) -> None:
    assert bool(memory_problem(info)) == problem


@pytest.mark.parametrize("limits", [StoreLimits(max_bytes=1), StoreLimits(max_streams=1)])
async def test_limits_that_redis_enforces_itself_are_rejected(redis_url: str, limits: StoreLimits) -> None:
    with pytest.raises(OpenStoreError, match="does not apply"):
        async with open_store(redis_url, limits):
            pass


async def test_a_redis_user_needs_channel_access_but_not_config(redis: Any, redis_server: RedisServer) -> None:
    await redis.execute_command("ACL SETUSER app reset on >secret ~openresponses:* +@all -@dangerous +info")
    url = f"redis://app:secret@127.0.0.1:{redis_server.port}"
    with pytest.raises(OpenStoreError, match="channel"):
        async with open_store(url, LIMITS):
            pass
    await redis.execute_command("ACL SETUSER app &openresponses:*")
    async with open_store(url, LIMITS) as store:
        reader = waiting_read(store)
        async with store.publishing("s", await create(store)):
            await store.append(Append("s", [b"a"]))
        assert list((await reader).events) == [b"a"]
    await redis.execute_command("ACL DELUSER app")


async def test_without_redis_py_the_error_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("openresponses_grpc.store.redis")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(OpenStoreError, match="with the extra redis"):
        async with open_store("redis://127.0.0.1", StoreLimits()):
            pass


async def test_redis_over_a_unix_socket(redis_server: RedisServer, redis: Any) -> None:
    async with open_store(f"unix://{redis_server.socket}", LIMITS) as store:
        reader = waiting_read(store)
        await store.append(Append("s", [b"a"]))
        assert list((await reader).events) == [b"a"]


async def test_redis_over_tls(tmp_path: Path, unused_tcp_port_factory: Callable[[], int]) -> None:
    ca, port = trustme.CA(), unused_tcp_port_factory()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = ca.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    tls = ("--tls-port", str(port), "--tls-auth-clients", "no")
    files = (f"--tls-{kind}-file" for kind in ("ca-cert", "cert", "key"))
    names = (str(tmp_path / name) for name in ("ca.pem", "cert.pem", "key.pem"))
    options = itertools.chain(tls, *zip(files, names, strict=True))
    with running(RedisServer(tmp_path, unused_tcp_port_factory(), *options)):
        url = f"rediss://127.0.0.1:{port}"
        async with open_store(f"{url}?ssl_ca_certs={tmp_path}/ca.pem", LIMITS) as store:
            reader = waiting_read(store)
            await store.append(Append("s", [b"a"]))
            assert list((await reader).events) == [b"a"]
        with pytest.raises(OpenStoreError, match="certificate verify failed"):
            async with open_store(url, LIMITS):
                pass
