# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""make kvm-bench: what unmapping and logging cost inside KVM, stock against ours.

Both kernels run the same program under -icount with the plugin of
ports/linux/tests/count.c, which counts what is executed between the entry and the
return of the functions below.
"""

import argparse
import json
import subprocess
import sys

import kvm

# The functions that do the work of each way.
WAYS = {
    "dontneed": ("kvm_pgtable_stage2_unmap",),
    "slot": ("kvm_pgtable_stage2_unmap",),
    # In 7.x KVM calls the second and the third, in 6.12 the first.
    "close": tuple(f"kvm_pgtable_stage2_destroy{n}" for n in ("", "_range", "_pgd")),
    "log": ("kvm_pgtable_stage2_wrprotect",),
    "split": ("kvm_pgtable_stage2_wrprotect", "kvm_pgtable_stage2_split"),
    "collapse": ("kvm_pgtable_stage2_map",),
    "fault": ("kvm_pgtable_stage2_map",),
    "write": ("kvm_pgtable_stage2_map", "kvm_pgtable_stage2_relax_perms"),
    "age": ("kvm_pgtable_stage2_test_clear_young",),
    "young": ("kvm_pgtable_stage2_mkyoung",),
}
# The MMU lock is held around these, unless another thread waits for it in between.
HELD = ("kvm_unmap_gfn_range", "kvm_arch_flush_shadow_memslot")
# The functions that free tables later, without the lock.
LATER = ("reclaim_work", "stage2_free_unlinked_table_rcu_cb")
TLBIS = ("ipas2e1is", "ripas2e1is", "vmalle1is", "vmalls12e1is")


def symbols(kernel):
    found = {}
    for line in (kvm.BUILD / kernel / "System.map").read_text().splitlines():
        address, _, name = line.split()
        found[name] = address
    return found


def count(kernel, cpu, large):
    """[(kind, bytes, entries, way, {function: counts})]"""
    counts = kvm.BUILD / f"bench-{kernel}-{cpu}.counts"
    where = symbols(kernel)
    plugin = [f"{kvm.PROGRAMS}/count.so", f"out={counts}", f"vectors={where['vectors']}"]
    names = {n for functions in WAYS.values() for n in functions}
    plugin += [f"fn={n}:{where[n]}" for n in (*sorted(names), *HELD, *LATER)
               if n in where]
    initrd = kvm.BUILD / f"bench-{kernel}-{cpu}.cpio"
    kvm.archive({"init": (kvm.PROGRAMS / "init").read_bytes(),
                 "bench": (kvm.PROGRAMS / "bench").read_bytes(),
                 "tests": f"bench\t3000\t-\t/bench {large}\n".encode()}, initrd)
    lines = kvm.boot(f"{kernel}, {cpu}", kvm.qemu(
        kvm.BUILD / kernel / "arch/arm64/boot/Image", initrd, cpu, smp=1,
        extra=("-icount", "shift=0,sleep=off", "-plugin", ",".join(plugin))),
        kvm.BUILD / f"bench-{kernel}-{cpu}.log", 3600)
    phases = [line.split()[1:] for line in lines if line.startswith("##PHASE ")]
    records = [json.loads(line) for line in counts.read_text().splitlines()]
    if not phases or len(phases) != len(records):
        sys.exit(f"{kernel}: {len(phases)} phases, {len(records)} records")
    return [(kind, int(size), int(entries), way, record)
            for (kind, size, entries, way), record in zip(phases, records)]


def total(record, names, what="sum"):
    """Counts of some functions together."""
    result = {}
    for name in names:
        for key, value in record.get(name, {}).get(what, {}).items():
            result[key] = result.get(key, 0) + value
    return result


def row(phase):
    kind, size, entries, way, record = phase
    main = WAYS[way]
    counts = total(record, main)
    longest = max((record[n]["longest"] for n in main), key=lambda c: c["instructions"])
    held = max((record.get(n, {}).get("longest", {}).get("instructions", 0)
                for n in HELD), default=0)
    return {
        "kind": kind, "bytes": size, "entries": entries, "way": way,
        "calls": sum(record[n]["calls"] for n in main),
        "instructions": counts["instructions"],
        "clean_loop": counts["clean_loop"],
        "dc_civac": counts["dc_civac"],
        "tlbi": sum(counts[t] for t in TLBIS),
        "dsb": counts["dsb"],
        "longest_call": longest["instructions"],
        "tlbi_in_longest_call": sum(longest[t] for t in TLBIS),
        "dsb_in_longest_call": longest["dsb"],
        "lock_held": held,
        "deferred": total(record, LATER).get("instructions", 0),
    }


def size_text(size):
    return f"{size >> 30}G" if size >= 1 << 30 else f"{size >> 20}M"


def table(rows, out):
    head = ("case", "", "instructions", "in DC CIVAC", "TLBI", "DSB", "longest call",
            "lock held", "deferred")
    print(f"{head[0]:22}{head[1]:7}" + "".join(f"{h:>14}" for h in head[2:]), file=out)
    for stock, ours in rows:
        name = f"{stock['kind']} {size_text(stock['bytes'])} {stock['way']}"
        for label, r in (("stock", stock), ("ours", ours)):
            print(f"{name if label == 'stock' else '':22}{label:7}" + "".join(
                f"{r[k]:>14,}" for k in ("instructions", "clean_loop", "tlbi", "dsb",
                                         "longest_call", "lock_held", "deferred")),
                  file=out)
        work = [max(r["instructions"] - r["clean_loop"], 1) for r in (stock, ours)]
        print(f"{'':22}{'ratio':7}{work[0] / work[1]:>14,.1f}"
              "  (beside the DC CIVAC loop)", file=out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpu", default="max",
                        help="one or more of " + ", ".join(kvm.CPUS) + "; or all")
    parser.add_argument("--large", type=int, default=1024,
                        help="MiB of the large cases (default 1024)")
    args = parser.parse_args()
    cpus = kvm.CPUS if args.cpu == "all" else args.cpu.split(",")
    if not set(cpus) <= set(kvm.CPUS):
        parser.error(f"--cpu: {args.cpu}")
    kvm.build()
    kvm.build_programs({"bench": ["bench.c", "vm.c"]})
    plugin = kvm.PROGRAMS / "count.so"
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
                    "-fvisibility=hidden", "-o", plugin, kvm.PORT / "tests/count.c"],
                   check=True)
    kvm.say(f"measure on {', '.join(cpus)}")
    results = {}
    for cpu in cpus:
        both = [[row(p) for p in count(k, cpu, args.large)] for k in ("stock", "ours")]
        results[cpu] = list(zip(*both))
    output = kvm.BUILD / "bench.json"
    output.write_text(json.dumps(
        {cpu: [{"stock": s, "ours": o} for s, o in rows]
         for cpu, rows in results.items()}, indent=1) + "\n")
    for cpu, rows in results.items():
        print(f"\n{cpu}")
        table(rows, sys.stdout)
    kvm.say(f"\n{output.relative_to(kvm.ROOT)}")


if __name__ == "__main__":
    main()
