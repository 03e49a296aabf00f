#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# headers.sh SOURCE_ROOT: the public header compiles alone, as C11 and as C++, by gcc and
# by clang if it is there, and may be used from C++.
set -eu

flags="-fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror -I$1/include"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
printf '#include <stage2/stage2.h>\n' >"$dir/header.c"
cat >"$dir/header.cc" <<'EOF'
#include <stage2/stage2.h>
struct guest {
	s2 tables;
	struct s2_survey survey;
	uint64_t where(uint64_t at)
	{
		s2_leaf leaf;
		int err = s2_survey(&tables, s2_ipa(at), 4096, 0, &survey, nullptr);
		return err || s2_translate(&tables, s2_ipa(at), &leaf) ? 0 : leaf.pa.pa;
	}
};
uint64_t look(guest &g)
{
	return g.where(0);
}
EOF

try() {
	if ! command -v "${1%% *}" >/dev/null; then
		echo "skipped, not installed: $1"
		return
	fi
	echo "$1"
	# shellcheck disable=SC2086 # lists of words
	$1 $flags "$dir/$2"
}
for lang in 'gcc -std=c11' 'gcc -std=gnu17' \
	'aarch64-linux-gnu-gcc -std=c11 -ffreestanding' \
	'clang -std=c11' 'clang --target=aarch64-linux-gnu -std=gnu2x -ffreestanding'; do
	try "$lang" header.c
done
for lang in 'g++ -std=c++11' 'g++ -std=c++20' 'clang++ -std=c++11' \
	'clang++ -std=c++20'; do
	try "$lang" header.cc
done
