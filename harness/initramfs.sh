#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# initramfs.sh: build the test programs with the kernel's own kselftest make, statically, and pack
# them with busybox, /init, the demonstration and the benchmark into the guest's root. "initramfs.sh
# DIR FILE" takes the programs in DIR for the tests instead, for the tests of the harness.

. "$(dirname "$0")/lib.sh"

take_lock "$TREE.d/initramfs.lock"
log=$BUILD/tests.log
root=$BUILD/root
initrd=${2:-$INITRD}
[ $# -eq 0 ] || root=$BUILD/root-harness
rm -rf "$root"
mkdir -p "$root"/{bin,dev,proc,sys,tmp,mnt,root,etc,tests}

fail() {
	grep -nE 'error:|Error [0-9]|undefined reference' "$log" | head -n 10 >&2
	say "build failed: $1, log: $(rel "$log")"
	exit "$E_BUILD"
}

# Its links are made by /init, for it does not run here if it is of another architecture.
install -m 755 "$(static_busybox)" "$root/bin/busybox"
install -m 755 "$TOP/harness/guest/init" "$root/init"
install -m 644 "$TOP/harness/guest/patterns.sh" "$root/patterns.sh"
printf '%s\n' "$ARCH_LEAVE" >"$root/leave"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"

: >"$log"
if [ $# -gt 0 ]; then
	cp -a "$1/." "$root/tests/"
elif [ -f "$TREE/$TESTS_DIR/Makefile" ]; then
	# The headers of this very kernel for the tests; LDFLAGS by the environment, for the tests
	# to add to.
	kmake "$TREE" headers >>"$log" 2>&1 || fail "the kernel's headers for the tests"
	rm -rf "$BUILD/kselftest_install"
	LDFLAGS=-static kmake "$TREE/tools/testing/selftests" TARGETS=freezer FORCE_TARGETS=1 \
		INSTALL_PATH="$BUILD/kselftest_install" install >>"$log" 2>&1 ||
		fail "the selftests"
	cp -a "$BUILD/kselftest_install/." "$root/tests/"
else
	touch "$root/tests/kselftest-list.txt"
fi
# Without them it is out of date at once, for they may be there the next time.
date=now
if [ -n "${GUEST_DEBUGGERS:-}" ]; then
	"$TOP/harness/debuggers.sh" "$root" || date=@0
fi
for part in demo bench; do
	[ -f "$TOP/harness/$part/install.sh" ] || continue
	CC=${CROSS_COMPILE:-}gcc sh "$TOP/harness/$part/install.sh" "$root" >>"$log" 2>&1 ||
		fail "harness/$part"
done
(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible --quiet) \
	>"$initrd.new"
touch -d "$date" "$initrd.new"
mv "$initrd.new" "$initrd"
[ $# -gt 0 ] || step 6 "initramfs: $(wc -l <"$root/tests/kselftest-list.txt") test programs," \
	"$(du -h "$initrd" | cut -f1), $(rel "$initrd")"
