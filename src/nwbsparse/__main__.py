"""``nwbsparse``: the command line, and what it says when something goes wrong."""

from __future__ import annotations

import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

INTERRUPTED = 4
AGAIN = 5.0
"""Seconds after which a stop is raised once more, should a library have swallowed it."""

_AS_EVER = warnings.formatwarning


class _Stopped(KeyboardInterrupt):
    """Stopped by a signal; no ``except Exception`` on the way up may catch it."""


def main(tokens: Sequence[str] | None = None) -> None:
    """Run a command and leave with 0 (ok), 2 (bad input), 3 (environment), 4 (stopped), 5 (damage).

    Exit code 1 is a bug of ours and nothing else.
    """
    sys.exit(_run(sys.argv[1:] if tokens is None else tokens))


def _one_line(message: Any, category: type[Warning], *place: Any, **more: Any) -> str:
    """A warning of ours without the line of code that it was raised in."""
    if category.__module__ == "nwbsparse.errors":
        return f"nwbsparse: {message}\n"
    return _AS_EVER(message, category, *place, **more)


def _run(tokens: Sequence[str]) -> int:
    from cyclopts import CycloptsError

    from nwbsparse.cli.app import app
    from nwbsparse.cli.former_flags import with_new_flags
    from nwbsparse.cli.options import with_config_file
    from nwbsparse.errors import NwbsparseError
    from nwbsparse.io.pynwb_cache import do_without_broken_cache

    asked: list[int] = []

    def stop(number: int, _frame: Any) -> None:
        asked.append(number)
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, stop)
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        raise _Stopped("stopped by SIGTERM" if asked[0] == signal.SIGTERM else "stopped")

    # who started us in the background may have had Ctrl-C ignored: so it stays
    heard = [signal.SIGTERM]
    heard += [signal.SIGINT] if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN else []
    before = {number: signal.signal(number, stop) for number in heard}
    unheard = sys.unraisablehook

    def swallowed(what: Any) -> None:
        if not isinstance(what.exc_value, _Stopped):  # it is raised once more
            unheard(what)

    sys.unraisablehook = swallowed
    warnings.formatwarning = _one_line
    try:
        do_without_broken_cache()
        app(with_config_file(with_new_flags(tokens)), exit_on_error=False, print_error=True)
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
        sys.unraisablehook = unheard
        warnings.formatwarning = _AS_EVER
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


if __name__ == "__main__":
    main()
