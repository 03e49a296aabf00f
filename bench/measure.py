# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs the benchmark programs: times and counters, and instructions by callgrind."""

import glob
import json
import os
import re
import subprocess
import tempfile

# Instructions are counted from the entry of one of these functions to its return, without
# the loop that calls it.
FUNCTIONS = """
    s2_map s2_unmap s2_release s2_destroy s2_wrprotect s2_relax_perms s2_mkyoung s2_age
    s2_survey
    s2_split s2_collapse s2_lookup s2_translate s2_batch_begin s2_batch_end
    kvm_pgtable_stage2_map kvm_pgtable_stage2_unmap kvm_pgtable_stage2_destroy
    kvm_pgtable_stage2_wrprotect kvm_pgtable_stage2_relax_perms kvm_pgtable_stage2_mkyoung
    kvm_pgtable_stage2_test_clear_young kvm_pgtable_stage2_split kvm_pgtable_get_leaf
""".split()

COUNTS = "reads writes tlbi dsb isb cleans cleaned taken freed".split()


def run(program, *args):
    """One object for each case and side."""
    out = subprocess.run([program, *args], check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in out.stdout.splitlines()]


def instructions(program, *args):
    """{(case, side): instructions of all of its units}"""
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        tool = ["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no"]
        tool += [f"--callgrind-out-file={folder}/out"]
        tool += [f"--toggle-collect={name}" for name in FUNCTIONS]
        run(tool[0], *tool[1:], program, "--instructions", *args)
        for name in glob.glob(os.path.join(folder, "out.*")):
            with open(name, encoding="utf-8") as f:
                text = f.read()
            label = re.search(r"^desc: Trigger: Client Request: (\S+)/(\S+)", text, re.M)
            total = re.search(r"^totals: (\d+)", text, re.M)
            if label and total:
                counts[label[1], label[2]] = int(total[1])
    return counts
