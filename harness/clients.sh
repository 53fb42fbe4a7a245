#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# clients.sh: make clients. Real clients of cgroup v2, as Debian 12 has them, on a host with systemd
# as the first process and without cgroup v1: systemctl, runc, crun, podman, LXC and CRIU, on our
# kernel and on the unpatched one. The rows are in harness/clients/rows.sh, what they freeze in
# harness/clients/work.c. Debian is a disk that harness/clients/disk.sh makes once; the rows come in
# the initramfs. Fails if a row fails on our kernel, or is missing there.
#
#   KERNELS="ours vanilla"  which
#   TIMES=50                rounds; of what is slow a fifth
#   ROWS="^podman"          an extended regular expression of the rows' names
#   CACHE=, MIRROR=         see harness/clients/disk.sh

dir=$(dirname "$0")
export CONFIG=${CONFIG:-$(cd "$dir" && pwd)/config/clients.config}
. "$dir/lib.sh"
dir=$TOP/harness
here=$dir/clients
work=$OUT/clients
kernels=${KERNELS:-ours vanilla}
rows=${ROWS:-}
[[ $rows != *%* ]] || die "ROWS=$rows: no % in it"
[[ ${TIMES:=50} =~ ^[1-9][0-9]{0,3}$ ]] || die "TIMES=$TIMES: a number from 1 to 9999"
for kernel in $kernels; do
	[[ $kernel == @(ours|vanilla) ]] || die "KERNELS=$kernels: there are ours and vanilla"
done
[ -z "$LINUX$INJECT" ] || [[ $kernels != *vanilla* ]] || say "      LINUX= and INJECT= are for ours"
chosen=$("$here/rows.sh" rows | cut -f1 | grep -E -- "$rows") ||
	die "ROWS=$rows: matches none of these:"$'\n'"$("$here/rows.sh" rows | cut -f1)"
total=$(wc -l <<<"$chosen")
say "      clients: $total rows, on: $kernels"
say "      needs 3 GB of disk for the first time, and 2 cores without KVM: 5 minutes for the disk of" \
	"Debian and 10 for each kernel, once; then 20 minutes for each kernel"

"$dir/tools.sh"
mkdir -p "$work"
disk=$("$here/disk.sh")

# on KERNEL COMMAND...: with the kernel of that name
on() {
	local vanilla=
	[ "$1" != vanilla ] || vanilla=1
	VANILLA=$vanilla INJECT=$([ -n "$vanilla" ] || echo "$INJECT") "${@:2}"
}
for kernel in $kernels; do
	on "$kernel" build image
done

root=$work/root
rm -rf "$root"
mkdir -p "$root"/{bin,dev,proc,sys,run} "$root/clients/rootfs"/{bin,dev,proc,sys,tmp,run/clients}
busybox=$(static_busybox)
cp "$busybox" "$root/bin/busybox"
"$busybox" --list | while read -r name; do
	[ "$name" = busybox ] || ln -s busybox "$root/bin/$name"
done
cp "$busybox" "$root/clients/rootfs/bin/busybox"
install -m 755 "$here/init" "$root/init"
install -m 755 "$here/rows.sh" "$root/clients/rows.sh"
"${CROSS_COMPILE:-}gcc" -static -O2 -Wall -Wextra -Werror -o "$root/clients/rootfs/work" \
	"$here/work.c" -lpthread || exit "$E_BUILD"
(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible --quiet) \
	>"$work/initramfs.cpio"

# progress: the rows as they come
progress() {
	local begun='' name state seconds text
	while IFS=$'\t' read -r name state seconds text; do
		text=${text%$'\r'}
		case $name in
		'### begin '*) begun=${name#\#\#\# begin } begun=${begun%$'\r'} ;;
		ROW)
			name=$state state=$seconds seconds=${text%%$'\t'*} text=${text#*$'\t'}
			[ "$seconds" != "$text" ] || text=
			say "      $begun: $state, $seconds s${text:+: $text}"
			;;
		esac
	done
}

append="systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all systemd.show_status=0"
# On a busy host an emulated timer may be late for the kernel's look at it.
append="$append no_timer_check freezer.times=$TIMES"
[ -z "$rows" ] || append="$append freezer.only=${rows// /%20}"
status=0 n=0
for kernel in $kernels; do
	code=0
	n=$((n + 1))
	say "      kernel $n of $(wc -w <<<"$kernels"), $kernel: $total rows," \
		"log: out/run/latest-clients/output.log"
	RUN_INITRD=$work/initramfs.cpio \
		QEMU_ARGS="-drive file=$disk,format=raw,if=virtio,snapshot=on ${QEMU_ARGS:-}" \
		APPEND="$append ${APPEND:-}" \
		on "$kernel" "$dir/run.sh" clients | progress || code=$?
	tr -d '\r' <"$OUT/run/latest-clients/output.log" | grep -aP '^ROW\t' >"$work/$kernel" || true
	[ "$kernel" != ours ] || status=$code
done

# The table, and a line for what did not pass
columns=()
for kernel in $kernels; do columns+=("$work/$kernel"); done
echo
tr -d '\r' <"$OUT/run/latest-clients/output.log" | sed -n 's/^### package //p' | paste -sd, |
	sed 's/,/, /g'
echo
awk -F'\t' -v kernels="$kernels" '
	function title(k) { return k == "ours" ? "this series" : "unpatched" }
	function result(k) {
		if (!((k, name) in was)) return "missing"
		if (was[k, name] != "ok") return was[k, name]
		return "ok" (text[k, name] == "" ? "" : ", " text[k, name])
	}
	BEGIN { n = split(kernels, kernel, " ") }
	FILENAME == "-" { order[++rows] = $0; next }
	{
		k = FILENAME; sub(/.*\//, "", k)
		was[k, $2] = $3; text[k, $2] = $5
		if ($3 != "ok") why[++bad] = title(k) ", " $2 ": " $5
	}
	END {
		printf "| %-48s |", "client"
		for (j = 1; j <= n; j++) printf " %-44s |", title(kernel[j])
		printf "\n|---|"
		for (j = 1; j <= n; j++) printf "---|"
		printf "\n"
		for (i = 1; i <= rows; i++) {
			name = order[i]
			printf "| %-48s |", name
			for (j = 1; j <= n; j++) {
				k = kernel[j]
				printf " %-44s |", result(k)
				if (was[k, name] == "ok") passed[k]++
				else if (was[k, name] == "skipped") skipped[k]++
				else failed[k]++
			}
			printf "\n"
		}
		if (bad) printf "\n"
		for (i = 1; i <= bad; i++) print why[i]
		printf "\n"
		# That of our kernel is the last one.
		for (last = 0; last < 2; last++)
			for (j = 1; j <= n; j++) {
				k = kernel[j]
				if ((k == "ours") != last) continue
				printf "%s%d passed, %d failed, %d skipped\n",
					last ? "" : "unpatched: ", passed[k], failed[k], skipped[k]
			}
		exit index(" " kernels " ", " ours ") && failed["ours"] > 0
	}' - "${columns[@]}" <<<"$chosen" || status=$E_TEST
exit "$status"
