# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A front end to Meson. Each target first installs what it needs (tools/setup.sh).

ROOMS = include src extra model lab ports examples tests fuzz bench

.DEFAULT_GOAL := all
.PHONY: all setup install run test long fuzz fuzz-seeds fuzz-judge bench baseline \
	guest guest-test guest-bench setup-kvm kvm kvm-bench kvm-debug kvm-diff \
	kvm-series record setup-xen xen xen-bench dist clean format \
	format-check check help mutants prove weak herd

all: setup build/build.ninja
	@ninja -C build s2lab

setup:
	@tools/setup.sh

# s2lab, its man pages and the completion for bash, below /usr/local, or below $(DESTDIR).
install: all
	@ninja -C build s2lab.1
	@meson install -C build --no-rebuild

build/build.ninja: | setup
	@meson setup build

run: all
	@python3 -B tools/run.py build

# ALSO: what else this run did, counted in the totals: NAME=passed, failed or skipped;
# several with commas between.
test: setup
	@python3 -B tools/test.py $(if $(ALSO),--also '$(ALSO)')

# The tests of the suite "check": what finds most for its time.
check: all
	@ninja -C build
	@meson test -C build --no-rebuild --print-errorlogs --suite check \
		--timeout-multiplier 4

# The random runs, as long as they should be before a release.
long: all
	@ninja -C build tests/engine/judged tests/engine/nested \
		tests/concurrent/test_orders
	@meson test -C build --no-rebuild --benchmark --suite long

# The shared calls on weakly ordered memory, with larger bounds than in make test.
weak: all
	@ninja -C build tests/concurrent/test_orders
	@meson test -C build --no-rebuild --benchmark --suite weak --verbose

# The verdicts of the litmus tests, by herd7 in a root of its own (build/herd).
herd: setup
	@tools/setup.sh debootstrap
	@python3 -B tools/herd.py build/herd

# Runs without end, or for FUZZ_TIME seconds. A fault leaves a file in build/fuzz/;
# build/tests/engine/judged FILE shortens it. fuzz-seeds keeps inputs with new coverage.
FUZZ_TIME ?= 0
FUZZ = build/fuzz/fuzz/fuzz_engine -max_len=2048
build/fuzz/fuzz/fuzz_engine: setup
	@tools/setup.sh clang libclang-rt-14-dev
	@[ -e build/fuzz/build.ninja ] || CC=clang meson setup build/fuzz \
		-Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build/fuzz fuzz/fuzz_engine

fuzz: build/fuzz/fuzz/fuzz_engine
	@mkdir -p build/fuzz/corpus
	$(FUZZ) -len_control=0 -timeout=60 -max_total_time=$(FUZZ_TIME) \
		-artifact_prefix=build/fuzz/ build/fuzz/corpus fuzz/seeds

fuzz-seeds: build/fuzz/fuzz/fuzz_engine
	$(FUZZ) -merge=1 fuzz/seeds build/fuzz/corpus

# The reader of s2lab judge; its seeds are the traces of data/judge.
fuzz-judge: build/fuzz/fuzz/fuzz_engine
	@ninja -C build/fuzz fuzz/fuzz_judge
	@mkdir -p build/fuzz/judge
	build/fuzz/fuzz/fuzz_judge -max_len=8192 -timeout=20 -rss_limit_mb=4096 \
		-max_total_time=$(FUZZ_TIME) -artifact_prefix=build/fuzz/ \
		build/fuzz/judge data/judge

# Small changes of the engine, N of them drawn by SEED: how many do the tests notice?
N = 300
SEED = 1
mutants: all
	@tools/setup.sh clang
	@python3 -B tools/mutants.py -n $(N) --seed $(SEED)

# Statements about all inputs, proven by CBMC and Frama-C. WORD: those whose name has it.
prove: setup
	-@tools/setup.sh frama-c-base
	@python3 -B tools/prove.py $(WORD)

bench: all
	@tools/setup.sh linux-source-6.12
	@python3 -B tools/bench.py build

baseline: all
	@ninja -C build baseline

# A Debian guest on the EL2 monitor under QEMU: CPU=max, neoverse-n1, cortex-a57;
# VCPUS, PAGES, SEED, MEM (the guest's MiB), PLANT (a fault: docs/el2.md).
guest_options = $(if $(CPU),--cpu $(CPU)) $(if $(VCPUS),--vcpus $(VCPUS)) \
	$(if $(PAGES),--pages $(PAGES)) $(if $(SEED),--seed $(SEED)) \
	$(if $(MEM),--mem $(MEM)) $(if $(PLANT),--plant $(PLANT)) \
	$(if $(LIMIT),--limit $(LIMIT))

guest: setup
	@python3 -B tools/guest.py boot $(guest_options)

guest-test: setup
	@python3 -B tools/guest.py target $(guest_options)

guest-bench: setup
	@python3 -B tools/guest.py bench $(guest_options)

