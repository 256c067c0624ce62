"""Troubles of a night, each with one clear outcome; the table is docs/troubles.md."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import multiprocessing.connection
import os
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ledger_values import START, Time, record, world
from ledger_values import packs as small_packs

from pusher.delivery import Delivery, deliver
from pusher.ledger import LedgerError, enter, open_ledger
from pusher.retry import Schedule
from pusher.sandbox.guard import Demands
from pusher.sandbox.journal import repeats
from pusher.sandbox.script import Faults, Script
from pusher.sandbox.server import Sandbox, SandboxSettings
from pusher.states import State
from pusher.target import Target
from pusher.transports.http import HttpSettings, HttpTransport
from spgl.cli import Exit, main

ROOT = Path(__file__).parent.parent
HEAD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF,BZ\n"
HTML = b"<html><body>\xe8\xaf\xb7\xe7\x99\xbb\xe5\xbd\x95</body></html>"
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    (tmp_path / "in").mkdir()
    rows = "".join(f"a{n},990100,2401-990100-04-01-{n:06d},001,00101,2024,x\n" for n in range(1, 4))
    (tmp_path / "in" / "SPGL_XMBQXXB.csv").write_text(HEAD + rows, encoding="utf-8")
    return tmp_path


def configure(url: str, more: str = "") -> None:
    text = f'[target.t]\ntransport = "http"\nurl = "{url}"\nretry_schedule = [0.05]\n{more}'
    Path("spgl.toml").write_text(text, encoding="utf-8")


def push() -> int:
    return main(["push", "in", "--wait", "0", "-q"])


def standing(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    capsys.readouterr()
    main(["status", "--format", "json"])
    counts = json.loads(capsys.readouterr().out)["counts"]
    return {c["state"]: c["versions"] for c in counts}


def burnt(site: Path) -> int:
    ledger = open_ledger(site / ".spgl" / "ledger.db")
    rows = ledger.db.rows("SELECT COALESCE(MAX(burnt), 0) FROM batch")
    ledger.close()
    return int(rows[0][0])


@contextmanager
def server(
    answer: Callable[[str, str], Answer], context: ssl.SSLContext | None = None
) -> Iterator[str]:
    """A server that answers every request by `answer(method, path)`."""

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = answer(self.command, self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _any

        def log_message(self, *_: object) -> None: ...

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that trusts us not hangs up; that is the test."""

    running = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        running.socket = context.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{'http' if context is None else 'https'}://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        running.server_close()
        thread.join(10)


# -- the way to the target ---------------------------------------------------------------------


def closed_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


