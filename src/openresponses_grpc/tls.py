"""TLS credentials from PEM files, checked so that what is wrong with a file is said before anyone connects."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc


class CredentialsError(Exception):
    """A file with certificates or a key cannot be used; the text says which, and why."""


def server_credentials(cert: Path, key: Path, client_ca: Path | None) -> grpc.ServerCredentials:
    """What a server shows its clients, and what it asks of them.

    Args:
        cert: the server's certificate, followed by those that lead to its root.
        key: its private key, not encrypted.
        client_ca: the roots of the certificates that every client must have; None asks for none.

    Raises:
        CredentialsError: a file cannot be used.

    """
    check_server_files(cert, key, client_ca)
    roots = client_ca.read_bytes() if client_ca else None
    return grpc.ssl_server_credentials(
        [(key.read_bytes(), cert.read_bytes())], root_certificates=roots, require_client_auth=roots is not None
    )


def check_server_files(cert: Path, key: Path, client_ca: Path | None) -> None:
    """Checks the files of a server; the arguments and the errors are those of `server_credentials`."""
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
    return grpc.ssl_channel_credentials(roots, key.read_bytes(), cert.read_bytes())


def _check_pair(cert: Path, key: Path) -> None:
    _read_certificates(cert)
    try:
        # An encrypted key is asked its password for, and there is none.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CredentialsError(f"the key in {key} is not that of the certificate in {cert}") from None
        raise CredentialsError(f"{key} has no private key in PEM that can be read without a password") from None


def _read_certificates(path: Path) -> bytes:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise CredentialsError(f"{path} has no certificate in PEM") from None
    return path.read_bytes()
