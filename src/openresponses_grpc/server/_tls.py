"""TLS credentials from PEM files, validated at start instead of at the first connection."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import grpc

from ._expiry import expires_at


class CredentialsError(Exception):
    """A certificate or key file cannot be used; the text says which and why."""


class ServerFiles(NamedTuple):
    """The contents of a server's files.

    Attributes:
        configuration: gRPC's configuration.
        client_ca: whether clients need a certificate.
        expires: the Unix time at which the first certificate of each file expires.

    """

    configuration: grpc.ServerCertificateConfiguration
    client_ca: bool
    expires: Mapping[str, float]


def read_server_files(cert: Path, key: Path, client_ca: Path | None) -> ServerFiles:
    """Reads a server's certificate and key, and the CA of its clients.

    Args:
        cert: the server's certificate, followed by its intermediate certificates.
        key: its private key, unencrypted.
        client_ca: the root certificates for client certificates, which are then required; None requires none.

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
    """A server's credentials, with replaceable certificates.

    Args:
        files: the initial files.

    Attributes:
        credentials: the credentials for gRPC. New connections use the latest files.
        expires: the Unix time at which the first certificate of each file expires.

    """

    def __init__(self, files: ServerFiles) -> None:
        self.expires = files.expires
        self._new: grpc.ServerCertificateConfiguration | None = None
        self._lock = threading.Lock()
        self.credentials = grpc.dynamic_ssl_server_credentials(
            files.configuration,
            self._fetch,  # type: ignore[arg-type]  # None means no change
            require_client_authentication=files.client_ca,
        )

    def use(self, files: ServerFiles) -> None:
        """Uses these files for new connections."""
        with self._lock:
            self._new, self.expires = files.configuration, files.expires

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC for each new connection, in a gRPC thread."""
        with self._lock:
            new, self._new = self._new, None
        return new


def check_server_files(cert: Path, key: Path, client_ca: Path | None) -> None:
    """Validates a server's files; arguments and errors are those of `read_server_files`."""
    _check_pair(cert, key)
    if client_ca:
        _read_certificates(client_ca)


def channel_credentials(
    ca: Path | None = None, cert: Path | None = None, key: Path | None = None
) -> grpc.ChannelCredentials:
    """Returns the TLS credentials of a client.

    Args:
        ca: the trusted root certificates; None for gRPC's defaults.
        cert: the client's certificate, given together with `key`; None for none.
        key: its private key, unencrypted.

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
        # The empty password makes an encrypted key fail instead of prompting.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CredentialsError(f"the key in {key} does not match the certificate in {cert}") from None
        raise CredentialsError(f"{key} contains no unencrypted PEM private key") from None
    except OSError as error:
        raise CredentialsError(f"{key} cannot be read: {error.strerror}") from None


def _read_certificates(path: Path) -> bytes:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise CredentialsError(f"{path} contains no PEM certificate") from None
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}") from None
    return _read(path)


def _expires_at(path: Path, pem: bytes) -> float:
    try:
        return expires_at(pem)
    except ValueError:
        raise CredentialsError(f"{path} contains a certificate with an invalid expiry: issue it again") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}") from None
