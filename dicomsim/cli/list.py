"""`dicomsim list`: what scenarios there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from dicomsim.cli.options import example
from dicomsim.scenario.finding import find_scenarios

if TYPE_CHECKING:
    from dicomsim.scenario.model import Scenario


@click.command("list", epilog=example("dicomsim list", "dicomsim list ps3.8/9.3 --json"))
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one list.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of scenario files instead, for editors.")
def command(paths: tuple[str, ...], as_json: bool, schema: bool) -> int:
    """List scenarios: id, level, the role that dicomsim plays, and the requirement on the peer.

    PATH is a file, a folder, or the id (or its beginning) of a scenario that is shipped; all of these if there is none.
    """
    if schema:
        from dicomsim.scenario.schema import schema_text

        click.echo(schema_text(), nl=False)
        return 0
    from dicomsim.scenario.loader import load
    from dicomsim.scenario.source import ScenarioError

    scenarios: list[Scenario] = []
    code = 0
    for path in find_scenarios(paths):
        try:
            scenarios.append(load(path).scenario)
        except ScenarioError as error:
            click.echo(str(error), err=True)
            code = error.exit_code
    if as_json:
        fields = {"id", "level", "role", "requirement", "clause", "tags"}
        click.echo(json.dumps([each.model_dump(include=fields) for each in scenarios], indent=2, ensure_ascii=False))
    elif scenarios:
        _print_table(scenarios)
    return code


def _print_table(scenarios: list[Scenario]) -> None:
    from rich.console import Console
    from rich.table import Table

    rows = [(each.id, each.level, each.role, each.requirement) for each in scenarios]
    console = Console(highlight=False)
    if not console.is_terminal:  # a line each, for other programs
        width = max(len(row[0]) for row in rows)
        for name, level, role, requirement in rows:
            click.echo(f"{name:{width}}  {level:8}  {role:9}  {requirement}")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "level", "role"):
        table.add_column(name, no_wrap=True)
    table.add_column("requirement on the peer")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(f"{len(rows)} scenarios", style="dim")
