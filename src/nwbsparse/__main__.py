"""``nwbsparse``: the command line, and what it says when something goes wrong."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Any

INTERRUPTED = 4
AGAIN = 5.0
"""Seconds after which a stop is raised once more, should a library have swallowed it."""


class _Stopped(KeyboardInterrupt):
    """Stopped by a signal; no ``except Exception`` on the way up may catch it."""


def main(tokens: Sequence[str] | None = None) -> None:
    """Run a command and leave with 0 (ok), 2 (bad input), 3 (environment), 4 (stopped), 5 (damage).

    Exit code 1 is a bug of ours and nothing else.
    """
    sys.exit(_run(sys.argv[1:] if tokens is None else tokens))


def _run(tokens: Sequence[str]) -> int:
    from cyclopts import CycloptsError

    from nwbsparse.cli.app import app
    from nwbsparse.cli.options import with_config_file
    from nwbsparse.errors import NwbsparseError
    from nwbsparse.io.pynwb_cache import do_without_broken_cache

    def stop(_number: int, _frame: Any) -> None:
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, stop)
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        raise _Stopped("stopped by SIGTERM")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        do_without_broken_cache()
        app(with_config_file(tokens), exit_on_error=False, print_error=True)
    except CycloptsError:
        return 2
    except NwbsparseError as error:
        sys.stderr.write(f"nwbsparse: {error}\n")
        return error.exit_code
    except KeyboardInterrupt as stopped:
        sys.stderr.write(f"nwbsparse: {str(stopped) or 'stopped'}; nothing was half written\n")
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
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGTERM, before)
    return 0


if __name__ == "__main__":
    main()
