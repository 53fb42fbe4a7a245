#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# sleeps.sh [list]: compare harness/sleeps.md with the tree: each place at which a task of a frozen
# cgroup may stop in the middle of a call, by file and function. A new one wants the question
# answered what is held there, and who outside of the cgroup waits for it. Then each place where a
# virtual CPU enters its guest, and what looks at the flags of the task last before.
# A number of four digits is a patch: in brackets, or behind the word. Each is in patches/series.
#
# With "list": print the places of the tree.

dir=$(dirname "$0")
. "$dir/lib.sh"

# Freezable sleeps, and doors. Not: what defines them, and what the freezer itself consists of.
stops='TASK_FREEZABLE|wait_event_freezable|wait_event_state|sk_sleep_state\('
stops+='|pipe_wait_(read|writ)able\(|cgroup_freezer_(user_|call_)?door\(|resume_user_mode_work\('
stops+='|xfer_to_guest_mode_handle_work\('
# Where a virtual CPU enters its guest, and the looks at what the task has to do before.
entries='guest_(timing_|state_)?enter_irqoff\('
looks='xfer_to_guest_mode_work_pending\(|TIF_NOTIFY_RESUME|xfer_to_guest_mode_handle_work\('
# Who calls the sleeps of sockets: not every caller holds nothing.
sockets='sock_alloc_send_p?skb\(|skb_recv_datagram\(|skb_wait_for_more_packets\(|sk_wait_event\('
sockets+='|sk_wait_data\(|sk_stream_wait_(memory|connect)\(|inet_csk_accept\('
definitions='wait|wait_bit|sched|freezer|cgroup_freezer|completion|workqueue|resume_user_mode'
definitions+='|entry-common|entry-kvm|entry-virt|livepatch_sched|skbuff|pipe_fs_i|percpu-rwsem'
definitions="^(include/linux/($definitions)\.h|include/net/(sock|udp)\.h"
definitions+='|kernel/(freezer|cgroup_freezer[a-z_]*)\.c|kernel/cgroup/freezer/[a-z0-9]+\.[ch])$'

# places PATTERN: "file function" of the tree, sorted. The function is that of git's and diff's hunk
# headers: the last line before that begins with a name.
# shellcheck disable=SC2016 # $0 is awk's
places() {
	cd "$TREE" || return 1
	grep -rlE --include='*.[chS]' "$1" arch block crypto drivers fs include \
		io_uring ipc kernel mm net security sound virt |
		grep -vE "$definitions|/test/" | LC_ALL=C sort |
		xargs awk -v pattern="${1//\\/\\\\}" '
			FNR == 1 { fn = "-" }
			/^[A-Za-z_].*\(/ && !/;[ \t]*$/ {
				name = $0
				sub(/\(.*/, "", name)
				sub(/.*[ *\t]/, "", name)
				if (name != "" &&
				    name !~ /^(EXPORT_SYMBOL.*|__acquires|__releases)$/ &&
				    name !~ /^(__must_hold|if|module_.*)$/)
					fn = name
				if ($0 ~ /^(COMPAT_)?SYSCALL_DEFINE/) {
					name = $0
					sub(/^[A-Z_0-9]*\(/, "", name)
					sub(/[,)].*/, "", name)
					fn = "sys_" name
				}
			}
			/^#define [a-z_]+\(/ { fn = $2; sub(/\(.*/, "", fn) }
			# not comments, not what declares or defines one of these itself
			/^[ \t]*(\*|\/\*|\/\/)/ || /^[A-Za-z_].*;[ \t]*$/ { next }
			/^(EXPORT_SYMBOL|extern )/ { next }
			$0 ~ pattern && !/^[A-Za-z_]/ && !/_wq,?$/ { print FILENAME, fn }
		' | LC_ALL=C sort -u
}

# known [COLUMN]: "file function" out of the tables, for BASE. The first two columns are a file and
# its functions, the last one is the bases. With a COLUMN: what the table of guests has in that one.
known() {
	awk -F'|' -v base="$BASE" -v column="${1:-}" '
		/^## / { guests = /enters its guest/ }
		/^\| `/ && (column == "" ? !guests : guests) {
			bases = $(NF - 1)
			if (bases !~ /all/ && index(" " bases " ", " " base " ") == 0)
				next
			file = $2; gsub(/[` ]/, "", file)
			n = split($(column == "" ? 3 : column), fns, ",")
			for (i = 1; i <= n; i++) {
				place = fns[i]
				sub(/ \([0-9].*/, "", place)
				gsub(/[`]|^ +| +$/, "", place)
				print place ~ / / ? place : file " " place
			}
		}' "$TOP/harness/sleeps.md" | LC_ALL=C sort -u
}

# patches_of: the numbers of patches that the text names
patches_of() {
	grep -oE '[(][0-9]{4}[,)]|patch [0-9]{4}' "$TOP/harness/sleeps.md" | grep -oE '[0-9]+' |
		sort -u
}

[ "${1:-}" != list ] || { places "$stops|$sockets"; places "$entries"; exit; }

gone=$(comm -23 <(patches_of) <(sed -n 's/^\([0-9]\{4\}\)-.*/\1/p' "$PATCHES/series" | sort -u))
[ -z "$gone" ] || {
	echo "error: in harness/sleeps.md, and not in patches/series: ${gone//$'\n'/, }"
	exit 1
}

# same WHAT PLACES KNOWN: PLACES are those of the tree, KNOWN those of the table.
faults=0
same() {
	local new gone
	new=$(comm -23 <(echo "$2") <(echo "$3"))
	gone=$(comm -13 <(echo "$2") <(echo "$3"))
	[ -z "$new" ] ||
		printf 'error: %s, not in harness/sleeps.md, for %s: %s\n' "$1" "$BASE" "${new//$'\n'/, }"
	[ -z "$gone" ] ||
		printf 'error: %s, in harness/sleeps.md, and not in %s: %s\n' "$1" "$BASE" "${gone//$'\n'/, }"
	[ -z "$new$gone" ] || faults=$((faults + 1))
}

# named COLUMN PLACES: those of the PLACES that the table of guests names.
named() {
	comm -12 <(known "$1") <(echo "$2")
}

sleeps=$(places "$stops|$sockets")
guests=$(places "$entries" | grep -v '^include/')
same "sleeps and doors" "$sleeps" "$(known)"
same "entries of guests" "$guests" "$(known 3)"
same "architectures with guests" "$(cd "$TREE" && ls -d arch/*/kvm)" \
	"$(cut -d/ -f1-3 <<<"$guests" | sort -u)"
same "looks ahead of guests" "$(named 4 "$(places "$looks")")" "$(known 4)"
same "doors ahead of guests" "$(named 5 "$sleeps")" "$(known 5)"
[ "$faults" = 0 ] || exit 1
echo "sleeps: $(wc -l <<<"$sleeps") places of $BASE and $(wc -l <<<"$guests") entries of guests," \
	"each in harness/sleeps.md"
