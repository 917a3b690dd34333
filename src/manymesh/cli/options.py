"""Command-line options from the ``Settings`` declaration, so that no setting is spelled twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from manymesh.settings import Settings, build_settings, plain_type


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
        values = {name: readable(given.pop(name)) for name in Settings.model_fields}
        if named := given.pop("shape"):
            values["stages"] = [*values["stages"], f"shape={named}"]
        command(settings=build_settings(values), **given)

    signature = inspect.Signature([p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + options)
    wrapped.__signature__ = signature  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    wrapped.__doc__, wrapped.__name__ = command.__doc__, command.__name__
    return wrapped


def readable(value: Any) -> Any:
    """A text, or texts in a list, as UTF-8 where the terminal's encoding could not hold them (LC_ALL=C, say).

    Python keeps such bytes of an argument as surrogates, which no settings and no JSON file may hold.
    """
    if isinstance(value, list):
        return [readable(item) for item in value]
    if isinstance(value, str) and any("\udc80" <= character <= "\udcff" for character in value):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value
