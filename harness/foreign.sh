#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# foreign.sh: get the busybox of a guest of another architecture than this machine's, to
# out/foreign/ARCH/busybox: the one of Debian's busybox-static, by an apt of its own. Where Debian
# has no release of the architecture (ARCH_DEBIAN_SUITE is empty) it is compiled here, from Debian's
# source.

. "$(dirname "$0")/lib.sh"
. "$TOP/harness/apt-lib.sh"

[ -n "$FOREIGN" ] || exit 0
dir=$OUT/foreign/$ARCH
log=$dir/busybox.log
[ -z "${BUSYBOX:-}" ] || exit 0
[ ! -x "$dir/busybox" ] || exit 0
mkdir -p "$dir"
take_lock "$dir/.lock"
[ ! -x "$dir/busybox" ] || exit 0

unpacked() {
	rm -rf "$dir/deb"
	mkdir -p "$dir/deb"
	(cd "$dir/deb" && apt-get "${own_apt[@]}" download busybox-static) || return 1
	dpkg-deb --fsys-tarfile "$dir/deb"/busybox-static_*.deb | tar -xO ./bin/busybox \
		>"$dir/busybox.new" ||
		dpkg-deb --fsys-tarfile "$dir/deb"/busybox-static_*.deb |
		tar -xO ./usr/bin/busybox >"$dir/busybox.new" || return 1
}

# The source as it comes from upstream: what Debian changes in it does not matter here.
compiled() {
	rm -rf "$dir/src"
	mkdir -p "$dir/src"
	(cd "$dir/src" && apt-get "${own_apt[@]}" source --download-only busybox) || return 1
	tar -xf "$dir/src"/busybox_*.orig.tar.* -C "$dir/src" --strip-components=1 || return 1
	(
		cd "$dir/src" || exit 1
		unset MAKEFLAGS MFLAGS CONFIG
		cross=(ARCH="$ARCH_KERNEL" CROSS_COMPILE="$CROSS_COMPILE")
		make "${cross[@]}" defconfig || exit 1
		# tc needs headers of older kernels.
		sed -i -e 's/^# CONFIG_STATIC is not set/CONFIG_STATIC=y/' \
			-e 's/^CONFIG_TC=y/# CONFIG_TC is not set/' .config
		yes '' | make "${cross[@]}" oldconfig
		make "${cross[@]}" -j"$JOBS" busybox
	) || return 1
	cp "$dir/src/busybox" "$dir/busybox.new"
	rm -rf "$dir/src"
}

get() {
	if [ -n "$ARCH_DEBIAN_SUITE" ]; then
		each_mirror "$dir/apt" "$ARCH_DEBIAN" "$ARCH_DEBIAN_SUITE" unpacked
	else
		each_mirror "$dir/apt" "$(dpkg --print-architecture)" src:bookworm compiled
	fi
}

from="compiled from Debian's source, some minutes"
[ -z "$ARCH_DEBIAN_SUITE" ] || from="of Debian's $ARCH_DEBIAN_SUITE"
step 1 "busybox for $ARCH: $from"
if ! get >"$log" 2>&1; then
	tail -n 5 "$log" >&2
	say "no busybox for $ARCH, log: $(rel "$log")"
	die "with one of your own:  make ARCH=$ARCH ... BUSYBOX=/path/to/a/static/busybox"
fi
chmod 755 "$dir/busybox.new"
mv "$dir/busybox.new" "$dir/busybox"
rm -rf "$dir/deb"
