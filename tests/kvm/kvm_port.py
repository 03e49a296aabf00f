#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What can be tested of the Linux port without a kernel. kvm_port.py SOURCE_ROOT; TAP."""

import io
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1])
PORT = ROOT / "ports/linux"
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True

import console  # noqa: E402
import kvm  # noqa: E402
import kvm_bench  # noqa: E402
import kvm_graft  # noqa: E402


TLB = """#include <asm/tlbflush.h>

struct tlb_inv_context {
	u64 tcr;
};

static void enter_vmid_context(struct kvm_s2_mmu *mmu,
			       struct tlb_inv_context *cxt)
{
}

static void exit_vmid_context(struct tlb_inv_context *cxt)
{
}
"""


def check_hang():
    """a machine that hangs is ended, though its kernel goes on complaining"""
    busy = "echo '##BEGIN x'; while :; do : $((n += 1)); " \
           "[ $((n % 100000)) -ne 0 ] || echo stalled; done"
    with tempfile.NamedTemporaryFile() as log:
        lines, seconds = console.boot(
            "hang", ["sh", "-c", busy], pathlib.Path(log.name), 300, silence=1,
            counts=lambda line: line.startswith("##"))
    assert lines[0] == "##BEGIN x" and "stalled" in lines and seconds < 300


def check_graft():
    """what is put into the kernel: all that Kbuild names, and nothing else"""
    for version in ((6, 12), (7, 3)):
        graft_of(version)


def graft_of(version):
    files = kvm_graft.added(lambda name: TLB, version)
    room = kvm_graft.STAGE2 + "/"
    inside = {n[len(room):]: t for n, t in files.items() if n.startswith(room)}
    named = set(re.findall(r"(\S+)\.o\b", inside["Kbuild"]))
    assert named == {n[:-2] for n in inside if n.endswith(".c")}, named
    for name in "S2_INLINE", "S2_APART", "S2_FALLTHROUGH":
        assert not any(name in t for t in files.values()), name
    assert "u64 tcr" in files["arch/arm64/kvm/hyp/vhe/tlb.h"]
    assert not any("LINUX_VERSION_CODE" in t for t in files.values())
    # Functions of the glue that KVM calls, and the C files that define them.
    older, newer = {"set_owner"}, {"annotate", "destroy_range", "destroy_pgd"}
    only, others = (older, newer) if version < (7, 0) else (newer, older)
    glue = "".join(t for n, t in inside.items() if n.startswith("linux/"))
    for name in ("init", "destroy", "map", "unmap", "wrprotect", "mkyoung", "split",
                 "test_clear_young", "relax_perms", "flush", *only,
                 "create_unlinked", "free_unlinked"):
        assert re.search(rf"^(?!static)[\w ]+\W_*kvm_pgtable_stage2_{name}\(", glue, re.M)
    assert not any(f"kvm_pgtable_stage2_{name}(" in glue for name in others)


def check_edits():
    """the kernel's files are edited at one place each, or not at all"""
    text = kvm_graft.edit_tlb(TLB)
    assert "struct tlb_inv_context {" not in text and '#include "tlb.h"' in text, text
    assert "\nvoid enter_vmid_context(struct kvm_s2_mmu *mmu,\n\t\t\tstruct" in text, text
    assert "\nvoid exit_vmid_context(struct tlb_inv_context *cxt)\n" in text, text
    assert kvm_graft.replaced("a b", ("a", "c")) == "c b"
    for other in ("b", "a a"):
        try:
            kvm_graft.replaced(other, ("a", "c"))
        except AssertionError:
            continue
        raise ValueError(other)


def check_probes():
    """record.sh defines the events that docs/replay.md names, as it names them"""
    script = subprocess.run(
        ["sh", "-c", "sed -n '/^probes()/,/^}/p' ports/linux/record.sh > $0 && . $0 &&"
         " probes", pathlib.Path(tempfile.mkdtemp()) / "probes"], cwd=ROOT, check=True,
        capture_output=True, text=True).stdout.replace("stage2/", "").splitlines()
    wanted = re.findall(r"^    ([pr]:s2_.*)$", (ROOT / "docs/replay.md").read_text(), re.M)
    assert len(wanted) == 16 and script == wanted, (script, wanted)