# The engine inside Linux (docs/kvm.md). CPU: max, neoverse-n1 or cortex-a57.
# LIST=short: fewer tests. MODE: of KVM. CONFIG: of the kernels, in place of pages of 4
# KiB and gcc. LARGE: MiB of the bench's large cases. KERNEL: 6.12, or 7.3, which is
# fetched.
CPU = max
export KERNEL = 6.12
LARGE = 256
# 7.3 needs clang 15.
CLANG_6.12 = clang
CLANG_7.3 = clang-19

setup-kvm: setup
	@tools/setup.sh linux-source-6.12 bc bison flex cpio rsync libelf-dev libssl-dev \
		device-tree-compiler

kvm: setup-kvm all
	@$(if $(filter clang,$(CONFIG)),tools/setup.sh $(CLANG_$(KERNEL)))
	@python3 -B tools/kvm.py test --cpu $(CPU) $(if $(LIST),--$(LIST)) \
		$(if $(MODE),--mode $(MODE)) $(if $(CONFIG),--config $(CONFIG))

kvm-bench: setup-kvm
	@python3 -B tools/kvm_bench.py --cpu $(CPU) --large $(LARGE)

kvm-debug: setup-kvm all
	@python3 -B tools/kvm.py debug --cpu $(CPU)

kvm-diff: setup-kvm
	@python3 -B tools/kvm.py diff $(if $(CALLS),--calls $(CALLS)) \
		$(if $(SEED),--seed $(SEED))

kvm-series: setup-kvm
	@tools/setup.sh sparse
	@python3 -B tools/kvm_series.py

# record.sh on Debian's own kernels, old to new, which are fetched (docs/record.md).
record: all
	@python3 -B tools/record.py

# The engine inside Xen (docs/xen.md). CPU: max, cortex-a57 or cortex-a53.
setup-xen: setup
	@tools/setup.sh dpkg-dev bc bison flex device-tree-compiler

xen: setup-xen
	@python3 -B tools/xen.py test --cpu $(CPU) $(if $(TESTS),--tests $(TESTS))

xen-bench: setup-xen
	@python3 -B tools/xen_bench.py --cpu $(CPU)

# A tarball of what is here, with the two-file form, in build/.
dist:
	@python3 -B tools/dist.py build

clean:
	rm -rf build

# By Debian 12's clang-format 14. The second changes nothing, and fails if it would.
format:
	@clang-format -i $$(find $(ROOMS) -name '*.[ch]')

format-check:
	@clang-format --dry-run -Werror $$(find $(ROOMS) -name '*.[ch]')

help:
	@echo 'make         build build/s2lab'
	@echo 'make install s2lab, man pages and completion, below /usr/local'
	@echo 'make run     replay a recorded guest on the model, compare the strategies'
	@echo 'make test    build plainly and with sanitizers, run every test in both'
	@echo 'make check   the tests worth running after each change, in two minutes'
	@echo 'make long    the random runs that make test cuts short'
	@echo 'make weak    shared calls on weakly ordered memory, for minutes'
	@echo 'make herd    the verdicts of the litmus tests, by herd7 (debootstrap)'
	@echo 'make fuzz    fuzz the engine, or FUZZ_TIME=seconds of it (clang)'
	@echo 'make fuzz-judge  fuzz the reader of s2lab judge (clang)'
	@echo 'make mutants [N=...] [SEED=...]'
	@echo '             how many small changes of the engine the tests notice'
	@echo 'make prove [WORD=...]'
	@echo '             have CBMC and Frama-C prove what docs/proofs.md lists'
	@echo 'make bench   measure every operation beside Linux 6.12, print one table'
	@echo 'make baseline  let tests/guard compare with what the engine costs now'
	@echo 'make guest   Debian on the EL2 monitor under QEMU, and an unmap storm'
	@echo 'make guest-test  the engine on target, judged by the emulated MMU'
	@echo 'make guest-bench  instructions at EL2 for unmap and map'
	@echo 'make kvm [CPU=max|neoverse-n1|cortex-a57] [LIST=short]'
	@echo '         [MODE=nvhe|protected|nested] [CONFIG=16k|64k|rt|clang]'
	@echo '         [KERNEL=6.12|7.3], for the commands below, too'
	@echo '             Linux with the engine under KVM: its selftests, in QEMU'
	@echo 'make kvm-bench [CPU=...|all] [LARGE=MIB]'
	@echo '             what the calls of KVM cost; none may be slower than stock'
	@echo 'make kvm-debug'
	@echo '             the short list on kernels with lock, RCU and memory checks'
	@echo 'make kvm-diff [CALLS=N] [SEED=N]'
	@echo '             the stock functions and ours in one program, random calls'
	@echo 'make kvm-series'
	@echo '             the engine under KVM as patches that can be sent'
	@echo 'make record  record.sh on Debian kernels from 6.1 to the newest, in QEMU'
	@echo 'make xen [CPU=max|cortex-a57|cortex-a53] [TESTS=rounds,stale]'
	@echo '             Xen with the engine as its p2m: guests in QEMU'
	@echo 'make xen-bench [CPU=...]'
	@echo '             what the p2m costs in Xen, stock against ours'
	@echo 'make dist    make a tarball, with the two-file form of the library'
	@echo 'make clean   remove build/'
	@echo 'make format  format the sources (needs clang-format 14)'
