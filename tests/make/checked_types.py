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
    for room in ("analysis", "binning", "embedding", "models", "plugins", "splice", "training")
}
PACKAGE = Path(next(iter(find_spec("nwbsparse").submodule_search_locations)))


def rooms():
    for path in PACKAGE.iterdir():
        if path.suffix == ".py" or (path / "__init__.py").exists():
            yield f"nwbsparse.{path.stem}"


def without_their_types():
    """Modules that name types which they import for pyright only: at run time they are not there."""
    for path in PACKAGE.rglob("*.py"):
        if "if TYPE_CHECKING:" in path.read_text(encoding="utf-8"):
            yield ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


install_import_hook(sorted(SHAPED), "beartype.beartype")
beartype_packages(
    sorted({*rooms()} - SHAPED - {"nwbsparse.__init__", "nwbsparse.__main__"}),
    conf=BeartypeConf(
        claw_is_pep526=False,  # local variables are left to pyright
        claw_skip_package_names=tuple(sorted(without_their_types())),
    ),
)
