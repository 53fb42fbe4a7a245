#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# debuggers.sh [ROOT]: get gdb, strace and readelf, for the tests that want the real ones, and copy
# them with their libraries into ROOT.
#
# They are unpacked from Debian's packages to out/debuggers/ and not installed: gdb-minimal cannot
# be installed beside of gdb, and a gdb with Python needs more files than the rest of the guest. For
# another architecture than this machine's they come by an apt of its own (apt-lib.sh), to
# out/foreign/ARCH/debuggers/.

. "$(dirname "$0")/lib.sh"
. "$TOP/harness/apt-lib.sh"

dir=$OUT/debuggers
log=$OUT/debuggers.log
if [ -n "$FOREIGN" ]; then
	dir=$OUT/foreign/$ARCH/debuggers
	log=$OUT/foreign/$ARCH/debuggers.log
	mkdir -p "${dir%/*}"
fi
packages=(gdb-minimal strace "binutils-${ARCH_GNU//_/-}")
own_apt=()

if [ -z "$ARCH_DEBIAN_SUITE" ]; then
	say "      Debian has no debuggers for $ARCH; gdb_test is skipped"
	exit 1
fi
take_lock "${dir%/*}/.debuggers.lock"

# libraries PACKAGE...: these packages, and the libraries that they depend on, in turn. Not
# libdebuginfod: it is for downloads, and brings in thirty libraries more.
libraries() {
	apt-cache "${own_apt[@]}" depends --recurse --important "$@" | awk -v first="$*" '
		/^[^ |<]/ { package = $1; next }
		/Depends: (lib|zlib)/ && !/libdebuginfod/ {
			needs[package] = needs[package] " " $NF
		}
		END {
			n = split(first, queue)
			for (i = 1; i <= n; i++) {
				if (queue[i] in seen) continue
				seen[queue[i]] = 1
				print queue[i]
				m = split(needs[queue[i]], more)
				for (j = 1; j <= m; j++) queue[++n] = more[j]
			}
		}'
}

# no_debuginfod DIR: a library of that name that finds nothing, with the functions that gdb wants of
# it
no_debuginfod() {
	"${CROSS_COMPILE}nm" -D --undefined-only "$dir/root/usr/bin/gdb" |
		sed -n 's/.* U \(debuginfod_[a-z_]*\)@*\(.*\)/\1 \2/p' >"$dir/wanted"
	[ -s "$dir/wanted" ] || return 0
	sed 's/\(.*\) .*/void *\1(void) { return 0; }/' "$dir/wanted" >"$dir/none.c"
	awk '
		$2 != "" { list[$2] = list[$2] $1 "; " }
		END { for (v in list) print v " { global: " list[v] "};" }' \
		"$dir/wanted" >"$dir/none.map"
	"${CROSS_COMPILE}gcc" -shared -fPIC -fno-builtin -Wl,-soname,libdebuginfod.so.1 \
		-Wl,--version-script="$dir/none.map" -o "$1/libdebuginfod.so.1" "$dir/none.c"
}

download() {
	local list
	list=$(libraries "${packages[@]}") && [ -n "$list" ] || return 1
	# shellcheck disable=SC2086
	(cd "$dir/deb" && apt-get "${own_apt[@]}" download $list)
}

fetch() {
	local deb
	rm -rf "$dir"
	mkdir -p "$dir/deb" "$dir/none" "$dir/root"
	command -v apt-cache && command -v dpkg-deb || return 1
	if [ -z "$FOREIGN" ] && ! apt-cache show "${packages[0]}" >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
		apt-get update || return 1
	fi
	if [ -n "$FOREIGN" ]; then
		each_mirror "${dir%/*}/apt" "$ARCH_DEBIAN" "$ARCH_DEBIAN_SUITE" download ||
			return 1
	else
		download || return 1
	fi
	for deb in "$dir/deb"/*.deb; do
		dpkg-deb -x "$deb" "$dir/root" || return 1
	done
	rm -rf "$dir/deb"
	no_debuginfod "$dir/none" || return 1
	touch "$dir/done"
}

if [ ! -e "$dir/done" ]; then
	step 6 "debuggers: ${packages[*]}, to $(rel "$dir")"
	if ! fetch >"$log" 2>&1; then
		tail -n 3 "$log" >&2
		say "      no debuggers for the guest, log: $(rel "$log"); gdb_test is skipped"
		exit 1
	fi
fi
[ $# -gt 0 ] || exit 0

# needed FILE...: the libraries that these name, and those that they name, once each, by path. The
# loader of another architecture does not run here, so it is not asked.
needed() {
	local file name lib
	local -A seen=()
	while [ $# -gt 0 ]; do
		file=$1
		shift
		while read -r name; do
			[ -z "${seen[$name]:-}" ] || continue
			seen[$name]=1
			for lib in "${path[@]/%//$name}"; do
				[ -e "$lib" ] || continue
				echo "$lib"
				set -- "$@" "$lib"
				break
			done
		done < <(readelf -dW "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)]/\1/p')
	done
}

root=$1
path=("$dir/none")
for lib in "$dir"/root/lib/*-linux-gnu* "$dir"/root/usr/lib/*-linux-gnu*; do path+=("$lib"); done
mkdir -p "$root/bin" "$root/lib"
programs=()
for program in gdb strace readelf; do
	file=$dir/root/usr/bin/$program
	[ -f "$file" ] || file=$(echo "$dir/root/usr/bin/"*-linux-gnu*-"$program")
	# Both by the path that the program names, so that no library of this machine comes in
	loader=$(readelf -lW "$file" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
	mkdir -p "$root$(dirname "$loader")"
	cp -L "$dir/root$loader" "$root$loader"
	install -m 755 "$file" "$root/bin/$program"
	programs+=("$file")
done
needed "${programs[@]}" | while read -r lib; do cp -L "$lib" "$root/lib/"; done