@pytest.mark.parametrize("url", ["http://no-such-host.invalid", closed_port()])
def test_no_name_or_nobody_there_leaves_all_queued(
    site: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    configure(url)
    assert push() == Exit.INCOMPLETE
    told = capsys.readouterr().out
    assert "last failure: unreachable: ClientConnector" in told
    assert "push incomplete; next due" in told
    assert standing(capsys) == {"queued": 3}
    assert burnt(site) == 0


@pytest.mark.parametrize("wrong", ["self-signed", "wrong-host", "expired"])
def test_a_certificate_that_cannot_be_trusted_sends_nothing(
    site: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    asked: list[str] = []

    def answer(method: str, path: str) -> Answer:
        asked.append(path)
        return 200, {}, b"{}"

    certificate, authority = certificates(site, wrong)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with server(answer, context) as url:
        configure(url, f'ca_file = "{authority}"\n' if authority else "")
        assert push() == Exit.UNUSABLE
    told = capsys.readouterr().out
    assert "target t is misconfigured; the push stopped and burnt no attempt" in told
    assert "configuration: certificate: the server's certificate cannot be trusted" in told
    reason = {
        "self-signed": "self-signed certificate",
        "wrong-host": "IP address mismatch",
        "expired": "certificate has expired",
    }
    assert reason[wrong] in told
    assert asked == [], "not one byte of a request left"
    assert standing(capsys) == {"queued": 3}
    assert burnt(site) == 0


def test_no_common_tls_is_like_nobody_there(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with server(lambda method, path: (200, {}, b"{}")) as url:  # speaks no TLS at all
        configure(url.replace("http://", "https://"))
        assert push() == Exit.INCOMPLETE
    told = capsys.readouterr().out
    assert "last failure: unreachable: ClientConnectorSSLError" in told
    assert standing(capsys) == {"queued": 3}
    assert burnt(site) == 0


def certificates(folder: Path, wrong: str) -> tuple[Path, Path | None]:
    """A certificate with its key, and the authority to trust (None: those of the system)."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    made = folder / "server.pem"
    host = "DNS:elsewhere.invalid" if wrong == "wrong-host" else "IP:127.0.0.1"
    days = ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"]
    if wrong != "expired":
        days = ["-days", "2"]
    words = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-subj", "/CN=test.invalid", "-addext", f"subjectAltName={host}",
        "-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt"), *days,
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode and wrong == "expired":
        # OpenSSL before 3.4 has no dates here: a certificate of its own authority, by `ca`
        _expired(folder)
    else:
        assert done.returncode == 0, done.stderr
    crt, key = (folder / f"server.{part}" for part in ("crt", "key"))
    made.write_text(crt.read_text() + key.read_text())
    return made, None if wrong == "self-signed" else crt


def _expired(folder: Path) -> None:
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index.txt\nserial={folder}/serial\n"
        f"new_certs_dir={folder}\ndefault_md=sha256\npolicy=p\nx509_extensions=e\n"
        "[p]\ncommonName=supplied\n[e]\nsubjectAltName=IP:127.0.0.1\nbasicConstraints=CA:true\n"
    )
    key, request = str(folder / "server.key"), str(folder / "server.csr")
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(
        [*new, "-subj", "/CN=test.invalid", "-keyout", key, "-out", request],
        check=True, capture_output=True,
    )  # fmt: skip
    sign = ["openssl", "ca", "-batch", "-selfsign", "-config", str(folder / "ca.cnf")]
    subprocess.run(
        [*sign, "-keyfile", key, "-in", request, "-out", str(folder / "server.crt"), "-notext",
         "-startdate", "20200101000000Z", "-enddate", "20200102000000Z"],
        check=True, capture_output=True,
    )  # fmt: skip


# -- strange answers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "place"), [(302, "/elsewhere"), (301, "http://127.0.0.1:9/plain"), (307, "/again")]
)
def test_a_redirect_stops_the_target_and_is_not_followed(
    site: Path, capsys: pytest.CaptureFixture[str], status: int, place: str
) -> None:
    asked: list[str] = []

    def answer(method: str, path: str) -> Answer:
        asked.append(f"{method} {path}")
        return status, {"Location": place}, b""

    with server(answer) as url:
        configure(url)
        assert push() == Exit.UNUSABLE
    told = capsys.readouterr().out
    assert "target t is misconfigured; the push stopped and burnt no attempt" in told
    assert f"HTTP {status}" in told
    assert asked == ["POST /api/v1/data-sharing-3.0/SPGL_XMBQXXB/records"]
    assert standing(capsys) == {"queued": 3}
    assert burnt(site) == 0


def test_a_login_page_with_status_200_is_a_doubt_that_stays(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(lambda method, path: (200, {"Content-Type": "text/html"}, HTML)) as url:
        configure(url)
        assert push() == Exit.INCOMPLETE
        told = capsys.readouterr().out
        assert "bytes of text/html instead of receipts" in told
        assert standing(capsys) == {"in_doubt": 3}
        assert push() == Exit.INCOMPLETE, "it is asked again, nothing is sent blindly"
        assert standing(capsys) == {"in_doubt": 3}


async def night(steps: tuple[str, ...], demands: Demands | None = None) -> tuple[Delivery, Sandbox]:
    script = Script(faults=Faults(steps={"send": steps}, retry_after=0.01))
    target = Target("national", wait=60.0, retry=Schedule((0.5,)))
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(Path(folder) / "ledger.db")
        enter(ledger, [record(f"p{n}") for n in range(3)], target, "r", START)
        async with Sandbox(SandboxSettings(demands=demands or Demands()), script) as sandbox:
            transport = HttpTransport(HttpSettings(sandbox.url))
            outer = world(Time())
            done = await deliver(ledger, target, transport, small_packs(), run_id="r", world=outer)
            ledger.audit()
        ledger.close()
    return done, sandbox


@pytest.mark.parametrize(
    "steps",
    [
        ("html",), ("missing",), ("unknown",), ("duplicate",), ("truncate",), ("reset-before",),
        ("reset-after",), ("gateway-after",), ("throttle", "unavailable"), ("500", "408", "425"),
        ("missing", "html", "truncate"),
    ],
)  # fmt: skip
def test_a_strange_answer_is_settled_and_everything_is_there_once(steps: tuple[str, ...]) -> None:
    done, sandbox = asyncio.run(night(steps))
    assert done.states == {State.ACCEPTED: 3}
    assert not done.incomplete
    assert repeats(sandbox.store.effects()) == []
    assert len(sandbox.store.held()) == 3


@pytest.mark.parametrize("refreshed", [True, False])
def test_an_expired_token_is_refreshed_once_then_the_target_stops(
    site: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    refreshed: bool,
) -> None:
    """The first token is never good; the second is, or is not either."""
    monkeypatch.setenv("SECRET", "s3cret-of-client")
    issued: list[str] = []

    def answer(method: str, path: str) -> Answer:
        if path == "/token":
            issued.append(f"token-{len(issued) + 1}")
            return 200, {}, json.dumps({"access_token": issued[-1]}).encode()
        if path.endswith("/verdicts"):
            return 200, {}, b'{"verdicts": [], "cursor": null, "more": false}'
        if len(issued) < 2 or not refreshed:
            return 401, {}, b""
        return 422, {}, b'{"detail": "refused"}'

    with server(answer) as url:
        more = f'token_url = "{url}/token"\nclient_id = "c"\ntoken_env = "SECRET"\n'
        configure(url, more)
        code = push()
    told = capsys.readouterr()
    assert len(issued) == 2, "one for the start, one for the refusal"
    assert code == (Exit.REFUSED if refreshed else Exit.UNUSABLE)
    assert ("misconfigured" in told.out) is not refreshed
    assert "token-1" not in told.out + told.err
    assert "s3cret" not in told.out + told.err
    assert standing(capsys) == ({"rejected": 3} if refreshed else {"queued": 3})


# -- the ledger --------------------------------------------------------------------------------


def test_a_disk_that_fills_up_is_one_line_and_the_next_run_goes_on(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(closed_port())
    assert push() == Exit.INCOMPLETE
    rows = "".join(
        f"b{n},990100,2401-990100-04-01-{n:06d},001,00101,2024,{'x' * 50}\n"
        for n in range(1000, 4000)
    )
    (site / "in" / "SPGL_XMBQXXB.csv").write_text(HEAD + rows, encoding="utf-8")
    size = (site / ".spgl" / "ledger.db").stat().st_size

    def tight() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 65_536, size + 65_536))

    done = subprocess.run(
        [sys.executable, "-m", "spgl", "push", "in", "--wait", "0", "-q"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "SPGL_LANG": "en"},
        preexec_fn=tight, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == Exit.UNUSABLE, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("spgl: reading or writing the ledger failed: "), done.stderr
    ledger = open_ledger(site / ".spgl" / "ledger.db")
    ledger.audit()
    ledger.close()
    assert push() == Exit.INCOMPLETE
    assert standing(capsys) == {"queued": 3003}, "nothing was lost, nothing entered twice"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_ledger_that_may_not_be_written_is_one_line(what: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "ledger.db"
        if what == "file":
            open_ledger(path).close()
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        child = context.Process(target=_as_nobody, args=(path, theirs))
        child.start()
        said = ours.recv() if ours.poll(60) else "nothing was said"
        child.join(60)
        assert said.startswith(f"ledger {path} cannot be used: ")
        assert "check its path, permissions and disk space" in said
        assert path.exists() is (what == "file")


def _as_nobody(path: Path, pipe: multiprocessing.connection.Connection) -> None:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    try:
        open_ledger(path)
    except LedgerError as fault:
        pipe.send(str(fault))
    else:
        pipe.send("it was opened")


def test_a_file_that_is_no_ledger_is_one_line(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(closed_port())
    (site / ".spgl").mkdir()
    (site / ".spgl" / "ledger.db").write_bytes(b"no database at all" * 100)
    assert push() == Exit.UNUSABLE
    said = capsys.readouterr().err
    assert "cannot be used: file is not a database" in said
    assert "Traceback" not in said
