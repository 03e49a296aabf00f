# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A thin front to Meson. Each target installs what it needs first (tools/setup.sh).

ROOMS = include src model lab ports tests bench

.DEFAULT_GOAL := all
.PHONY: all setup run test clean format help

all: setup build/build.ninja
	@ninja -C build s2lab

setup:
	@tools/setup.sh

build/build.ninja: | setup
	@meson setup build

run: all
	@python3 -B tools/run.py build

test: setup
	@python3 -B tools/test.py

clean:
	rm -rf build

format:
	@clang-format -i $$(find $(ROOMS) -name '*.[ch]')

help:
	@echo 'make         build build/s2lab'
	@echo 'make run     replay a recorded guest on the model, compare the strategies'
	@echo 'make test    build plainly and with sanitizers, run every test in both'
	@echo 'make clean   remove build/'
	@echo 'make format  format the sources (needs clang-format)'
