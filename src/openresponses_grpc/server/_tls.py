"""TLS credentials from PEM files, checked so that what is wrong with a file is said before anyone connects."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import grpc

from ._expiry import expires_at


class CredentialsError(Exception):
    """A file with certificates or a key cannot be used; the text says which, and why."""


class ServerFiles(NamedTuple):
    """What was read from a server's files.

    Attributes:
        configuration: for gRPC.
        client_ca: whether it has roots of the clients' certificates.
        expires: when the first certificate of each file expires, in seconds since 1970.

    """

    configuration: grpc.ServerCertificateConfiguration
    client_ca: bool
    expires: Mapping[str, float]


def read_server_files(cert: Path, key: Path, client_ca: Path | None) -> ServerFiles:
    """Reads what a server shows its clients, and what it asks of them.

    Args:
        cert: the server's certificate, followed by those that lead to its root.
        key: its private key, not encrypted.
        client_ca: the roots of the certificates that every client must have; None asks for none.

    Raises:
        CredentialsError: a file cannot be used.

    """
    _check_pair(cert, key)
    certificates = {file: _read_certificates(file) for file in (cert, client_ca) if file}
    pair = _read(key), certificates[cert]
    roots = certificates[client_ca] if client_ca else None
    expires = {str(file): _expires_at(file, pem) for file, pem in certificates.items()}
    return ServerFiles(grpc.ssl_server_certificate_configuration([pair], roots), client_ca is not None, expires)


class ServerTLS:
    """A server's credentials, whose certificates can be replaced.

    Args:
        files: what was read.

    Attributes:
        credentials: for the server. Connections that are made later get what it was told to use last.
        expires: when the first certificate of each file expires, in seconds since 1970.

    """

    def __init__(self, files: ServerFiles) -> None:
        self.expires = files.expires
        self._new: grpc.ServerCertificateConfiguration | None = None
        self._lock = threading.Lock()
        self.credentials = grpc.dynamic_ssl_server_credentials(
            files.configuration,
            self._fetch,  # type: ignore[arg-type]  # it may return None, which means no change
            require_client_authentication=files.client_ca,
        )

    def use(self, files: ServerFiles) -> None:
        """Uses what was read for the connections to come."""
        with self._lock:
            self._new, self.expires = files.configuration, files.expires

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC, in a thread of its own, for each new connection."""
        with self._lock:
            new, self._new = self._new, None
        return new


def check_server_files(cert: Path, key: Path, client_ca: Path | None) -> None:
    """Checks the files of a server; the arguments and the errors are those of `read_server_files`."""
    _check_pair(cert, key)
    if client_ca:
        _read_certificates(client_ca)


def channel_credentials(
    ca: Path | None = None, cert: Path | None = None, key: Path | None = None
) -> grpc.ChannelCredentials:
    """What a client trusts, and what it shows a server that asks for a certificate.

    Args:
        ca: the roots to be trusted; None for those that come with gRPC.
        cert: the client's certificate, given together with `key`; None for none.
        key: its private key, not encrypted.

    Raises:
        CredentialsError: a file cannot be used.

    """
    roots = _read_certificates(ca) if ca else None
    if cert is None or key is None:
        return grpc.ssl_channel_credentials(roots)
    _check_pair(cert, key)
    return grpc.ssl_channel_credentials(roots, _read(key), _read(cert))


def _check_pair(cert: Path, key: Path) -> None:
    _read_certificates(cert)
    try:
        # An encrypted key is asked its password for, and there is none.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CredentialsError(f"the key in {key} is not that of the certificate in {cert}") from None
        raise CredentialsError(f"{key} has no private key in PEM that can be read without a password") from None
    except OSError as error:
        raise CredentialsError(f"{key} cannot be read: {error.strerror}") from None


def _read_certificates(path: Path) -> bytes:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise CredentialsError(f"{path} has no certificate in PEM") from None
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}") from None
    return _read(path)


def _expires_at(path: Path, pem: bytes) -> float:
    try:
        return expires_at(pem)
    except ValueError:
        raise CredentialsError(f"{path} has a certificate whose end cannot be read: make it anew") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}") from None
