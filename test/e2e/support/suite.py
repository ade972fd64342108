"""What the suites of real programs share: their fixtures, and what a failure shows. A suite's
conftest.py imports all of it."""
import os
import random
import resource
import shutil
import subprocess
import tempfile

import pytest

pytest.register_assert_rewrite("support.dial")

from .lab import Keys, Lab  # noqa: E402  (after the rewrite hook)
from .program import BIN, wait_until  # noqa: E402


os.environ.setdefault("ALK_SEED", str(random.randrange(1 << 32)))  # repeats a run's random choices


def pytest_report_header():
    return f"programs: {BIN}  ALK_SEED={os.environ['ALK_SEED']}"


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: sits out a time limit, or asks very much")
    if not os.path.exists(os.path.join(BIN, "alknet-server")):
        raise pytest.UsageError(f"there is no alknet-server in {BIN}: run make, or set ALK_BIN")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < min(hard, 20000):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))


def pytest_collection_modifyitems(items):
    """Where tests run side by side, none of the slow ones is to be left over at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def keys():
    directory = tempfile.mkdtemp(prefix="alk-keys-")
    yield Keys(directory)
    shutil.rmtree(directory, ignore_errors=True)


# A test that runs once with each engine of alknet-client.
both_engines = pytest.mark.parametrize("lab", ["native", "libssh2"], indirect=True)
with_libssh2 = pytest.mark.parametrize("lab", ["libssh2"], indirect=True)


@pytest.fixture
def lab(keys, request):
    lab = Lab(keys, engine=getattr(request, "param", None))
    yield lab
    complaints = lab.finish()
    request.node.lab_report = lab.report()
    lab.remove()
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


@pytest.fixture
def agent(lab):
    """An ssh-agent of our own; returns a function that adds a key."""
    path = lab.path("agent")
    program = lab.start("ssh-agent", ["ssh-agent", "-D", "-a", path], ours=False)
    wait_until(lambda: os.path.exists(path), "the agent's socket")

    def add(name, *args):
        subprocess.run(["ssh-add", "-q", *args, lab.keys.make(name)], check=True,
                       env=dict(os.environ, SSH_AUTH_SOCK=path), stdin=subprocess.DEVNULL)
    add.path, add.program = path, program
    return add


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not report.failed:
        return
    lab = item.funcargs.get("lab") if hasattr(item, "funcargs") else None
    sections = getattr(item, "lab_report", None) or (lab.report() if lab else [])
    report.sections.extend(sections)
    seed = os.environ["ALK_SEED"]
    report.sections.append(("this case alone", f"ALK_BIN={BIN} ALK_SEED={seed} /usr/bin/python3 "
                            f"-m pytest -p no:cacheprovider '{item.nodeid}'"))


def write_counts(terminalreporter, suite):
    """The line that runtests adds up."""
    stats = terminalreporter.stats
    failed = {r.nodeid for kind in ("failed", "error") for r in stats.get(kind, [])}
    passed = {r.nodeid for r in stats.get("passed", [])} - failed
    terminalreporter.write_line(f"{suite}: {len(passed)} passed, {len(failed)} failed")
