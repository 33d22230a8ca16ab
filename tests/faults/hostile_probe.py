"""Run every verb that opens files on one file, under a limit of memory; nothing may run or be sent.

``python hostile_probe.py FILE BYTES SECONDS`` prints one line per verb: ``:: verb refused|ok …``. Anything
but a refusal of ours ends it with an error, and so does unpickling or starting a program. The bytes are
those beyond what the libraries reserve; the memory printed is what was used beyond theirs.
"""

import resource
import signal
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

path, limit, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

import h5py  # noqa: E402, F401
import pynwb  # noqa: E402, F401  (its own cache of types is a pickle: loaded before the watch begins)

import nwbsparse  # noqa: E402
from nwbsparse.analysis import explain  # noqa: E402, F401
from nwbsparse.errors import NwbsparseError  # noqa: E402
from nwbsparse.share.doctor import doctor  # noqa: E402
from nwbsparse.share.validate import validate  # noqa: E402
from nwbsparse.views.report import report as _  # noqa: E402, F401

FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect")
watched = []


def watch(event, arguments):
    if event.startswith(FORBIDDEN):
        watched.append((event, str(arguments)[:200]))
    # pynwb unpickles its own cache of types, which names plain classes only
    if event == "pickle.find_class" and (
        arguments[0] in ("posix", "nt", "os", "subprocess")
        or arguments[1] in ("eval", "exec", "getattr")
    ):
        watched.append((event, str(arguments)[:200]))


def make_report():
    results = nwbsparse.open_results(path)
    binned = nwbsparse.for_coder(results.session, results.coder)
    return nwbsparse.report(results, binned, path + ".html")


def peak():
    """Bytes; ru_maxrss would be that of the process that started this one, where that was larger."""
    return memory("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def memory(what):
    """Bytes, as the kernel counts them; 0 where it does not say."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0
    line = next(one for one in status.read_text().splitlines() if one.startswith(what))
    return int(line.split()[1]) * 1024


before = memory("VmRSS")
limit += memory("VmSize") or 2**30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.addaudithook(watch)
for verb, call in {
    "read": lambda: nwbsparse.read(path),
    "open_results": lambda: nwbsparse.open_results(path),
    "doctor": lambda: doctor(path, seconds=10).problems,
    "validate": lambda: validate(path).exit_code,
    "report": make_report,
}.items():
    signal.alarm(seconds)  # nothing catches it: it ends the process
    try:
        made = str(call()).splitlines() or [""]
        print("::", verb, "ok", made[0][:300], flush=True)  # noqa: T201
    except MemoryError as error:  # the command line says so, and exits with 3
        print("::", verb, "refused: no memory", str(error)[:200], flush=True)  # noqa: T201
    except NwbsparseError as error:
        print("::", verb, "refused", str(error).splitlines()[0][:300], flush=True)  # noqa: T201
signal.alarm(0)
print("::", "memory", peak() - before)  # noqa: T201
if watched:
    sys.exit(f"forbidden: {watched}")
