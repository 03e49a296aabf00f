#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# vendor.sh [--profile core|hypervisor|all] [--with FILE]... DEST
#
# Copy what an embedder needs into the folder DEST:
#
#   DEST/include, DEST/src   the API and the engine
#   DEST/extra               the files of extra/ that the profile has (default: all), and
#                            each FILE, a name without .c: dump, survey, ...
#   DEST/port/stage2_port.h  the template, with the profile. If there is such a file, it
#                            is yours and stays as it is
#   DEST/sources.list        the .c files to compile, one on each line
#   DEST/LICENSES            the licences
#   DEST/VENDORED            version, commit, profile, and the list of the copied files
#
# Run it again to update: the files that DEST/VENDORED lists are removed first.
set -eu

help() {
	sed -n 's/^# \{0,1\}//; 4,/^Run it again/p' "$0"
}

usage() {
	help >&2
	exit 2
}

profile=all
with=
while [ $# -gt 0 ]; do
	case $1 in
	--profile)
		[ $# -gt 1 ] || usage
		profile=$2
		shift 2
		;;
	--with)
		[ $# -gt 1 ] || usage
		with="$with $2"
		shift 2
		;;
	--help)
		help
		exit 0
		;;
	-*) usage ;;
	*) break ;;
	esac
done
[ $# = 1 ] || usage
case $profile in
core) level=0 ;;
hypervisor) level=1 ;;
all) level=2 ;;
*) usage ;;
esac
mkdir -p "$1"
dest=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."

# src/profile.h names the files of each constant in the comment before it, and in the
# next lines the profile from which on it is 1. No constant needs dump.c.
extra=$(awk -v level="$level" '
	/^#ifndef S2_PROFILE$/ { seen = 1 }
	/^#endif/ { files = "" }
	{
		line = $0
		while (match(line, /extra\/[a-z]+\.c/)) {
			files = files " " substr(line, RSTART + 6, RLENGTH - 8)
			line = substr(line, RSTART + RLENGTH)
		}
	}
	/^#define S2_USE_.* >= S2_PROFILE_HYPERVISOR/ { if (level >= 1) print files }
	/^#define S2_USE_.* >= S2_PROFILE_ALL/ { if (level >= 2) print files }
' src/profile.h)
[ "$profile" != all ] || extra="$extra dump"
for name in $with; do
	if ! [ -e "extra/$name.c" ]; then
		echo "vendor.sh: there is no extra/$name.c" >&2
		exit 2
	fi
done

if [ -e .git ]; then
	commit=$(git rev-parse HEAD || echo unknown)
	git diff --quiet HEAD -- include src extra ports/template || commit="$commit, changed"
else
	commit=$(head -n 1 COMMIT) # made by make dist
fi

if [ -e "$dest/VENDORED" ]; then
	sed -n 's/^file: //p' "$dest/VENDORED" | while read -r file; do
		rm -f "$dest/$file"
	done
fi

# shellcheck disable=SC2013,SC2086 # lists of words
list=$(mktemp)
trap 'rm -f "$list"' EXIT
copy() {
	mkdir -p "$dest/$(dirname "$1")"
	cp "$1" "$dest/$1"
	echo "file: $1" >>"$list"
}
for file in include/stage2/*.h src/*.h LICENSES/*; do
	copy "$file"
done
sources=
for file in $(cat src/sources.list); do
	sources="$sources src/$file"
done
for name in $(printf '%s\n' $extra $with | sort -u); do
	sources="$sources extra/$name.c"
done
for file in $sources; do
	copy "$file"
done
printf '%s\n' $sources >"$dest/sources.list"
echo "file: sources.list" >>"$list"

if [ -e "$dest/port/stage2_port.h" ]; then
	echo "port/stage2_port.h stays as it is; compare it with ports/template/stage2_port.h"
else
	mkdir -p "$dest/port"
	define="S2_PROFILE S2_PROFILE_$(echo "$profile" | tr a-z A-Z)"
	sed "s|^#define STAGE2_TEMPLATE_PORT_H\$|&\n\n#define $define|" \
		ports/template/stage2_port.h >"$dest/port/stage2_port.h"
fi
{
	echo "libstage2 $(cat VERSION)"
	echo "commit: $commit"
	echo "profile: $profile${with:+, with$with}"
	cat "$list"
} >"$dest/VENDORED"
echo "libstage2 $(cat VERSION): $(printf '%s\n' $sources | wc -l) files to compile," \
	"in $dest/sources.list"
