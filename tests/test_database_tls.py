"""An exchange database whose certificate cannot be trusted is a wrong setting: nothing is sent."""

from __future__ import annotations

import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from transport_values import packs

from pusher.transport import Failure, TransportError
from pusher.transports.exchange_db import ExchangeSettings, ExchangeTransport

#: What a MySQL server says first, TLS among what it offers.
_GREETING = (
    b"\x0a8.0.0\x00" + struct.pack("<I", 1) + b"12345678\x00"
    + struct.pack("<HBHHB", 0xFFFF, 45, 2, 0xFFFF, 21) + bytes(10)
    + b"123456789012\x00mysql_native_password\x00"
)  # fmt: skip


def certificate(folder: Path, name: str, host: str) -> Path:
    """A self-signed certificate with its key in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    made = folder / f"{name}.pem"
    words = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", f"/CN={name}.invalid", "-addext",
        f"subjectAltName={host}", "-keyout", str(folder / "key"), "-out", str(folder / "crt"),
    ]  # fmt: skip
    subprocess.run(words, check=True, capture_output=True)
    made.write_text((folder / "crt").read_text() + (folder / "key").read_text())
    return made


@contextmanager
def server(kind: str, shown: Path) -> Iterator[tuple[int, list[bytes]]]:
    """A server of a kind that starts TLS and listens; its port, and what it heard after that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown)
    heard: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = listening.accept()
                with suppress(OSError), line:
                    if kind == "postgresql":
                        line.recv(8)  # SSLRequest
                        line.sendall(b"S")
                    else:
                        line.sendall(struct.pack("<I", len(_GREETING)) + _GREETING)
                        line.recv(36)  # the same wish
                    with context.wrap_socket(line, server_side=True) as safe:
                        heard.append(safe.recv(4096))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], heard
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


#: How a URL asks that the certificate be verified against a file.
ASKED = {
    "mysql": "mysql+pymysql://u@127.0.0.1:{port}/d?ssl_ca={trusted}&ssl_check_hostname=true",
    "postgresql": "postgresql+psycopg://u@127.0.0.1:{port}/d?sslmode=verify-full"
    "&sslrootcert={trusted}",
}


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", sorted(ASKED))
@pytest.mark.parametrize("wrong", ["unknown", "other-host"])
async def test_a_certificate_that_cannot_be_trusted(tmp_path: Path, kind: str, wrong: str) -> None:
    pytest.importorskip("pymysql" if kind == "mysql" else "psycopg")
    host = "DNS:elsewhere.invalid" if wrong == "other-host" else "IP:127.0.0.1"
    shown = certificate(tmp_path, "shown", host)
    trusted = shown if wrong == "other-host" else certificate(tmp_path, "trusted", host)
    with server(kind, shown) as (port, heard):
        url = ASKED[kind].format(port=port, trusted=trusted)
        with pytest.raises(TransportError) as caught:
            await ExchangeTransport(ExchangeSettings(url), packs()).open()
    assert caught.value.failure is Failure.CONFIGURATION, caught.value.detail
    assert "certificate" in caught.value.detail
    assert heard in ([], [b""]), "not a byte of ours"
