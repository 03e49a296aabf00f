# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the engine adds to a source tree of Linux, and the few lines that it edits there.

make kvm builds such a tree, and make kvm-series writes it as a series of patches.
"""

import pathlib
import re
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = ROOT / "ports/linux"
KVM = "arch/arm64/kvm"
STAGE2 = f"{KVM}/hyp/stage2"
OPTION = "KVM_ARM64_STAGE2_ENGINE"
INDEX = "Documentation/virt/kvm/arm/index.rst"
DOCUMENT = "Documentation/virt/kvm/arm/stage2-engine.rst"

# Files of the engine that KVM does not need: what the profile in stage2_port.h leaves
# out, and what is not called.
LEFT_OUT = {f"extra/{name}.c" for name in
            ("batch", "collapse", "counted", "flush", "note", "run", "survey")}

KCONFIG = f"""config {OPTION}
	bool "Stage-2 page tables by the stage2 engine (EXPERIMENTAL)"
	depends on KVM
	default n
	help
	  Say Y here to let the stage2 engine manage the page tables of guests.
	  Unmapping a range then costs a constant number of TLB invalidations
	  and barriers, and page tables are freed later, by a worker.

	  Protected KVM keeps its own code at EL2.

	  If unsure, say N.

"""

# The first kernel whose stage-2 functions are those of compat.h's second half.
NEWER = (7, 0)

# Where pgtable.c has the functions that the engine replaces: from, to (not included).
REPLACED_ALWAYS = (
    ("#define KVM_S2_MEMATTR(", "enum kvm_pgtable_prot kvm_pgtable_stage2_pte_prot("),
    ("static bool stage2_pte_needs_update(", "size_t kvm_pgtable_stage2_pgd_size("),
)
REPLACED_6 = (
    ("static bool kvm_pgtable_walk_skip_bbm_tlbi(", "static bool kvm_phys_is_valid("),
    ("static kvm_pte_t kvm_init_invalid_leaf_owner(", "static int kvm_pgtable_visitor_cb("),
    ("static bool stage2_has_fwb(", "void kvm_tlb_flush_vmid_range("),
    ("static int stage2_free_walker(", None),
)
REPLACED_7 = (
    ("static bool kvm_pgtable_walk_skip_bbm_tlbi(",
     "static bool kvm_block_mapping_supported("),
    ("static int stage2_free_leaf(", None),
)


def between(text, start, end):
    """The text before, the part from start to end, and the text after."""
    assert text.count(start) == 1, start
    at = text.index(start)
    to = text.index(end, at) if end else len(text)
    return text[:at], text[at:to], text[to:]


def edit_pgtable(text, version):
    for start, end in REPLACED_ALWAYS + (REPLACED_6 if version < NEWER else REPLACED_7):
        before, part, after = between(text, start, end)
        text = f"{before}#ifdef STAGE2_TABLES\n{part.rstrip()}\n#endif\n" + \
            ("\n" + after if after else "")
    before, part, after = between(text, "struct kvm_pgtable_walk_data {\n", None)
    return f"""{before}/* pKVM at EL2 keeps these functions, also where the host has others. */
#if !defined(CONFIG_{OPTION}) || defined(__KVM_NVHE_HYPERVISOR__)
#define STAGE2_TABLES
#endif

{part}{after}"""


def edit_tlb(text):
    """Without the structure, which is in a header then; its functions not static."""
    before, _, after = between(text, "struct tlb_inv_context {", "static void enter")
    text = before + after
    for name in ("enter", "exit"):
        assert text.count(f"static void {name}_vmid_context(") == 1
        text = re.sub(rf"static (void {name}_vmid_context\([^)]*\))",
                      lambda m: re.sub(r"\n\t+ *", "\n\t\t\t", m[1]), text)
    return text.replace("#include <asm/tlbflush.h>\n",
                        '#include <asm/tlbflush.h>\n\n#include "tlb.h"\n')


def tlb_header(text):
    _, part, _ = between(text, "struct tlb_inv_context {", "static void enter")
    return f"""/* SPDX-License-Identifier: GPL-2.0-only */
/* The context in which a VHE host invalidates the TLB entries of a VMID. */
#ifndef __ARM64_KVM_VHE_TLB_H__
#define __ARM64_KVM_VHE_TLB_H__

#include <linux/types.h>

struct kvm_s2_mmu;

{part.rstrip()}

void enter_vmid_context(struct kvm_s2_mmu *mmu, struct tlb_inv_context *cxt);
void exit_vmid_context(struct tlb_inv_context *cxt);

