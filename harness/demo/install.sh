#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# install.sh DESTDIR: build the demonstration of "make run", and put it into DESTDIR/demo. Its
# programs are static; those of the job are DESTDIR/bin/busybox. CC is the compiler.

set -eu

if [ $# -ne 1 ]; then
	echo "usage: install.sh DESTDIR" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
demo=$1/demo
cc=${CC:-gcc}

compile() {
	"$cc" -O2 -Wall -Wextra -Wno-format-truncation -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
		'-D__printf(a, b)=__attribute__((format(printf, a, b)))' \
		-static -o "$@"
}

mkdir -p "$demo/bin"
compile "$demo/bin/demo" "$here/demo.c"
compile "$demo/bin/gen" "$here/gen.c"

for name in sh awk bunzip2 bzip2 cat dd find gunzip gzip head mkdir mke2fs mount mv rm seq \
	sha256sum sleep sort tee unshare wc; do
	ln -sf ../../bin/busybox "$demo/bin/$name"
done
install -m 0755 "$here/run" "$here/containers" "$here/job.sh" "$demo"
install -m 0644 "$here/parts" "$demo"
