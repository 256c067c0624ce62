"""Settings of a target → what the pusher needs: its limits and its transport."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from pusher.inbound import Inbox
    from pusher.target import Target
    from pusher.transport import Transport
    from pusher.transports.exchange_settings import ExchangeSettings
    from validator.pack import Packs


def target_of(name: str, settings: Mapping[str, object], *, wait: float, keep_days: int) -> Target:
    """The limits and retry schedule of a configured target. `wait` in seconds."""
    from pusher.retry import Schedule
    from pusher.target import Target

    steps = cast("list[float]", settings["retry_schedule"])
    return Target(
        name=name,
        batch_records=int(str(settings["batch_records"])),
        batch_bytes=int(str(settings["batch_bytes"])),
        concurrency=int(str(settings["concurrency"])),
        rate=float(str(settings["rate"] or 0)),
        retry_budget=float(str(settings["retry_budget"])),
        timeout=float(str(settings["timeout"])),
        wait=wait,
        parent_status=cast('Literal["delivered", "accepted"]', settings["parent_status"]),
        retry=Schedule(
            steps=tuple(float(s) for s in steps),
            attempts=int(str(settings["retry_attempts"])),
            days=float(str(settings["retry_days"])),
        ),
        keep_content_days=keep_days,
    )


def transport_of(settings: Mapping[str, object], packs: Packs) -> Transport:
    """The transport of a configured target."""
    if settings["transport"] == "http":
        return _http(settings)
    return _exchange(settings, packs)


def inbox_of(settings: Mapping[str, object], packs: Packs) -> Inbox | None:
    """Where a configured target writes rows for us; None where its packs have no such tables, or it
    is no exchange database."""
    if settings["transport"] != "exchange_db":
        return None
    from pusher.transports.exchange_inbox import ExchangeInbox, inbound_tables

    if not inbound_tables(packs):
        return None
    return ExchangeInbox(exchange_settings(settings), packs)


def _http(settings: Mapping[str, object]) -> Transport:
    from pusher.transports.http import HttpTransport
    from pusher.transports.http_settings import HttpSettings

    return HttpTransport(
        HttpSettings(
            base_url=str(settings["url"]),
            format="xml" if settings["format"] == "xml" else "json",
            token_env=_text(settings, "token_env"),
            token_file=_path(settings, "token_file"),
            token_url=_text(settings, "token_url"),
            client_id=_text(settings, "client_id") or "",
            token_scope=_text(settings, "token_scope") or "",
            hmac_env=_text(settings, "hmac_env"),
            hmac_file=_path(settings, "hmac_file"),
            hmac_id=str(settings["hmac_id"]),
            client_cert=_path(settings, "client_cert"),
            client_key=_path(settings, "client_key"),
            client_key_env=_text(settings, "client_key_env"),
            ca_file=_path(settings, "ca_file"),
            read_timeout=float(str(settings["timeout"])),
            total_timeout=float(str(settings["timeout"])),
            connections=int(str(settings["concurrency"])),
            notify_url=_text(settings, "notify_url"),
        )
    )


def exchange_settings(settings: Mapping[str, object]) -> ExchangeSettings:
    """Settings of the exchange database of a target; a file takes one writer, a server several."""
    from pusher.transports.exchange_settings import ExchangeSettings

    extra = cast("Mapping[str, str]", settings["extra_columns"])
    url = str(settings["url"])
    return ExchangeSettings(
        url=url,
        password_env=_text(settings, "password_env"),
        password_file=_path(settings, "password_file"),
        schema=_text(settings, "schema"),
        prefix=str(settings["table_prefix"]),
        suffix=str(settings["table_suffix"]),
        city_prefix=_text(settings, "city_prefix") or "",
        table_case="lower" if settings["table_case"] == "lower" else "upper",
        column_case="lower" if settings["column_case"] == "lower" else "upper",
        extra=dict(extra),
        accepted_at=3 if settings["accepted_at"] == 3 else 1,
        connections=1 if url.startswith("sqlite") else int(str(settings["concurrency"])),
        lock_timeout=float(str(settings["lock_timeout"])),
        fence_table=_text(settings, "fence_table"),
        total_timeout=float(str(settings["timeout"])),
        notify_url=_text(settings, "notify_url"),
        token_env=_text(settings, "token_env"),
        token_file=_path(settings, "token_file"),
    )


def _exchange(settings: Mapping[str, object], packs: Packs) -> Transport:
    from pusher.transports.exchange_db import ExchangeTransport

    return ExchangeTransport(exchange_settings(settings), packs)


def _text(settings: Mapping[str, object], name: str) -> str | None:
    value = settings.get(name)
    return str(value) if value else None


def _path(settings: Mapping[str, object], name: str) -> Path | None:
    value = settings.get(name)
    return Path(str(value)) if value else None