#endif /* __ARM64_KVM_VHE_TLB_H__ */
"""


RST = """.. SPDX-License-Identifier: GPL-2.0

=====================
Stage-2 table engine
=====================

With ``CONFIG_KVM_ARM64_STAGE2_ENGINE`` the functions ``kvm_pgtable_stage2_*()`` of the
host are those of ``arch/arm64/kvm/hyp/stage2/linux/``, on an engine that knows nothing of
Linux. What is built for EL2, and with it protected KVM, is not changed.

What differs:

- Unmapping a range detaches each topmost table that is wholly in it, and invalidates the
  TLB once for all of it.
- Detached tables are freed by a worker, after an RCU grace period. Those of a VM that
  ends are, too. More than 64 MiB of tables of one VM do not wait: the call that detaches
  more frees them itself.
- Invalid entries may hold a marker while a call is under way. Valid entries have the
  format of the architecture, so a walk by ``kvm_pgtable_walk()`` works.
- ``kvm_stage2.hw_dirty_log=1`` lets hardware log the dirty pages of VMs that are created
  from then on (FEAT_HAFDBS). It has no effect where the CPUs cannot, and none on a VM
  with a dirty ring.

``/sys/kernel/debug/stage2/tables`` shows what each VM has mapped.
"""

DIRTY_HEADER = f"""/* SPDX-License-Identifier: GPL-2.0-only */
/* Dirty pages that hardware logs: arch/arm64/kvm/hyp/stage2/linux/dirty.c. */
#ifndef __ASM_KVM_STAGE2_H__
#define __ASM_KVM_STAGE2_H__

struct kvm;
struct kvm_memory_slot;

#ifdef CONFIG_{OPTION}
void stage2_dirty_begin(struct kvm *kvm, const struct kvm_memory_slot *slot);
void stage2_dirty_sync(struct kvm *kvm, const struct kvm_memory_slot *slot);
void stage2_dirty_end(struct kvm *kvm, const struct kvm_memory_slot *slot);
#else
static inline void stage2_dirty_begin(struct kvm *kvm, const struct kvm_memory_slot *slot)
{{
}}

static inline void stage2_dirty_sync(struct kvm *kvm, const struct kvm_memory_slot *slot)
{{
}}

static inline void stage2_dirty_end(struct kvm *kvm, const struct kvm_memory_slot *slot)
{{
}}
#endif

#endif /* __ASM_KVM_STAGE2_H__ */
"""


def replaced(text, *pairs):
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


# The MMU lock may be dropped between two calls. (It is 8 MiB of DC CIVAC for a call, in
# place of 1 GiB.) Tables that are pKVM's, which those of 7.x are in protected mode, go in
# the steps that they go in without the engine.
STEP = f"""	if (IS_ENABLED(CONFIG_{OPTION}) &&
	    !cpus_have_final_cap(ARM64_HAS_STAGE2_FWB))
		size = SZ_8M;

"""
STEP_PKVM = STEP.replace(" &&\n", " && !is_protected_kvm_enabled() &&\n")

# Not needed, and a call for each GiB of the guest's address space.
DESTROY = f"""	if (!IS_ENABLED(CONFIG_{OPTION}) || is_protected_kvm_enabled())
		stage2_destroy_range(pgt, 0, BIT(ia_bits));
