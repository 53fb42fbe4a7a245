#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# install.sh DESTDIR: build the benchmark of "make bench", and put it into
# DESTDIR/bench, where it needs nothing but a kernel and a shell.
#
# CC names the compiler, if not the usual one.

set -eu

if [ $# -ne 1 ]; then
	echo "usage: install.sh DESTDIR" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
src=$here/../../tools/testing/selftests/freezer
bench=$1/bench

mkdir -p "$bench"
"${CC:-gcc}" -O2 -Wall -D_GNU_SOURCE= -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
	-pthread -static -iquote "$src/lib" \
	-o "$bench/freezer_bench" \
	"$src/freezer_bench.c" "$src"/bench_*.c "$src/lib/freezer_util.c" \
	"$src/lib/freezer_v2.c"
install -m 0755 "$here/run" "$bench"
