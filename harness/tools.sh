#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tools.sh [build|check|regress|bench|clients]: see that the programs are there that a build, or
# that make target, needs. Missing programs are installed if possible, else named with their Debian
# packages and the one command that installs all of them.

. "$(dirname "$0")/lib.sh"

# program (or header, or static library)	Debian package
need='gcc gcc
bison bison
flex flex
bc bc
git git
perl perl
xz xz-utils
cpio cpio
rsync rsync
flock util-linux
timeout coreutils
'"$ARCH_QEMU $ARCH_QEMU_PACKAGE"'
/usr/include/stdlib.h libc6-dev
/usr/include/libelf.h libelf-dev
/usr/include/openssl/opensslv.h libssl-dev'
check_need='sparse sparse
shellcheck shellcheck
python3 python3'
regress_need='/usr/include/sys/capability.h libcap-dev
/usr/include/popt.h libpopt-dev'
clients_need='/sbin/mke2fs e2fsprogs
/usr/sbin/debootstrap debootstrap'

[ "${1:-build}" != check ] || need=$need$'\n'$check_need
[ "${1:-build}" != regress ] || need=$need$'\n'$regress_need
[ -z "$FOREIGN" ] || need="$need
${CROSS_COMPILE}gcc gcc-${ARCH_GNU//_/-}
/usr/$ARCH_GNU/include/stdlib.h libc6-dev-$ARCH_DEBIAN-cross"
[ "${1:-build}" != clients ] || need=$need$'\n'$clients_need

packages=()
missing=()
while read -r what package; do
	case $what in
	/*) [ -e "$what" ] && continue ;;
	*) command -v "$what" >/dev/null && continue ;;
	esac
	missing+=("${what##*/}")
	packages+=("$package")
done <<<"$need"

# For the guest only a static busybox will do.
if ! static_busybox >/dev/null 2>&1; then
	missing+=(busybox)
	packages+=(busybox-static)
fi
# Faster the second time, but it works without.
if [ "$(id -u)" = 0 ] && ! command -v ccache >/dev/null; then
	packages+=(ccache)
fi
# The figures come without plots, too.
if [ "${1:-build}" = bench ] && [ "$(id -u)" = 0 ] && ! command -v gnuplot >/dev/null; then
	packages+=(gnuplot-nox)
fi
[ "${#packages[@]}" -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	say "      installing: ${packages[*]}"
	mkdir -p "$OUT"
	log=$OUT/apt.log
	export DEBIAN_FRONTEND=noninteractive
	if {
		apt-get install -y --no-install-recommends "${packages[@]}" || {
			apt-get update &&
				apt-get install -y --no-install-recommends "${packages[@]}"
		}
	} >"$log" 2>&1; then
		exit 0
	fi
	tail -n 5 "$log" >&2
	say "apt-get could not install them, log: $(rel "$log")"
fi
[ "${#missing[@]}" -gt 0 ] || exit 0
say "missing: ${missing[*]}"
die "install them as root:  apt-get install ${packages[*]}"