def check_archive():
    """the RAM disk is an archive in the newc format, folders before what is in them"""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.cpio"
        kvm.archive({"init": b"12345", "a/b/c": b""}, path)
        data, at, found = path.read_bytes(), 0, {}
    while True:
        assert data[at:at + 6] == b"070701"
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name = data[at + 110:at + 110 + fields[11] - 1].decode()
        at = (at + 110 + fields[11] + 3) & ~3
        if name == "TRAILER!!!":
            break
        found[name] = (oct(fields[1]), data[at:at + fields[6]])
        at = (at + fields[6] + 3) & ~3
    assert list(found) == ["a", "a/b", "init", "a/b/c"], found
    assert found["init"] == ("0o100755", b"12345") and found["a"][0] == "0o40755"


def check_results():
    """a test passes only if it ends well and leaves no table behind"""
    ended, trouble = kvm.results([
        "##END good exit 0 1.0 0", "##END leaks exit 0 1.0 8", "##END bad exit 254 1.0 0",
        "##END slow timeout 9 60.0 0", "##END none exit 4 0.1 0",
        "##END alarm signal 14 12.3 0", "WARNING: suspicious RCU usage", "all is well"])
    assert ended == {"good": "pass", "leaks": "leak 8 kB", "bad": "exit 254",
                     "slow": "timeout", "none": "skip", "alarm": "signal 14"}, ended
    assert trouble == ["WARNING: suspicious RCU usage"], trouble
    lines = ["##BEGIN a", "by faults", "##END a exit 0 1.0 0"]
    assert kvm.results(lines)[0] == {"a": "pass"}
    assert kvm.results(lines, {"a": "by faults"})[0] == {"a": "pass"}
    assert kvm.results(lines, {"a": "by hardware"})[0] == {"a": "by faults"}


def check_traces():
    """recordings are taken from the console, each under the name of its test"""
    found = kvm.traces(["##BEGIN a", "##TRACE a", "1", "2", "##TRACE END", "##END a",
                        "##TRACE b", "##TRACE END"])
    assert found == {"a": ["1", "2"], "b": []}, found


def check_list():
    """the list of tests: names once, known options, the required programs"""
    tests = kvm.read_list(False)
    names = [name for name, _, _ in tests]
    assert len(names) == len(set(names)) > 25
    for _, options, _ in tests:
        for option in options:
            assert option in ("short", "smp1", "trace", "ours", "hwdirty", "7.x", "-",
                              "4k", "16k", "64k", "thp", "max", "nested", "kept",
                              "slow", "host", "1g") \
                or option.startswith("pages="), option
    programs = {command.split()[0].split("/")[-1] for _, _, command in tests}
    assert programs >= {
        "kvm_page_table_test", "dirty_log_test", "dirty_log_perf_test", "stale", "guest",
        "demand_paging_test", "memslot_perf_test", "memslot_modification_stress_test",
        "set_memory_region_test", "access_tracking_perf_test", "page_fault_test"}
    def chosen(**how):
        return {name for name, _, _ in kvm.read_list(True, **how)}
    assert "stale-without-tlbi" in chosen() - chosen(mode="nvhe")
    assert "nested-guest" in chosen(mode="nested") - chosen()
    assert "page-table-52" in chosen() - chosen(cpu="neoverse-n1")
    assert "page-table-32m" in chosen(config="16k") - chosen() - chosen(config="64k")
    assert "record" in chosen() - chosen(config="64k")


