# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Packages of a suite of Debian: fetched, not installed. Apt keeps its state in a folder,
and does not read the machine's configuration of where packages come from."""

import subprocess

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def machine():
    """Debian's name for the machine that this runs on."""
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True,
                          check=True).stdout.strip()


class Suite:
    def __init__(self, folder, suite, machine="arm64"):
        for name in ("lists/partial", "cache/archives/partial", "deb"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.packages = folder / "deb"
        sources = folder / "sources.list"
        sources.write_text(
            f"deb [signed-by={KEYS}] http://deb.debian.org/debian {suite} main\n")
        self.options = [
            "-q", "-o", f"APT::Architecture={machine}", "-o", f"APT::Architectures={machine}",
            "-o", "APT::Sandbox::User=", "-o", f"Dir::State={folder}",
            "-o", f"Dir::Cache={folder}/cache", "-o", "Dir::State::status=/dev/null",
            "-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=-"]
        self.get("update")

    def get(self, *command):
        subprocess.run(["apt-get", *self.options, *command], check=True,
                       stdout=subprocess.DEVNULL, cwd=self.packages)

    def cache(self, *command):
        return subprocess.run(["apt-cache", *self.options, *command], check=True,
                              capture_output=True, text=True).stdout

    def unpack(self, package, folder, *tar):
        """Fetch a package, and unpack what tar's arguments select of it."""
        self.get("download", package)
        for path in self.packages.iterdir():
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path],
                                  stdout=subprocess.PIPE) as data:
                subprocess.run(["tar", "-x", "-C", folder, *tar], stdin=data.stdout,
                               check=True)
            path.unlink()
