"""A small disk to fill: a file system in memory, which only root can mount (Linux)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

BLOCK = 4096


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mounts a disk of `size` bytes at a folder. Without the permission to mount, skips the test."""
    folder.mkdir(exist_ok=True)
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "openresponses-test", str(folder))
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        if os.environ.get("OPENRESPONSES_REQUIRE_MOUNT"):
            pytest.fail(f"cannot mount a disk: {error}")
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        # Lazily, because a failed test may have left a file open.
        subprocess.run(("umount", "--lazy", str(folder)), check=True)


def fill(folder: Path, name: str = "of-another-program", *, leave: int = 0) -> Path:
    """Writes a file until `leave` bytes are free; 0 fills the disk completely."""
    path = folder / name
    disk = os.statvfs(folder)
    with path.open("wb", buffering=0) as file, suppress(OSError):
        if leave:
            file.write(bytes(max(0, disk.f_bavail * disk.f_frsize - leave)))
        else:
            while True:
                file.write(bytes(BLOCK))
    return path