def check_versions():
    """each kernel gets its own half of compat.h, its names of tests, and its edits"""
    text = (PORT / "compat.h").read_text()
    for version, has, lacks, where in (((6, 12), " index\n", "IGNORE_EAGAIN", "/aarch64/"),
                                       ((7, 3), " __folio_index\n", "HANDLE_FAULT", "/arm64/")):
        half = kvm_graft.for_kernel(text, version)
        assert has in half and lacks not in half and "#else" not in half, half
        kvm.VERSION = version
        commands = [c for _, _, c in kvm.read_list(False)]
        assert any(where + "page_fault_test" in c for c in commands), commands
        assert any("block_transitions" in c for c in commands) == (version[0] == 7)
    step = "\tphys_addr_t size = kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL);\n\n"
    wp = "\twrite_lock(&kvm->mmu_lock);\n" \
        "\tkvm_stage2_wp_range(&kvm->arch.mmu, start, end);\n"
    ranges = "\tstage2_destroy_range(pgt, 0, BIT(ia_bits));\n"
    end = "\t\tkvm_mmu_free_memory_cache(&kvm->arch.mmu.split_page_cache);\n\t}\n"
    text = "#include <asm/kvm_pgtable.h>\n" + step + wp + ranges + end
    assert ranges in kvm_graft.edit_mmu(text, (6, 12)).split("SZ_8M")[1].splitlines(True)
    assert "\t" + ranges in kvm_graft.edit_mmu(text, (7, 3))
    # In protected mode the tables of 7.3 are pKVM's.
    for version, guarded in ((6, 12), False), ((7, 3), True):
        head = kvm_graft.edit_mmu(text, version).split("SZ_8M")[0]
        assert ("!is_protected_kvm_enabled()" in head) == guarded, head
    free = "\tkvm_destroy_mpidr_data(kvm);\n\n\tkfree(kvm->arch.sysreg_masks);\n"
    text = "#include <asm/kvm_ptrauth.h>\nvoid kvm_arch_sync_dirty_log(struct kvm *kvm, " \
        "struct kvm_memory_slot *memslot)\n{\n\n}\n" + free
    assert "kvm_uninit_stage2_mmu(kvm)" in kvm_graft.edit_arm(text, (6, 12))
    assert "kvm_uninit_stage2_mmu(kvm)" not in kvm_graft.edit_arm(text, (7, 3))


def check_bench():
    """counts become rows: the longest call, what is deferred; which of them are slower"""
    def counts(n, loop=0, dsb=0, tlbi=0):
        return {"instructions": n, "clean_loop": loop, "dc_civac": 0, "dsb": dsb, "isb": 0,
                "ipas2e1is": tlbi, "ripas2e1is": 0, "vmalle1is": tlbi, "vmalls12e1is": 0,
                "local": 0}

    def row(unmap, later=0, waiting=0):
        none = {"calls": 0, "sum": counts(0), "longest": counts(0)}
        return kvm_bench.row("4k", 1 << 30, 262144, "dontneed", {
            "total": 900, **dict.fromkeys(kvm_bench.FAULTS, none),
            "kvm_pgtable_stage2_unmap": {"calls": 2, "sum": counts(unmap, 40, 6, 2),
                                         "longest": counts(200, 20, 3, 1)},
            "queued_write_lock_slowpath": {"sum": counts(waiting)},
            "reclaim_work": {"calls": 3, "sum": counts(later), "longest": counts(50)}})

    one = row(300, 70, 5)
    assert (one["instructions"], one["clean_loop"], one["tlbi"], one["dsb"]) \
        == (300, 40, 4, 6), one
    assert (one["lock_held"], one["deferred"], kvm_bench.in_all(one)) \
        == (200, 70, 375), one
    assert kvm_bench.slower(row(1000), row(1020)) == []
    assert kvm_bench.slower(row(1000), row(1021)) == ["under the lock", "in all"]
    assert kvm_bench.slower(row(1000), row(100, 900, 30)) == ["in all"]
    out = io.StringIO()
    assert kvm_bench.table([(row(1000), row(900)), (row(1000), row(1021))], out) == 1
    assert out.getvalue().count("SLOWER") == 1


def main():
    checks = [f for name, f in globals().items() if name.startswith("check_")]
    print(f"1..{len(checks)}")
    failed = 0
    for n, check in enumerate(checks, 1):
        try:
            check()
            print(f"ok {n} - {check.__doc__}")
        except (AssertionError, OSError, ValueError, KeyError,
                subprocess.CalledProcessError) as e:
            failed += 1
            print(f"not ok {n} - {check.__doc__}\n# {e!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
