"""Certificates for tests: generated for this run, valid for 127.0.0.1."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)


@dataclass(frozen=True)
class Certificates:
    """PEM files.

    Attributes:
        ca: the root that signed both certificates.
        other_ca: an unrelated root.
        cert, key: the certificate and key of a server.
        client_cert, client_key: the certificate and key of a client.
        encrypted_key: `key`, encrypted with a password.

    """

    ca: Path
    other_ca: Path
    cert: Path
    key: Path
    client_cert: Path
    client_key: Path
    encrypted_key: Path


def make(folder: Path) -> Certificates:
    ca, other_ca = trustme.CA(), trustme.CA()
    server, client = ca.issue_cert("127.0.0.1", "localhost"), ca.issue_cert("client@example.org")
    made = Certificates(
        *(
            folder / f"{name}.pem"
            for name in ("ca", "other-ca", "cert", "key", "client-cert", "client-key", "encrypted-key")
        )
    )
    for pair, cert, key in ((server, made.cert, made.key), (client, made.client_cert, made.client_key)):
        pair.private_key_pem.write_to_path(key)
        cert.write_bytes(b"".join(blob.bytes() for blob in pair.cert_chain_pems))
    ca.cert_pem.write_to_path(made.ca)
    other_ca.cert_pem.write_to_path(made.other_ca)
    made.encrypted_key.write_bytes(
        load_pem_private_key(made.key.read_bytes(), None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        )
    )
    return made
