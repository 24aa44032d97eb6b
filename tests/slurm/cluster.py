"""A real Slurm of one node, for the tests alone: its own key, ports, files and processes, all gone afterwards.

Debian's ``slurm-wlm`` and ``munge``, which are installed where they are missing; a machine that can neither have them
nor get them fails the tests. No cgroups, no systemd, no database, no name service.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
GPUS = ("/dev/null", "/dev/zero")
"""Files that the node claims to be its graphics cards: jobs can ask for them, no program will find any."""
CORES = 8
"""Cores that the node claims to have."""
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket,cred_expire=10
CredType=cred/munge
MpiDefault=none
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,batch_sched_delay=0,bf_interval=2,sched_min_interval=0
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=60
InactiveLimit=0
KillWait=5
MinJobAge=600
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
{announced}GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=1000 Gres=gpu:{gpus} Features=small State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=15
PartitionName=brief Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""
"""Partitions over the same node: a job of ``urgent`` that needs the room takes it from one of ``main`` after 15 s, and
at once from one of ``brief``. A job that was put back into the queue waits as long as a credential lasts (10 s, not the
usual 120): the node takes no newer one of a job within the second in which it ended the job.
"""


@dataclass(frozen=True)
class Cluster:
    """A running Slurm; its commands find it by ``environment``."""

    place: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use this cluster."""
        return {"SLURM_CONF": str(self.place / "slurm.conf")}

    def call(self, *command: str) -> str:
        """Output of a command that must succeed."""
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}"
        return done.stdout.strip()

    def queue(self) -> dict[str, str]:
        """All jobs, array tasks each by itself (``12_0``), with their state (``PENDING``); ended ones stay for long."""
        told = self.call("squeue", "--noheader", "--array", "--states=all", "--format=%i %T")
        return dict(row.split() for row in told.splitlines())

    def wait(self, name: str, *states: str, seconds: float = 90) -> str:
        """The first of these states that the job is seen in."""
        found = ""

        def reached() -> bool:
            nonlocal found
            found = self.queue()[name]
            return found in states

        wait_until(reached, seconds, f"job {name} to be {' or '.join(states)}", lambda: f"(it is {found})")
        return found

    def empty(self) -> None:
        """Cancel what is left in the queue and wait until it has gone."""
        self.call("scancel", "--user", pwd.getpwuid(os.getuid()).pw_name)
        wait_until(lambda: not self.call("squeue", "--noheader"), 60, "the queue to be empty")


def wait_until(done: Callable[[], bool], seconds: float, what: str, why: Callable[[], str] = str) -> None:
    """Return once it is so; fail after that long, saying ``why``."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what} {why()}"
        time.sleep(0.1)


def install() -> None:
    """Install Slurm and munge where they are missing."""
    if all(map(_program, PROGRAMS)):
        return
    missing = ", ".join(name for name in PROGRAMS if not _program(name))
    assert os.getuid() == 0, f"{missing}: not installed; apt-get install slurm-wlm munge"
    assert shutil.which("apt-get"), f"{missing}: not installed, and there is no apt-get: install Slurm and munge"
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "slurm-wlm", "munge"]):
        done = subprocess.run(["apt-get", *command], env=quiet, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"apt-get {' '.join(command)}: {done.stderr.strip()[-500:]}"


def _program(name: str) -> str | None:
    """Where a program lies: those of the administrator are not always on the path."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextlib.contextmanager
def running(announced: bool = True) -> Iterator[Cluster]:
    """Slurm, installed where it is missing, started, and stopped again with all its jobs.

    ``announced``: a job whose place is taken gets the signal that it asked for, not SIGTERM.
    """
    install()
    # A socket's path has to be short, and a test's own directory is not.
    place = Path(tempfile.mkdtemp(prefix="slurm-"))
    cluster = Cluster(place)
    started: list[subprocess.Popen[bytes]] = []
    try:
        place.chmod(0o755)
        _configure(place, announced)
        started.append(_daemon(place, "munged", *_munge(place)))
        wait_until((place / "munge.socket").exists, 20, "munged to start", lambda: _told(place))
        configuration = str(place / "slurm.conf")
        started.append(_daemon(place, "slurmctld", "-D", "-i", "-f", configuration))
        started.append(_daemon(place, "slurmd", "-D", "-f", configuration))
        wait_until(lambda: _idle(cluster, started), 60, "the node to be ready", lambda: _told(place))
        yield cluster
        cluster.empty()
    finally:
        _stop(place, started)
        shutil.rmtree(place, ignore_errors=True)


def _configure(place: Path, announced: bool) -> None:
    """Write the cluster's files: no port, key or directory is shared with any other."""
    for name in ("state", "spool"):
        (place / name).mkdir()
    key = place / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    controller_port, node_port = _free_ports(2)
    (place / "slurm.conf").write_text(
        CONFIGURATION.format(
            host=socket.gethostname().split(".")[0],
            user=pwd.getpwuid(os.getuid()).pw_name,
            place=place,
            controller_port=controller_port,
            node_port=node_port,
            cores=CORES,
            gpus=len(GPUS),
            announced="SlurmctldParameters=preempt_send_user_signal\n" if announced else "",
        )
    )
    (place / "gres.conf").write_text("".join(f"Name=gpu File={file}\n" for file in GPUS))
    (place / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")


def _munge(place: Path) -> list[str]:
    files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munge.pid", "seed-file": "munge.seed"}
    return ["--foreground", "--force", "--num-threads=2", *(f"--{key}={place / name}" for key, name in files.items())]


def _daemon(place: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    program = _program(name)
    assert program
    with (place / f"{name}.out").open("wb") as out:
        return subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SLURM_CONF": str(place / "slurm.conf")},
            start_new_session=True,
        )


def _idle(cluster: Cluster, started: list[subprocess.Popen[bytes]]) -> bool:
    """Whether the node is ready; a daemon that has ended says why."""
    for daemon in started:
        assert daemon.poll() is None, f"{daemon.args} ended; {_told(cluster.place)}"
    with contextlib.suppress(AssertionError):
        return cluster.call("sinfo", "--noheader", "--partition=main", "--format=%T") == "idle"
    return False


def _told(place: Path) -> str:
    """What the daemons wrote last, for the message of a failure."""
    return " | ".join(
        line
        for file in sorted(place.glob("*.out"))
        for line in [file.stem, *file.read_text(errors="replace").splitlines()[-4:]]
    )


def _stop(place: Path, started: list[subprocess.Popen[bytes]]) -> None:
    """End every process that belongs to this cluster, the steps of its jobs included."""
    for daemon in reversed(started):
        daemon.send_signal(signal.SIGTERM)
    for daemon in reversed(started):
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
    mark = f"SLURM_CONF={place}/slurm.conf".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
