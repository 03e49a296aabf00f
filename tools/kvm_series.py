# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""make kvm-series: the engine under KVM as a series of patches that can be sent.

It writes build/kvm/series/*.patch with a cover letter, applies them by git am to a tree
as it was, looks at them with the kernel's checkpatch.pl, and builds arch/arm64/kvm after
each of them, and after the last one with the option, where sparse looks at each file.
"""

import argparse
import shutil
import subprocess
import sys

import kvm
import kvm_graft
from kvm_graft import KVM, OPTION, STAGE2

SERIES = kvm.BUILD / "series"
# How a VM ends: in 6.12, where a signal can end KVM_CREATE_VM, and in 7.x.
ENDS = (
    "\n\n"
    "If the MMU notifier of a VM cannot be registered, kvm_arch_destroy_vm() has to free\n"
    "the stage-2 tables: nothing else does."
) if kvm.VERSION < kvm_graft.NEWER else (
    " With it kvm_stage2_destroy() need not\n"
    "go through the address space GiB by GiB: the end of a VM is one call.")
# Subject, text, which files of the tree.
PATCHES = (
    ("KVM: arm64: Let other files of VHE enter the context of a VMID",
     "An engine for stage-2 tables issues its own TLB invalidations. On a VHE host they\n"
     "need the context that enter_vmid_context() makes, with its workarounds for errata.\n"
     "Move the structure to a header and make the two functions visible.",
     lambda name: name.startswith(f"{KVM}/hyp/vhe/tlb.")),
    ("KVM: arm64: Prepare the MMU code for a stage-2 engine",
     "Hardware that logs dirty pages in the page tables (FEAT_HAFDBS) has to be asked\n"
     "before KVM reads its bitmap, to forget what was written before logging began, and\n"
     "to be told when logging ends. Add the three calls. They do nothing yet. And with the\n"
     "engine, let ranges whose memory has to be cleaned go in steps of 8 MiB, between\n"
     "which the MMU lock may be dropped." + ENDS,
     lambda name: name.startswith("arch/arm64/include/")
     or name in (f"{KVM}/mmu.c", f"{KVM}/arm.c")),
    ("KVM: arm64: Add an engine for stage-2 tables",
     "The engine maps, unmaps and changes stage-2 tables. Unmapping a range detaches whole\n"
     "tables and costs a constant number of TLB invalidations and barriers. It knows\n"
     "nothing of Linux: all that it needs comes from a header of its user. Nothing builds\n"
     "it yet.",
     lambda name: name.startswith(STAGE2) and not name.startswith(f"{STAGE2}/linux/")
     and name != f"{STAGE2}/Kbuild"),
    ("KVM: arm64: Put the functions of stage-2 tables on the engine",
     "kvm_pgtable_stage2_*() with the arguments, the return values and the rules of locking\n"
     "that they have. Freed tables go to a worker, after a grace period. With a module\n"
     "parameter hardware logs dirty pages. Nothing builds it yet.",
     lambda name: name.startswith(f"{STAGE2}/linux/") or name == f"{STAGE2}/Kbuild"),
    ("KVM: arm64: Choose the stage-2 engine by configuration",
     f"Add {OPTION}, which is off by default. With it the functions of\n"
     "pgtable.c that the engine replaces are not built for the host. What is built for\n"
     "EL2, and so protected KVM, is not changed.",
     lambda name: name in (f"{KVM}/Kconfig", f"{KVM}/hyp/Makefile", f"{KVM}/hyp/pgtable.c")),
    ("Documentation: KVM: arm64: Describe the stage-2 engine",
     "What it does in place of the functions of pgtable.c, and what differs.",
     lambda name: name.startswith("Documentation/")),
)

COVER = """KVM: arm64: an engine for stage-2 tables

Unmapping a range of stage 2 costs a TLB invalidation for each table, and where
memory has to be cleaned, for each page. The page tables are freed under the MMU lock.
This series puts an engine under kvm_pgtable_stage2_*() that breaks a range by its topmost
entries, invalidates once, and frees later. KVM above these functions gets what the second
patch adds: mainly three calls for the dirty log of hardware, and shorter steps where
memory is cleaned. Protected KVM stays as it is. The engine is chosen by a configuration
option, off by default.

The engine, its model of the architecture and its tests are developed outside of the
kernel. docs/kvm.md there says what was measured and run.
"""

def run(*command, cwd=None, **kwargs):
    return subprocess.run(command, cwd=cwd, check=True, text=True,
                          stdin=subprocess.DEVNULL, **kwargs)


def states():
    """(files of the kernel as they are, these and more with what the series changes)"""
    after = kvm_graft.edited(kvm.pristine, kvm.VERSION)
    before = {name: kvm.pristine(name) for name in after}
    after |= kvm_graft.added(kvm.pristine, kvm.VERSION)
    # Only kernels for tests have these.
    after.pop(f"{STAGE2}/linux/test.c")
    kbuild = f"{STAGE2}/Kbuild"
    after[kbuild] = after[kbuild].split("# A kernel for tests")[0]
    return before, after


def commit(tree, message):
    run("git", "add", "-A", cwd=tree)
    run("git", "commit", "-q", "-s", "-m", message, cwd=tree)


def write_series(before, after):
    """A tree with the files that the series touches; the patches beside it."""
    shutil.rmtree(SERIES, ignore_errors=True)
    tree = SERIES / "tree"
    tree.mkdir(parents=True)
    run("git", "init", "-q", "-b", "base", cwd=tree)
    for name, text in before.items():
        kvm.write(tree / name, text)
    commit(tree, "base")
    run("git", "checkout", "-q", "-b", "series", cwd=tree)
    left = dict(after)
    for subject, text, chosen in PATCHES:
        for name in [n for n in left if chosen(n)]:
            kvm.write(tree / name, left.pop(name))
        commit(tree, f"{subject}\n\n{text}")
    assert not left, left.keys()
    run("git", "format-patch", "-q", "--cover-letter", "-o", SERIES, "base..series",
        cwd=tree)
    cover = SERIES / "0000-cover-letter.patch"
    subject, text = COVER.split("\n\n", 1)
    cover.write_text(cover.read_text().replace("*** SUBJECT HERE ***", subject)
                     .replace("*** BLURB HERE ***", text.rstrip()))
    return sorted(SERIES.glob("*.patch"))[1:]


def check(patches):
    """git am to a tree as it was gives the same tree; errors of checkpatch.pl."""
    tree = SERIES / "tree"
    run("git", "checkout", "-q", "-b", "applied", "base", cwd=tree)
    run("git", "am", "-q", *patches, cwd=tree)
    run("git", "diff", "--exit-code", "--stat", "series", cwd=tree)
    kvm.say(f"  git am: {len(patches)} patches")
    errors = 0
    for patch in patches:
        out = subprocess.run(
            ["perl", kvm.SOURCE / "scripts/checkpatch.pl", "--terse", "--no-summary",
             "--show-types", "--root", kvm.SOURCE, patch], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
        found = [line for line in out.splitlines() if "ERROR:" in line]
        warnings = out.count("WARNING:")
        kvm.say("\n".join([f"  checkpatch: {patch.name}: {len(found)} errors, "
                           f"{warnings} warnings", *found]))
        errors += len(found)
    return errors


def build(before, after):
    """Build after each patch, without the option, and after the last one with it."""
    for name in after:
        if name not in before:
            (kvm.SOURCE / name).unlink(missing_ok=True)
    for name, text in before.items():
        kvm.write(kvm.SOURCE / name, text)
    for n, (subject, _, chosen) in enumerate(PATCHES, 1):
        for name in filter(chosen, after):
            kvm.write(kvm.SOURCE / name, after[name])
        kvm.run(f"{n}: {subject}", kvm.make(kvm.BUILD / "stock", "arch/arm64/kvm/"),
                f"series-{n}.log")
    kvm.run("with the option", kvm.make(kvm.BUILD / "ours", "arch/arm64/kvm/"),
            "series-option.log")


def sparse():
    """What sparse says of the files that the series adds, all of them once more: lines, or
    None where the kernel refuses it (7.3 does so with that of Debian 12)."""
    kvm.run("sparse", [a for a in kvm.make(kvm.BUILD / "ours", "C=2", f"{KVM}/hyp/")
                       if a != "-s"], "sparse.log")
    lines = (kvm.BUILD / "sparse.log").read_text().splitlines()
    if any("sparse is not available or not up to date" in line for line in lines):
        return None
    checked = sum("CHECK" in line and f"{STAGE2}/" in line for line in lines)
    if not checked:
        sys.exit(f"sparse has looked at no file: {kvm.BUILD}/sparse.log")
    found = [line for line in lines if f"{STAGE2}/" in line
             and ("warning:" in line or "error:" in line)]
    kvm.say("\n".join([f"  sparse: {checked} files", *found]))
    return found


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    kvm.build_kernels()
    before, after = states()
    kvm.say("the series")
    patches = write_series(before, after)
    errors = check(patches)
    build(before, after)
    found = sparse()
    said = "skipped, too old for this kernel" if found is None else f"{len(found)} warnings"
    kvm.say(f"{SERIES.relative_to(kvm.ROOT)}: {len(patches)} patches and a cover letter, "
            f"{errors} errors of checkpatch.pl; sparse: {said}")
    return 1 if errors or found else 0


if __name__ == "__main__":
    sys.exit(main())
