"""Types are checked while tests run: to be imported before anything of nwbsparse is.

Rooms that state the shapes of arrays are checked by jaxtyping, whose bookkeeping costs more than many a
function that it wraps; the others by beartype alone.
"""

from importlib.util import find_spec
from pathlib import Path

from beartype import BeartypeConf
from beartype.claw import beartype_packages
from jaxtyping import install_import_hook

SHAPED = ("analysis", "binning", "embedding", "models", "plugins", "splice", "training")
PACKAGE = Path(next(iter(find_spec("nwbsparse").submodule_search_locations)))


def others():
    """Modules of the other rooms, but for those that import types for pyright alone."""
    for path in PACKAGE.rglob("*.py"):
        room, *_ = path.relative_to(PACKAGE).with_suffix("").parts
        for_pyright = "if TYPE_CHECKING:" in path.read_text(encoding="utf-8")
        if room not in SHAPED and not path.stem.startswith("__") and not for_pyright:
            yield ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


install_import_hook([f"nwbsparse.{room}" for room in SHAPED], "beartype.beartype")
# local variables are left to pyright
beartype_packages(sorted(others()), conf=BeartypeConf(claw_is_pep526=False))
