"""``nwbsparse``: the command line, and what it says when something goes wrong."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Any

INTERRUPTED = 4


def main(tokens: Sequence[str] | None = None) -> None:
    """Run a command and leave with 0 (ok), 2 (bad input), 3 (environment), 4 (stopped), 5 (damage).

    Exit code 1 is a bug of ours and nothing else.
    """
    sys.exit(_run(sys.argv[1:] if tokens is None else tokens))


def _run(tokens: Sequence[str]) -> int:
    from cyclopts import CycloptsError

    from nwbsparse.cli.app import app
    from nwbsparse.cli.options import with_config_file
    from nwbsparse.errors import Interrupted, NwbsparseError

    def stop(number: int, _frame: Any) -> None:
        raise Interrupted(f"stopped by {signal.Signals(number).name}; nothing was half written")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        app(with_config_file(tokens), exit_on_error=False, print_error=True)
    except CycloptsError:
        return 2
    except NwbsparseError as error:
        sys.stderr.write(f"nwbsparse: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("nwbsparse: stopped; nothing was half written\n")
        return INTERRUPTED
    except MemoryError as error:
        sys.stderr.write(
            f"nwbsparse: not enough memory ({error}); use wider bins or fewer latents\n"
        )
        return 3
    except BrokenPipeError:  # the reader of a pipe had enough
        sys.stderr.close()
        return 0
    except Exception:
        traceback.print_exc()
        sys.stderr.write(
            "nwbsparse: this is a bug; please report it with the lines above and `nwbsparse info`\n"
        )
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


if __name__ == "__main__":
    main()
