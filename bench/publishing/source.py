"""What a commit holds: whether it is the code that a run says it was made by."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

from bench.workspace import PROGRAM, ROOT, sources_hash


def code_at(commit: str, root: Path = ROOT) -> str | None:
    """The code hash of a commit; ``None`` where the repository does not have it, or there is no repository."""
    command = ["git", "archive", "--format=tar", commit, *PROGRAM]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    files: dict[PurePosixPath, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(".py") else None
            if content is not None:
                files[PurePosixPath(member.name)] = content.read()
    return sources_hash(files)
