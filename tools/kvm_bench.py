# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""make kvm-bench: what KVM's calls cost, stock against ours, and none may be slower.

Both kernels run the same program under -icount with the plugin of
ports/linux/tests/count.c, which counts what is executed between the entry and the
return of the functions below.
"""

import argparse
import json
import subprocess
import sys

import kvm

MAP, RELAX = "kvm_pgtable_stage2_map", "kvm_pgtable_stage2_relax_perms"
WRPROTECT = "kvm_pgtable_stage2_wrprotect"
# The functions that do the work of each way.
WAYS = {
    "dontneed": ("kvm_pgtable_stage2_unmap",),
    "slot": ("kvm_pgtable_stage2_unmap",),
    # In 7.x KVM calls the second and the third, in 6.12 the first.
    "close": tuple(f"kvm_pgtable_stage2_destroy{n}" for n in ("", "_range", "_pgd")),
    "log": (WRPROTECT,),
    "split": (WRPROTECT, "kvm_pgtable_stage2_split"),
    "collapse": (MAP,),
    "fault": (MAP,),
    "write": (MAP, RELAX),
    "age": ("kvm_pgtable_stage2_test_clear_young",),
    "old": ("kvm_pgtable_stage2_test_clear_young",),
    "young": ("kvm_pgtable_stage2_mkyoung",),
    "round": (MAP, RELAX, WRPROTECT, "kvm_arch_sync_dirty_log"),
}
WAYS["split-round"] = WAYS["round"]
FAULTS = (MAP, RELAX)
# The functions that free tables later, without the lock.
LATER = ("reclaim_work", "stage2_free_unlinked_table_rcu_cb")
# The page allocator gives back many pages at once that were freed before. In which call
# it happens is chance.
OTHERS = ("free_pcppages_bulk",)
# Where a CPU waits for the MMU lock.
WAITING = ("queued_read_lock_slowpath", "queued_write_lock_slowpath")
# hw_dirty_log: one step of what it collects, between which the MMU lock may be dropped.
COLLECT = "s2_dirty"
TLBIS = ("ipas2e1is", "ripas2e1is", "vmalle1is", "vmalls12e1is")
# What bench.c runs: the CPUs of the machine, and -icount's shift. With two CPUs an
# instruction takes long, so that the timer's ticks make QEMU change between them often.
SETS = {"one": (1, 0), "log": (1, 0), "two": (2, 7)}
# How much slower than stock a row may be.
TOLERANCE = 1.02
# The rows of the table in docs/kvm.md.
SHOWN = {
    "4k dontneed": "unmap, pages", "2m dontneed": "unmap, blocks",
    "4k slot": "slot deleted, pages", "4k close": "VM closed, pages",
    "4k log": "logging begins, pages", "2m split": "logging begins, blocks split",
    "2m collapse": "logging has ended: blocks of pages",
    "4k fault": "first access, pages", "2m fault": "first access, blocks",
    "sparse fault": "first access, pages with a table each",
    "4k write": "first write while logged, pages",
    "2m write": "first write while logged, blocks",
    "4k age": "ageing, used pages", "4k old": "ageing, unused pages",
    "4k young": "first access after ageing",
    "4k-two fault": "two vCPUs: first access, every other page",
    "4k-two-same fault": "two vCPUs: first access, the same pages",
    "4k-two write": "two vCPUs: first write while logged",
    "4k-two age": "two CPUs: ageing, used pages",
}


def symbols(kernel):
    found = {}
    for line in (kvm.BUILD / kernel / "System.map").read_text().splitlines():
        address, _, name = line.split()
        found[name] = address
    return found


def count(kernel, cpu, large, chosen, option="-"):
    """The rows of a set, of one kernel."""
    label = "-".join(("bench", kernel, cpu, chosen) + (() if option == "-" else (option,)))
    counts = kvm.BUILD / f"{label}.counts"
    where = symbols(kernel)
    plugin = [f"{kvm.PROGRAMS}/count.so", f"out={counts}", f"vectors={where['vectors']}"]
    names = {n for functions in WAYS.values() for n in functions}
    plugin += [f"fn={n}:{where[n]}" for n in (*sorted(names), *LATER, *WAITING, COLLECT)
               if n in where]
    plugin += [f"not={n}:{where[n]}" for n in OTHERS if n in where]
    initrd = kvm.BUILD / f"{label}.cpio"
    kvm.archive({"init": (kvm.PROGRAMS / "init").read_bytes(),
                 "bench": (kvm.PROGRAMS / "bench").read_bytes(),
                 "tests": f"bench\t3000\t{option}\t/bench {large} {chosen}\n".encode()},
                initrd)
    cpus, shift = SETS[chosen]
    lines = kvm.boot(label, kvm.qemu(
        kvm.BUILD / kernel / "arch/arm64/boot/Image", initrd, cpu, smp=cpus,
        extra=("-icount", f"shift={shift},sleep=off", "-plugin", ",".join(plugin))),
        kvm.BUILD / f"{label}.log", [3000])
    phases = [line.split()[1:] for line in lines if line.startswith("##PHASE ")]
    records = [json.loads(line) for line in counts.read_text().splitlines()]
    if not phases or len(phases) != len(records) or \
            kvm.results(lines)[0].get("bench") != "pass":
        sys.exit(f"{kernel}: {len(phases)} phases, {len(records)} records; {label}.log")
    return [row(kind, int(size), int(entries), way, record)
            for (kind, size, entries, way), record in zip(phases, records)]


def total(record, names, what="sum"):
    """Counts of some functions together."""
    result = {}
    for name in names:
        for key, value in record.get(name, {}).get(what, {}).items():
            result[key] = result.get(key, 0) + value
    return result


def paired(kernels):
    """The rows of each kernel beside each other: they have run the same."""
    for rows in zip(*kernels, strict=True):
        assert len({(r["kind"], r["bytes"], r["way"]) for r in rows}) == 1, rows
        yield rows


def row(kind, size, entries, way, record):
    main = WAYS[way]
    counts = total(record, main)
    # KVM may drop the lock between two calls.
    held = [record[n]["longest"]["instructions"] for n in record
            if n in main and way != "close" and n != "kvm_arch_sync_dirty_log"
            or n == COLLECT]
    return {
        "kind": kind, "bytes": size, "entries": entries, "way": way,
        "calls": sum(record[n]["calls"] for n in main if n in record),
        "faults": sum(record[n]["calls"] for n in FAULTS),
        "instructions": counts["instructions"],
        "clean_loop": counts["clean_loop"],
        "dc_civac": counts["dc_civac"],
        "tlbi": sum(counts[t] for t in TLBIS),
        "local_tlbi": counts["local"],
        "dsb": counts["dsb"],
        "lock_held": max(held, default=0),
        "waiting": total(record, WAITING).get("instructions", 0),
        "deferred": total(record, LATER).get("instructions", 0),
        "kernel": record["total"],
    }


def size_text(size):
    return f"{size >> 30}G" if size >= 1 << 30 else f"{size >> 20}M"


def name_of(r):
    return f"{r['kind']} {size_text(r['bytes'])} {r['way']}"


def in_all(r):
    return r["instructions"] + r["waiting"] + r["deferred"]


def slower(stock, ours):
    """In which of the two columns."""
    return [what for what, cost in (("under the lock", lambda r: r["instructions"]),
                                    ("in all", in_all))
            if cost(ours) > TOLERANCE * cost(stock)]


def table(rows, out):
    """All rows; how many are slower than stock."""
    head = ("instructions", "in all", "in DC CIVAC", "TLBI", "DSB", "lock held", "faults")
    print(f"{'case':26}{'':7}" + "".join(f"{h:>14}" for h in head), file=out)
    bad = 0
    for stock, ours in rows:
        for label, r in (("stock", stock), ("ours", ours)):
            print(f"{name_of(stock) if label == 'stock' else '':26}{label:7}" + "".join(
                f"{n:>14,}" for n in (r["instructions"], in_all(r), r["clean_loop"],
                                      r["tlbi"], r["dsb"], r["lock_held"], r["faults"])),
                  file=out)
        wrong = slower(stock, ours)
        bad += bool(wrong)
        ratios = "".join(f"{cost(ours) / max(cost(stock), 1):>14.3f}"
                         for cost in (lambda r: r["instructions"], in_all))
        print(f"{'':26}{'':7}{ratios}  {'<- SLOWER ' + ', '.join(wrong) if wrong else ''}"
              .rstrip(), file=out)
    return bad


def longest(rows, out):
    for side, label in enumerate(("stock", "ours")):
        r = max((pair[side] for pair in rows), key=lambda r: r["lock_held"])
        print(f"longest hold of the MMU lock, {label}: {r['lock_held']:,} instructions "
              f"({name_of(r)})", file=out)


def logging(three, out):
    print(f"\n{'a round of dirty logging':26}{'':18}{'faults':>10}{'stage 2':>14}"
          f"{'kernel':>14}{'TLBI':>9}{'local':>9}", file=out)
    for rows in three:
        for label, r in zip(("stock", "ours", "ours, hw_dirty_log"), rows):
            print(f"{name_of(r) if label == 'stock' else '':26}{label:18}"
                  f"{r['faults']:>10,}{r['instructions']:>14,}{r['kernel']:>14,}"
                  f"{r['tlbi']:>9,}{r['local_tlbi']:>9,}", file=out)


def markdown():
    """The table of docs/kvm.md, from what has been measured."""
    def chosen(cpu, folder=kvm.ROOT / "build/kvm"):
        rows = json.loads((folder / "bench.json").read_text())[cpu]["rows"]
        return {f"{s['kind']} {s['way']}": (s, o) for s, o in rows} | {
            size_text(s["bytes"]): (s, o) for s, o in rows
            if (s["kind"], s["way"]) == ("4k", "dontneed")}

    def ratio(pair):
        return f"{pair[1]['instructions'] / pair[0]['instructions']:.3f}" if pair else ""

    cpus = {cpu: chosen(cpu) for cpu in kvm.CPUS}
    newer = chosen("max", kvm.ROOT / "build/kvm/7.3")
    print("| what | MiB | stock | ours | stock, in all | ours, in all | `max`, 7.3 "
          "| `neoverse-n1` | `cortex-a57` |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for key, text in SHOWN.items():
        pair = cpus["max"].get(key)
        cells = ["", "", "", "", ""] if not pair else [
            pair[0]["bytes"] >> 20, *(f"{n:,}" for n in (
                pair[0]["instructions"], pair[1]["instructions"], in_all(pair[0]),
                in_all(pair[1])))]
        print("|", " | ".join(map(str, (text, *cells, ratio(newer.get(key)),
                                        ratio(cpus["neoverse-n1"].get(key)),
                                        ratio(cpus["cortex-a57"].get(key))))), "|")
    print("\n| CPU | what | kernel | instructions | in DC CIVAC | TLBI | DSB "
          "| longest hold |\n|---|---|---|--:|--:|--:|--:|--:|")
    for cpu, rows in cpus.items():
        for label, r in zip(("stock", "ours"), rows["64M"]):
            print(f"| `{cpu}` | 64 MiB, 4 KiB pages, DONTNEED | {label} "
                  f"| {r['instructions'] - r['clean_loop']:,} | {r['clean_loop']:,} "
                  f"| {r['tlbi']:,} | {r['dsb']:,} | {r['lock_held']:,} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpu", default="max",
                        help="one or more of " + ", ".join(kvm.CPUS) + "; or all")
    parser.add_argument("--large", type=int, default=256,
                        help="MiB of the large cases (default 256)")
    parser.add_argument("--sets", default=",".join(SETS),
                        help=f"which cases (default {','.join(SETS)})")
    parser.add_argument("--markdown", action="store_true",
                        help="print the table of docs/kvm.md, and measure nothing")
    args = parser.parse_args()
    if args.markdown:
        return markdown()
    cpus = kvm.CPUS if args.cpu == "all" else args.cpu.split(",")
    if not set(cpus) <= set(kvm.CPUS):
        parser.error(f"--cpu: {args.cpu}")
    kvm.build_kernels()
    if not (kvm.BUILD / "stock/usr/include").exists():
        kvm.build_headers()
    kvm.build_programs({"init": ["init.c", "vm.c"], "bench": ["bench.c", "vm.c"]})
    plugin = kvm.PROGRAMS / "count.so"
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
                    "-fvisibility=hidden", "-o", plugin, kvm.PORT / "tests/count.c"],
                   check=True)
    kvm.say(f"measure Linux {kvm.KERNEL} on {', '.join(cpus)}")
    output = kvm.BUILD / "bench.json"
    results = json.loads(output.read_text()) if output.exists() else {}
    lines = []
    for cpu in cpus:
        rows, rounds = [], []
        for chosen in args.sets.split(","):
            both = [count(k, cpu, args.large, chosen) for k in ("stock", "ours")]
            # Where hardware sets the access flag there is no fault for it.
            rows += [pair for pair in paired(both) if any(r["calls"] for r in pair)]
            if chosen == "log" and cpu == "max":
                rounds = list(paired([*both, count("ours", cpu, args.large, chosen,
                                                   "hwdirty")]))
        print(f"\n{cpu}")
        bad = table(rows, sys.stdout)
        longest(rows, sys.stdout)
        if rounds:
            logging(rounds, sys.stdout)
        results[cpu] = {"rows": rows, "rounds": rounds}
        output.write_text(json.dumps(results, indent=1) + "\n")
        lines.append((f"Linux {kvm.KERNEL}, {cpu}: {len(rows)} rows, {bad} slower", bad))
    kvm.say("\n" + "\n".join(line for line, _ in lines))
    return 1 if any(bad for _, bad in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
