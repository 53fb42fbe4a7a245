#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# install.sh DESTDIR: build the demonstration of "make run", and put it into
# DESTDIR/demo, where it needs nothing but a kernel: its programs are static,
# and a busybox with the programs of the job is among them.
#
# CC and BUSYBOX name the compiler and a static busybox, if not the usual ones.

set -eu

if [ $# -ne 1 ]; then
	echo "usage: install.sh DESTDIR" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
demo=$1/demo
cc=${CC:-gcc}
busybox=${BUSYBOX:-$(command -v busybox || true)}

if [ ! -x "$busybox" ]; then
	echo "install.sh: no busybox; install busybox-static" >&2
	exit 1
fi

compile() {
	"$cc" -O2 -Wall -Wextra -Wno-format-truncation \
		'-D__printf(a, b)=__attribute__((format(printf, a, b)))' \
		-static -o "$@"
}

mkdir -p "$demo/bin"
compile "$demo/bin/demo" "$here/demo.c" "$here/measure.c" "$here/screen.c"
compile "$demo/bin/gen" "$here/gen.c"

if cmp -s "$busybox" "$1/bin/busybox"; then
	ln -sf ../../bin/busybox "$demo/bin/busybox"
else
	cp "$busybox" "$demo/bin/busybox"
fi
for name in sh awk bunzip2 bzip2 cat dd gunzip gzip losetup mkdir mke2fs mount \
	mv rm seq sha256sum sort tee umount; do
	ln -sf busybox "$demo/bin/$name"
done
install -m 0755 "$here/run" "$here/job.sh" "$demo"
install -m 0644 "$here/parts" "$demo"
