"""Commands about files that others get, or that broke: bundle, validate, doctor, reproduce."""

from __future__ import annotations

from nwbsparse.cli.commands.bundle import bundle
from nwbsparse.cli.commands.doctor import doctor
from nwbsparse.cli.commands.reproduce import reproduce
from nwbsparse.cli.commands.validate import validate

COMMANDS = (bundle, validate, doctor, reproduce)
