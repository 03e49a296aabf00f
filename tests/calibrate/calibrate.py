#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""calibrate.py QEMU PROGRAM S2LAB: the calibration program runs at EL2, with and without
FEAT_TLBIRANGE, and what it prints is a profile that compare takes. The figures are
QEMU's and say nothing. Prints TAP."""

import json
import subprocess
import sys
import tempfile

ALWAYS = {"by_ipa", "further", "whole", "line", "visit"}


def profile(qemu, program, cpu):
    out = subprocess.run(
        [qemu, "-M", "virt,virtualization=on", "-cpu", cpu, "-m", "256M", "-display", "none",
         "-serial", "stdio", "-monitor", "none", "-nic", "none", "-kernel", program],
        check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return out.stdout


def wrong(text, parts, s2lab):
    """What is wrong with a profile; None if nothing."""
    prices = json.loads(text)
    priced = {key for key, value in prices.items() if isinstance(value, dict)}
    if priced != parts:
        return f"prices {sorted(priced)}, not {sorted(parts)}"
    for key in parts - {"further"}:  # which may be too little to tell
        if not prices[key]["value"] > 0:
            return f"{key}: {prices[key]['value']}"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        f.write(text)
        f.flush()
        args = [s2lab, "compare", "--json", "--mem", "2M", "--strategy", "stage2"]
        done = subprocess.run([*args, "--cpu", f.name], capture_output=True, text=True,
                              check=False)
    if done.returncode:
        return f"compare: exit {done.returncode}: {done.stderr}"
    got = json.loads(done.stdout)
    for key in parts:
        if got["cpu"][key] != prices[key]:
            return f"compare: {key} {got['cpu'][key]}, not {prices[key]}"
    return None if got["strategies"][0]["estimate"]["total"] > 0 else "compare: no time"


def main():
    qemu, program, s2lab = sys.argv[1:]
    cpus = (("cortex-a72", ALWAYS), ("max", ALWAYS | {"by_range"}))
    print(f"1..{len(cpus)}")
    failed = False
    for n, (cpu, parts) in enumerate(cpus, 1):
        found = wrong(profile(qemu, program, cpu), parts, s2lab)
        print(f"{'not ok' if found else 'ok'} {n} - on {cpu}")
        if found:
            print(f"# {found}")
        failed |= bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
