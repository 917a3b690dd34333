"""Command-line options from the ``Settings`` declaration, so that no setting is spelled twice."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any

from manymesh.errors import UsageError
from manymesh.settings import Settings


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Let a Typer command take every setting as an option: ``settings`` is replaced by one option a field.

    The command is called with the validated ``Settings``.
    """
    import typer

    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "settings"]
    options = []
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        flag = "--" + str(extra.get("flag", name)).replace("_", "-")
        kind, default = plain_type(field.annotation, field.default)
        declared = f"{flag}/--no-{flag[2:]}" if kind is bool and default is True else flag
        metavar = str(extra["metavar"]) if "metavar" in extra else None
        option = typer.Option(
            declared, help=field.description, metavar=metavar, show_default=default not in (None, [], False)
        )
        options.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])
        )

    shape = typer.Option("--shape", metavar="NAME", help="Short for --stage shape=NAME: inflate blows up the outline.")
    options.append(
        inspect.Parameter(
            "shape", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, shape]
        )
    )

    def wrapped(**given: Any) -> None:
        values = {name: given.pop(name) for name in Settings.model_fields}
        if named := given.pop("shape"):
            values["stages"] = [*values["stages"], f"shape={named}"]
        command(settings=build_settings(values), **given)

    signature = inspect.Signature([p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + options)
    wrapped.__signature__ = signature  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    wrapped.__doc__, wrapped.__name__ = command.__doc__, command.__name__
    return wrapped


def build_settings(values: dict[str, Any]) -> Settings:
    """Validated settings.

    Raises:
        UsageError: naming the setting, what it was and what it may be.
    """
    from pydantic import ValidationError

    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        field = Settings.model_fields.get(name)
        extra = field.json_schema_extra if field and isinstance(field.json_schema_extra, dict) else {}
        message = str(first["msg"]).removeprefix("Value error, ")
        raise UsageError(f"{str(extra.get('flag', name)).replace('_', '-')}: {message}") from None


def plain_type(annotation: Any, default: Any) -> tuple[Any, Any]:
    """The type and default of a field in plain values, as Typer and the HTTP API understand them."""
    origin = typing.get_origin(annotation)
    if origin is tuple:
        inner = typing.get_args(annotation)[0]
        # A closed list of words is written once, with commas; anything else is repeated.
        if typing.get_origin(inner) is typing.Literal:
            return str, ",".join(default)
        return list[str], list(default)
    if origin in (types.UnionType, typing.Union):
        inner = next(arg for arg in typing.get_args(annotation) if arg is not type(None))
        return inner | None, default
    return annotation, default
