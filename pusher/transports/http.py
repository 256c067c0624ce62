"""The HTTP transport: one batch, one POST under an idempotency key.

Every outcome is translated into the failure classes of `pusher.transport`; the line that matters is
between *surely not sent* (no connection), *surely without effect* (a full refusal) and *in doubt*
(anything after the first byte that is not a complete, fitting answer). It follows no redirect,
keeps no cookie, trusts no proxy of the environment and cannot be told to skip TLS verification.
It retries nothing by itself except the notice after a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

import orjson
from yarl import URL

from pusher.transport import (
    Awaited,
    Batch,
    Expected,
    Failure,
    Looked,
    Receipt,
    TransportError,
    VerdictPage,
)
from pusher.transports import answer as answers
from pusher.transports.answer import Reply
from pusher.transports.body import gzipped, json_body, xml_body
from pusher.transports.http_settings import HttpSettings
from pusher.transports.session import Session

__all__ = ["HttpSettings", "HttpTransport"]


class HttpTransport:
    """`pusher.transport.Transport` over HTTP; one session, opened once, closed once."""

    def __init__(
        self,
        settings: HttpSettings,
        *,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._clock = clock
        self._codes = {**answers.CODES, **settings.codes}
        self._session: Session | None = None

    @property
    def name(self) -> str:
        return "http"

    @property
    def certain(self) -> bool:
        return False

    @property
    def stream(self) -> bool:
        return True

    async def open(self) -> None:
        """Read the secrets, load the certificates, prepare the session. Sends nothing."""
        if self._session is None:
            self._session = Session(self._settings, self._environment, self._clock)

    async def close(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def send(self, batch: Batch) -> Sequence[Receipt]:
        """POST the batch; a receipt for every parcel or a TransportError."""
        settings = self._settings
        url = self._url(settings.send_path, standard=batch.standard, table=batch.table)
        body = json_body(batch) if settings.format == "json" else xml_body(batch)
        headers = {
            settings.key_header: batch.idempotency_key,
            "Content-Type": f"application/{settings.format}",
        }
        if settings.gzip_above is not None and len(body) > settings.gzip_above:
            body = gzipped(body)
            headers["Content-Encoding"] = "gzip"
        reply = await self._ready().exchange("POST", url, body=body, headers=headers)
        return self._receipts(reply, self._document(reply), batch)

    async def settle(self, batch: Batch) -> Sequence[Receipt] | None:
        """Ask for the batch; raises TransportError(IN_DOUBT) while doubt remains.

        None only when the target says, in the shape of our schema, that it does not hold it. Even
        then the batch must go out again unchanged under its own key, because a first copy may
        still be on its way.
        """
        settings = self._settings
        if not settings.batch_path:
            if settings.honours_key:
                return await self.send(batch)
            raise TransportError(
                Failure.IN_DOUBT, "no look-up", "the target neither honours keys nor can be asked"
            )
        url = self._url(settings.batch_path, batch=batch.id)
        reply = await self._ready().exchange("GET", url)
        if reply.status == 404:
            document = answers.document_of(reply)
            if answers.is_not_held(document) and document["batch"] == batch.id:
                return None
            raise TransportError(
                Failure.IN_DOUBT, "HTTP 404", "the target does not say that it lacks the batch"
            )
        if reply.status == 202:
            raise TransportError(
                Failure.IN_DOUBT,
                "HTTP 202",
                "the target is still working on the batch",
                retry_after=answers.retry_after(reply.headers, self._clock()),
            )
        try:
            document = self._document(reply)
        except TransportError as fault:
            if fault.failure in (Failure.THROTTLED, Failure.CONFIGURATION):
                raise
            raise TransportError(
                Failure.IN_DOUBT, fault.code, fault.detail, retry_after=fault.retry_after
            ) from fault
        return self._receipts(reply, document, batch)

    async def verdicts(
        self, standard: str, awaited: Sequence[Awaited], cursor: str | None
    ) -> VerdictPage:
        """The next page of the stream of `standard`; `awaited` is not looked at."""
        path = self._settings.verdicts_path
        if not path:
            return VerdictPage((), cursor, more=False)
        url = self._url(path, standard=standard)
        if cursor is not None:
            mark = "&" if "?" in str(url) else "?"
            url = URL(f"{url}{mark}after={quote(cursor, safe='')}", encoded=True)
        try:
            reply = await self._ready().exchange("GET", url)
            return answers.verdicts_of(self._document(reply), standard)
        except ValueError as fault:
            raise TransportError(
                Failure.ROLLED_BACK, f"HTTP {reply.status}", f"verdicts: {fault}"
            ) from fault
        except TransportError as fault:
            if fault.failure is not Failure.IN_DOUBT:
                raise
            raise TransportError(Failure.ROLLED_BACK, fault.code, fault.detail) from fault

    async def look_up(self, table: str, expected: Sequence[Expected]) -> Sequence[Looked]:
        """POST the keys, get the valid rows of each. A target that answers 404, 405 or 501 does not
        know this question."""
        standard, _, name = table.partition("/")
        if not self._settings.lookup_path:
            raise TransportError(Failure.CONFIGURATION, "no look-up", "lookup_path is empty")
        url = self._url(self._settings.lookup_path, standard=standard, table=name)
        body = orjson.dumps({"keys": [dict(entry.key) for entry in expected]})
        headers = {"Content-Type": "application/json"}
        reply = await self._ready().exchange("POST", url, body=body, headers=headers)
        if reply.status in (404, 405, 501):
            text = f"HTTP {reply.status}: the target cannot be asked what it holds"
            raise TransportError(Failure.CONFIGURATION, "no look-up", text)
        document = self._document(reply)
        try:
            return answers.looked_of(document, expected)
        except ValueError as fault:
            raise TransportError(
                Failure.ROLLED_BACK, f"HTTP {reply.status}", f"look-up: {fault}"
            ) from fault

    async def notify(self) -> None:
        """GET the notify address, with its own short retry. Raises TransportError for the log."""
        await self._ready().notify()

    def _receipts(self, reply: Reply, document: object, batch: Batch) -> tuple[Receipt, ...]:
        if document is None:
            raise TransportError(
                Failure.IN_DOUBT,
                f"HTTP {reply.status}",
                f"{len(reply.body)} bytes of {answers.media_type(reply)} instead of receipts",
            )
        try:
            return answers.receipts_of(document, batch, f"HTTP {reply.status}")
        except ValueError as fault:
            raise TransportError(Failure.IN_DOUBT, f"HTTP {reply.status}", str(fault)) from fault

    def _document(self, reply: Reply) -> object:
        """The document of an answer (None: it has none). Raises TransportError for a failure."""
        document = answers.document_of(reply)
        failure = answers.failure_of(
            reply,
            document,
            codes=self._codes,
            honours_key=self._settings.honours_key,
            code_member=self._settings.code_member,
            now=self._clock(),
        )
        if failure is None:
            return document
        redact = self._ready().redact
        raise TransportError(
            failure.failure,
            redact(failure.code),
            redact(failure.detail),
            retry_after=failure.retry_after,
        )

    def _url(self, path: str, **values: str) -> URL:
        return _address(self._settings.base_url, path, **values)

    def _ready(self) -> Session:
        if self._session is None:
            raise RuntimeError("the transport is not open")
        return self._session


@lru_cache(maxsize=512)
def _address(base: str, path: str, **values: str) -> URL:
    """The address of a path whose places are filled; a table has the same for every batch."""
    quoted = {name: quote(value, safe="") for name, value in values.items()}
    try:
        text = base.rstrip("/") + path.format_map(quoted)
    except (KeyError, ValueError, IndexError) as fault:
        raise TransportError(
            Failure.CONFIGURATION, "path", f"{path!r} has an unknown place"
        ) from fault
    return URL(text, encoded=True)
