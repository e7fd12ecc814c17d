"""``grader token`` and ``grader webhook``: who may talk to the service, and whom it talks to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, cast, get_args

import msgspec
import typer

from grader import show
from grader.delivery.address import target
from grader.exits import exits
from grader.settings import Settings
from grader.store import Store, open_store, tokens, webhooks
from grader.store.audit import COMMAND_LINE
from grader.store.database import migrate
from grader.store.tables import Role
from grader.store.webhooks import EVENTS, Delivery, Endpoint, Event

token_app = typer.Typer(help="Who may talk to the service.", no_args_is_help=True)
webhook_app = typer.Typer(help="Where a course's events are sent.", no_args_is_help=True)


@token_app.command(name="create")
def create_token(
    role: Annotated[str, typer.Option(help=f"one of {', '.join(get_args(Role))}")],
    name: Annotated[str, typer.Option(help="whose it is, for lists and the audit log")],
    course: Annotated[str | None, typer.Option(help="the only course that it opens; all without")] = None,
) -> None:
    """Make a token and print it; it is told once, the database keeps only its hash."""
    with exits(), _store() as store:
        if role not in get_args(Role):
            raise typer.BadParameter(f"{role} is no role: use one of {', '.join(get_args(Role))}")
        with store.write() as session:
            made = tokens.create(session, cast(Role, role), name, course)
        typer.echo(made)


@token_app.command(name="list")
def list_tokens(
    *, as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False
) -> None:
    """List the tokens by their public beginnings."""
    with exits(), _store() as store, store.read() as session:
        found = tokens.listed(session)
        if as_json:
            _print_json(found)
            return
        show.print_rows(
            (
                one.prefix,
                one.role,
                one.course or "every course",
                one.name,
                "revoked" if one.revoked_at else "",
            )
            for one in found
        )


@token_app.command(name="revoke")
def revoke_token(
    prefix: Annotated[str, typer.Argument(help="the token's beginning without gr_, as `token list` says")],
) -> None:
    """Make a token worthless, at once and for ever."""
    with exits(), _store() as store, store.write() as session:
        revoked = tokens.revoke(session, prefix)
        typer.echo(f"{revoked.prefix} ({revoked.name}) opens nothing more")


@webhook_app.command(name="create")
def create_webhook(
    course: Annotated[str, typer.Argument(help="the course whose events are sent")],
    url: Annotated[str, typer.Argument(help="where to: https, a public address")],
    event: Annotated[list[str] | None, typer.Option(help=f"of {', '.join(EVENTS)}; all without")] = None,
) -> None:
    """Have a course's events sent; prints id and signing secret, which is told once."""
    with exits():
        settings = Settings()
        tokens.check_course(course)
        target(url, local=settings.webhook_local)
        events = event or list(EVENTS)
        unknown = [name for name in events if name not in EVENTS]
        if unknown:
            raise typer.BadParameter(f"{unknown[0]} is no event: use {', '.join(EVENTS)}")
        with _store() as store, store.write() as session:
            made, secret = webhooks.create(session, course, url, cast(list[Event], events), by=COMMAND_LINE)
        typer.echo(f"{made.id} {secret}")


@webhook_app.command(name="list")
def list_webhooks(
    course: Annotated[str, typer.Argument(help="the course")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """List a course's webhooks, without their secrets."""
    with exits(), _store() as store, store.read() as session:
        found = webhooks.listed(session, course)
        if as_json:
            _print_json(found)
            return
        show.print_rows((one.id, one.url, ", ".join(one.events), _trouble(one)) for one in found)


def _trouble(one: Endpoint) -> str:
    if one.disabled_at is not None:
        return "its receiver is gone"
    return f"{one.failed} events given up" if one.failed else ""


@webhook_app.command(name="delete")
def delete_webhook(
    course: Annotated[str, typer.Argument(help="the course")],
    webhook: Annotated[str, typer.Argument(help="its id, as `webhook list` says")],
) -> None:
    """Send nothing more there, what still waits included."""
    with exits(), _store() as store, store.write() as session:
        webhooks.remove(session, course, webhook, by=COMMAND_LINE)


@webhook_app.command(name="deliveries")
def list_deliveries(
    course: Annotated[str, typer.Argument(help="the course")],
    webhook: Annotated[str, typer.Argument(help="its id, as `webhook list` says")],
    *,
    failed: Annotated[bool, typer.Option("--failed", help="only the events that were given up")] = False,
    limit: Annotated[int, typer.Option(min=1, help="so many, the newest")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """List what was sent, or is to be sent, newest first, with its last try."""
    with exits(), _store() as store, store.read() as session:
        found = webhooks.deliveries(session, course, webhook, limit=limit, state="failed" if failed else None)
        if as_json:
            _print_json(found)
            return
        show.print_rows(
            (one.id, one.event, one.state, f"{len(one.tries)} tries", _last_answer(one)) for one in found
        )


def _last_answer(one: Delivery) -> str:
    if not one.tries:
        return ""
    last = one.tries[-1]
    return last.error or str(last.status)


@webhook_app.command(name="send-again")
def send_again(
    course: Annotated[str, typer.Argument(help="the course")],
    webhook: Annotated[str, typer.Argument(help="its id, as `webhook list` says")],
    delivery: Annotated[
        list[str] | None, typer.Argument(help="ids, as `webhook deliveries --failed` says", metavar="[ID]…")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="every event that was given up")] = False,
) -> None:
    """Send events again that were given up, each under its webhook-id."""
    with exits():
        if every == bool(delivery):
            raise typer.BadParameter("say either which events, or --all")
        with _store() as store, store.write() as session:
            for one in delivery or ():
                webhooks.send_again(session, course, webhook, one, by=COMMAND_LINE)
            count = (
                webhooks.send_all_again(session, course, webhook, by=COMMAND_LINE)
                if every
                else len(delivery or ())
            )
        typer.echo(f"events that are sent again: {count}")


@contextmanager
def _store() -> Iterator[Store]:
    """The service's store, brought to this version's schema."""
    store = open_store(Settings())
    try:
        migrate(store.engine)
        yield store
    finally:
        store.close()


def _print_json(found: Iterable[msgspec.Struct]) -> None:
    for one in found:
        typer.echo(msgspec.json.encode(one).decode())
