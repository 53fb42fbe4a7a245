#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# clients/disk.sh: the disk of make clients, Debian 12 with the packages of harness/clients/packages
# and nothing of ours. Prints its path. It is kept outside of the clone and made anew when that list
# or populate() changes; what runs on it comes by another way, see harness/clients.sh.
#
#   CACHE=DIR    where it is kept (~/.cache/container-freezer)
#   MIRROR=URL   see harness/fetch.sh

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../apt-lib.sh"

here=$TOP/harness/clients
suite=bookworm
cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/container-freezer}
list=$(cat "$here/packages")
# inside COMMAND...: in the new root, with a /proc that goes when the command ends
# shellcheck disable=SC2016 # the inner shell's
inside() {
	DEBIAN_FRONTEND=noninteractive LC_ALL=C unshare --mount --pid --fork \
		sh -c 'root=$1; shift; mount -t proc proc "$root/proc" && exec chroot "$root" "$@"' \
		- "$root" "$@"
}

populate() {
	debootstrap --variant=minbase "$suite" "$root" "${main[0]}" || return
	{
		echo "deb ${main[0]} $suite main"
		[ -z "${security[*]}" ] || echo "deb ${security[0]} $suite-security main"
	} >"$root/etc/apt/sources.list"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	inside apt-get update || return
	# shellcheck disable=SC2086
	inside apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
		$list || return
	# The kernel has the tables of the older iptables only.
	inside update-alternatives --set iptables /usr/sbin/iptables-legacy || return
	inside update-alternatives --set ip6tables /usr/sbin/ip6tables-legacy || return
	# shellcheck disable=SC2016 # dpkg's
	inside dpkg-query -W -f '${Package} ${Version}\n' >"$root/etc/packages"
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale} \
		"$root/etc/apt/sources.list" "$root/usr/sbin/policy-rc.d"
	# With none this is a first boot, with presets and all.
	echo 00000000000000000000000000000001 >"$root/etc/machine-id"
	echo clients >"$root/etc/hostname"
	: >"$root/etc/fstab"
	inside passwd -d root
}

# Another disk for another list, and for other steps
disk=$cache/clients-$( (echo "$list" && declare -f populate) | sha256sum |
	cut -c1-12).img
log=$OUT/clients/disk.log

mkdir -p "$cache" "$OUT/clients"
take_lock "$cache/.lock"
if [ -f "$disk" ]; then
	echo "$disk"
	exit 0
fi
[ "$(id -u)" = 0 ] || die "the disk of make clients is made by debootstrap, which needs root;" \
	"next, as root:  CACHE=$cache harness/clients/disk.sh"

"$TOP/harness/tools.sh" clients
mapfile -t main < <(mirrors main)
mapfile -t security < <(mirrors security)
[ "${#main[@]}" -gt 0 ] || die "no apt source of this machine is a Debian mirror;" \
	"next:  make clients MIRROR=URL, the one of a line \"deb URL $suite main\""

root=$cache/root.$$
trap 'rm -rf --one-file-system "$root" "$disk.new"' EXIT

say "      disk: Debian $suite with $(wc -w <<<"$list") packages and what they need," \
	"by debootstrap; about 3 minutes, 1.5 GB for the time being"
say "      log: $(rel "$log")"
populate >"$log" 2>&1 &
populate=$!
shown=$SECONDS
while kill -0 "$populate" 2>/dev/null; do
	sleep 1
	[ $((SECONDS - shown)) -lt 20 ] || { shown=$SECONDS; say "      disk: $SECONDS s," \
		"$(tail -n 1 "$log" | tr -d '\r' | cut -c1-80)"; }
done
if ! wait "$populate"; then
	tail -n 5 "$log" >&2
	die "the disk could not be made, log: $(rel "$log")"
fi
# Room for what the rows write: containers and images of CRIU
mke2fs -q -t ext4 -d "$root" -m 0 -E lazy_itable_init=0 "$disk.new" 2G >>"$log" 2>&1 ||
	die "mke2fs: $(tail -n 1 "$log")"
mv "$disk.new" "$disk"
say "      disk: done in $SECONDS s, $disk, $(du -h "$disk" | cut -f1)"
echo "$disk"
