"""The commands. Each is thin; heavy packages are imported when a command runs."""

from __future__ import annotations

from typing import Any

from cyclopts import App, Parameter

from nwbsparse.cli.commands.bundle import bundle
from nwbsparse.cli.commands.config import config
from nwbsparse.cli.commands.decode import decode
from nwbsparse.cli.commands.decoder_evaluate import evaluate as decoder_evaluate
from nwbsparse.cli.commands.decoder_fit import fit as decoder_fit
from nwbsparse.cli.commands.demo import demo
from nwbsparse.cli.commands.doctor import doctor
from nwbsparse.cli.commands.embed import embed
from nwbsparse.cli.commands.encode import encode
from nwbsparse.cli.commands.evaluate import evaluate
from nwbsparse.cli.commands.explain import explain
from nwbsparse.cli.commands.fit import fit
from nwbsparse.cli.commands.info import info
from nwbsparse.cli.commands.inspect import inspect
from nwbsparse.cli.commands.label import label
from nwbsparse.cli.commands.report import report
from nwbsparse.cli.commands.reproduce import reproduce
from nwbsparse.cli.commands.reproduce_paper import reproduce_paper
from nwbsparse.cli.commands.run import run
from nwbsparse.cli.commands.simulate import simulate
from nwbsparse.cli.commands.splice import splice
from nwbsparse.cli.commands.sweep import sweep
from nwbsparse.cli.commands.sweep_report import report as sweep_report
from nwbsparse.cli.commands.sweep_status import status as sweep_status
from nwbsparse.cli.commands.sweep_work import work as sweep_work
from nwbsparse.cli.commands.transfer import transfer
from nwbsparse.cli.commands.validate import validate
from nwbsparse.cli.commands.write import write
from nwbsparse.cli.help import GroupedHelp

BELOW = {sweep: (sweep_work, sweep_status, sweep_report)}
"""Commands that have others below them: ``nwbsparse sweep status DIR``."""
GROUPS = {
    "decoder": (
        "Decode trials with a network: what was shown or done.",
        (decoder_fit, decoder_evaluate),
    ),
}
"""Names that are no command themselves and have commands below them: ``nwbsparse decoder fit``."""
COMMANDS = (
    run,
    inspect,
    config,
    info,
    fit,
    embed,
    encode,
    evaluate,
    explain,
    decode,
    transfer,
    report,
    write,
    label,
    bundle,
    validate,
    doctor,
    reproduce,
    sweep,
    splice,
    reproduce_paper,
    simulate,
    demo,
)


def _version() -> str:
    from nwbsparse.schema import own_version  # with it comes xarray: --help must not wait for it

    return own_version()


app = App(
    name="nwbsparse",
    help="NWB in, sparse nameable latents out: what the populations in a recording represent.",
    version=_version,
    help_formatter=GroupedHelp(),
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,  # stopping has an exit code of its own
)
command: Any
for command in COMMANDS:
    if command not in BELOW:
        app.command(command)
        continue
    group = App(name=command.__name__, help_formatter=GroupedHelp(), version_flags=())
    group.default(command)
    for one in BELOW[command]:
        group.command(one)
    app.command(group)
for name, (words, below) in GROUPS.items():
    group = App(name=name, help=words, help_formatter=GroupedHelp(), version_flags=())
    for one in below:
        group.command(one)
    app.command(group)
