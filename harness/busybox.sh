#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# busybox.sh: print the path of the static busybox that goes into the guest, BUSYBOX= or the one of Debian's busybox-static.
# A dynamic one names an interpreter in its program headers.

for busybox in "${BUSYBOX:-}" /bin/busybox /usr/bin/busybox; do
	[ -x "$busybox" ] || continue
	if ! readelf -lW "$busybox" 2>/dev/null | grep -q INTERP; then
		echo "$busybox"
		exit 0
	fi
done
echo "no static busybox; install busybox-static" >&2
exit 1
