"""Types are checked while tests run: to be imported before anything of nwbsparse is.

Rooms that state the shapes of arrays are checked by jaxtyping, whose bookkeeping costs more than many a
function that it wraps; the others by beartype alone.
"""

from importlib.util import find_spec
from pathlib import Path

from beartype import BeartypeConf
from beartype.claw import beartype_packages
from jaxtyping import install_import_hook

SHAPED = {
    f"nwbsparse.{room}"
    for room in ("analysis", "binning", "embedding", "models", "plugins", "training")
}


def _rooms():
    (package,) = find_spec("nwbsparse").submodule_search_locations
    for path in Path(package).iterdir():
        if path.suffix == ".py" or (path / "__init__.py").exists():
            yield f"nwbsparse.{path.stem}"


install_import_hook(sorted(SHAPED), "beartype.beartype")
# local variables are left to pyright
beartype_packages(
    sorted({*_rooms()} - SHAPED - {"nwbsparse.__init__", "nwbsparse.__main__"}),
    conf=BeartypeConf(claw_is_pep526=False),
)