"""


def edit_mmu(text, version):
    """Ranges whose memory is cleaned go in short steps. Logging begins: hardware's record
    of what was written before is forgotten. Logging ends. The end of a VM is one call."""
    step = "\tphys_addr_t size = kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL);\n\n"
    wp = "\twrite_lock(&kvm->mmu_lock);\n\tkvm_stage2_wp_range(&kvm->arch.mmu, start, end);\n"
    end = "\t\tkvm_mmu_free_memory_cache(&kvm->arch.mmu.split_page_cache);\n\t}\n"
    ranges = "\tstage2_destroy_range(pgt, 0, BIT(ia_bits));\n"
    return replaced(text, ("#include <asm/kvm_pgtable.h>\n",
                           "#include <asm/kvm_pgtable.h>\n#include <asm/kvm_stage2.h>\n"),
                    (step, step + (STEP if version < NEWER else STEP_PKVM)),
                    (wp, "\tstage2_dirty_begin(kvm, memslot);\n" + wp),
                    (end, "\t\tif (change == KVM_MR_FLAGS_ONLY)\n"
                          "\t\t\tstage2_dirty_end(kvm, new);\n" + end),
                    *([] if version < NEWER else [(ranges, DESTROY)]))


def edit_arm(text, version):
    """KVM reads its log, and gets hardware's record first. A VM whose creation fails late
    has tables, which 7.x frees."""
    head = "void kvm_arch_sync_dirty_log(struct kvm *kvm, struct kvm_memory_slot *memslot)\n{\n"
    free = "\tkvm_destroy_mpidr_data(kvm);\n\n\tkfree(kvm->arch.sysreg_masks);\n"
    return replaced(text, ("#include <asm/kvm_ptrauth.h>\n",
                           "#include <asm/kvm_ptrauth.h>\n#include <asm/kvm_stage2.h>\n"),
                    (head + "\n}\n", head + "\tstage2_dirty_sync(kvm, memslot);\n}\n"),
                    *([(free, "\tkvm_uninit_stage2_mmu(kvm);\n" + free)]
                      if version < NEWER else []))


def for_kernel(text, version):
    """What compat.h and compat.c have for this kernel."""
    return re.sub(r"#if LINUX_VERSION_CODE < KERNEL_VERSION\(7, 0, 0\)\n\n(.*?)\n#else\n\n"
                  r"(.*?)\n#endif\n", r"\1" if version < NEWER else r"\2", text, flags=re.S)


def as_in_linux(text):
    """The kernel's names for what the engine takes from the compiler."""
    text = re.sub(r"\n/\*\n[^/]*?\*/\n#if defined\(__OPTIMIZE__\).*?#endif\n"
                  r"\n#define S2_FALLTHROUGH[^\n]*\n", "\n", text, flags=re.S)
    text = re.sub(r"(\w) &(DESC_\w+)", r"\1 & \2", text)
    return text.replace("S2_INLINE ", "static __always_inline ") \
        .replace("S2_APART ", "static noinline ") \
        .replace("S2_FALLTHROUGH;", "fallthrough;")


def added(read, version):
    """{path in the tree: its text}: the engine, its glue, what they need."""
    files = {
        f"{KVM}/hyp/vhe/tlb.h": tlb_header(read(f"{KVM}/hyp/vhe/tlb.c")),
        "arch/arm64/include/asm/kvm_stage2.h": DIRTY_HEADER,
        DOCUMENT: RST,
    }
    for source, target in (("include", "include"), ("src", "src"), ("extra", "extra"),
                           ("ports/linux", "linux")):
        for path in sorted((ROOT / source).rglob("*")):
            name = path.relative_to(ROOT / source)
            if path.suffix in (".c", ".h") and "tests" not in name.parts \
                    and f"{source}/{name}" not in LEFT_OUT:
                files[f"{STAGE2}/{target}/{name}"] = as_in_linux(
                    for_kernel(path.read_text(), version))
    engine = [f"{room}/{name[:-2]}.o" for room in ("src", "extra")
              for name in (ROOT / room / "sources.list").read_text().split()
              if f"{room}/{name}" not in {*LEFT_OUT, "extra/dump.c"}]
    kbuild = (PORT / "Kbuild").read_text()
    files[f"{STAGE2}/Kbuild"] = replaced(
        kbuild, ("@engine@\n", textwrap.fill(" ".join(engine), 70).replace(
            "\n", " \\\n\t") + "\n"), ("for @engine@.", "below."))
    return files


def edited(read, version):
    """{path: its new text} of files of the kernel; read(path) gives the text there."""
    kconfig, end = read(f"{KVM}/Kconfig"), "config PTDUMP_STAGE2_DEBUGFS\n"
    return {
        f"{KVM}/hyp/vhe/tlb.c": edit_tlb(read(f"{KVM}/hyp/vhe/tlb.c")),
        f"{KVM}/hyp/pgtable.c": edit_pgtable(read(f"{KVM}/hyp/pgtable.c"), version),
        f"{KVM}/hyp/Makefile": read(f"{KVM}/hyp/Makefile").rstrip() +
                               f"\nobj-$(CONFIG_{OPTION}) += stage2/\n",
        f"{KVM}/Kconfig": replaced(kconfig, (end, KCONFIG + end)),
        f"{KVM}/mmu.c": edit_mmu(read(f"{KVM}/mmu.c"), version),
        f"{KVM}/arm.c": edit_arm(read(f"{KVM}/arm.c"), version),
        INDEX: read(INDEX).rstrip() + "\n   stage2-engine\n",
    }
