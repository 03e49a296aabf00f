#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# headers.sh SOURCE_ROOT: the public header compiles alone, as C11 and as C++.
set -eu

flags="-fsyntax-only -Wall -Wextra -Werror -I$1/include"
printf '#include <stage2/stage2.h>\n' >"${TMPDIR:-/tmp}/stage2-header.$$"
trap 'rm -f "${TMPDIR:-/tmp}/stage2-header.$$"' EXIT

# shellcheck disable=SC2086 # a list of words
for lang in 'gcc -x c -std=c11 -pedantic' 'gcc -x c -std=gnu17' \
	'aarch64-linux-gnu-gcc -x c -std=c11 -ffreestanding' \
	'g++ -x c++ -std=c++11' 'g++ -x c++ -std=c++20'; do
	echo "$lang"
	$lang $flags "${TMPDIR:-/tmp}/stage2-header.$$"
done
