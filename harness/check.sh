#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [quick]: make check. The checks of the code that do not run it. Ends red if any
# step has something to say. "quick" leaves out what compiles, and what looks at every base.

dir=$(dirname "$0")
. "$dir/lib.sh"
dir=$TOP/harness
. "$dir/series-lib.sh"
[ -z "$VANILLA" ] || die "VANILLA=1 has nothing of ours to check"

logs=$OUT/check
mkdir -p "$logs"
quick=${1:-}
case $quick in
'') steps=12 ;;
quick) steps=8 ;;
*) die "check.sh [quick]" ;;
esac
n=0
failed=()
finished=0

trap '[ "$finished" = 1 ] || echo "check: broken off" >&2' EXIT

# check NAME COMMAND...: clean when the command succeeds and its output has no line of a warning or
# an error
check() {
	local name=$1 log=$logs/${1// /-}.log started=$SECONDS status=0 complaints
	shift
	n=$((n + 1))
	("$@") >"$log" 2>&1 || status=$?
	if [ "$status" = 0 ] && ! grep -qiE '(warning|error|check):' "$log"; then
		echo "[$n/$steps] $name: clean ($((SECONDS - started)) s)"
	else
		grep -iE '(warning|error|check):' "$log" | head -n 15 || tail -n 5 "$log"
		complaints=$(grep -ciE "(warning|error|check):" "$log" || true)
		echo "[$n/$steps] $name: FAILED, $complaints complaints, log: $(rel "$log")"
		failed+=("$name")
	fi
}

# slow NAME COMMAND...: not in a quick check
slow() { [ -n "$quick" ] || check "$@"; }

"$dir/tools.sh" check
build image

mapfile -t ours < <(
	for patch in $(series_patches); do new_files_of "$SERIES/$patch"; done | sort -u)
sources() { printf '%s\n' "${ours[@]}" | grep -E "$1" | grep -v '^tools/' || true; }

series() { "$dir/series.sh"; }

# long_lines FILE...: the lines of a letter that have more than 75 columns. A line of a table, or of
# a session, begins with a tab, and may be longer.
long_lines() {
	local file
	for file; do
		expand "$file" | awk -v file="$(rel "$file")" '
			length > 75 && !/^        / {
				print "error: " file ":" NR ": more than 75 columns"
			}'
		[ -z "$(tail -c 1 "$file")" ] || echo "error: $(rel "$file"): no newline at its end"
	done
}

mails() {
	local letters
	shopt -s nullglob
	letters=("$PATCHES"/cover-letter-* "$PATCHES"/*/cover-letter-*)
	# checkpatch takes no letter, since it has no diff.
	long_lines "${letters[@]}"
	cd "$TREE" || return 1
	# Of its exit status we make nothing: what counts is what remains of its complaints.
	find "$OUT/series-$BASE" -name '*.patch' ! -name '*-0000-*' -print0 | sort -z |
		{ xargs -0 -r perl scripts/checkpatch.pl --no-tree --strict --terse --showfile \
			--show-types --no-summary || true; } |
		awk -F'\t' '
			NR == FNR {
				if ($0 !~ /^#/ && NF > 1) { type[++n] = $1; file[n] = $2 }
				next
			}
			{
				for (i = 1; i <= n; i++)
					if (index($0, ":" type[i] ":") && $0 ~ file[i]) next
				print
			}' "$dir/checkpatch-ignored" -
	# What checkpatch remembers is not of the series.
	rm -f "$TREE"/.checkpatch-camelcase.*
}

# Objects are built again with more warnings, then put back as they were, so the kernel is not
# linked again for it.
objects() {
	local source object dir name status=0
	take_lock "$TREE.d/build.lock"
	for source in $(sources '\.c$'); do
		object=${source%.c}.o
		dir=$BUILD/$(dirname "$object") name=$(basename "$object")
		if [ ! -f "$BUILD/$object" ]; then
			echo "error: $object is not part of the kernel that was built"
			status=1
			continue
		fi
		cp -p "$dir/$name" "$logs/$name"
		cp -p "$dir/.$name.cmd" "$logs/$name.cmd"
		rm "$dir/$name"
		kmake "$TREE" "$@" "$object" || status=$?
		mv "$logs/$name" "$dir/$name"
		mv "$logs/$name.cmd" "$dir/.$name.cmd"
	done
	exec 9>&-
	return "$status"
}

kernel_doc() {
	local wall=-Wall
	cd "$TREE" || return 1
	# That of 6.1 does not know it.
	case $(perl scripts/kernel-doc -none -Wall /dev/null 2>&1) in
	*'Argument unknown'*) wall= ;;
	esac
	for file in $(sources '\.[ch]$'); do
		perl scripts/kernel-doc -none $wall "$file" || return 1
	done
}

# All of them again: a warning of the last build is not repeated.
tests() {
	rm -rf "$BUILD/kselftest" "$INITRD"
	build guest || return 1
	cat "$BUILD/tests.log"
}

scripts() {
	local list
	mapfile -t list < <(cd "$TOP" && git ls-files | while read -r file; do
		head -c 40 "$file" 2>/dev/null | head -n 1 | tr -d '\0' |
			grep -qE '^#!.*[/ ](ba|da)?sh' && echo "$file"
	done)
	cd "$TOP" && shellcheck -x "${list[@]}"
}

# With all controllers configured: BUILD_BUG_ON() of the base says how many there may be.
controllers() {
	local count most
	count=$(grep -c '^SUBSYS(' "$TREE/include/linux/cgroup_subsys.h")
	most=$(sed -n 's/.*BUILD_BUG_ON(CGROUP_SUBSYS_COUNT > \([0-9]*\)).*/\1/p' \
		"$TREE/kernel/cgroup/cgroup.c")
	echo "$count controllers, there may be $most"
	[ "$count" -le "$most" ]
}

# A virtual CPU comes by the freezer's door where its architecture does the work of
# TIF_NOTIFY_RESUME before guest mode. Each has its own loop, and one that the base has and the
# series does not know would run its guests while FROZEN.
guests() {
	local kconfig status=0
	cd "$TREE" || return 1
	for kconfig in arch/*/kvm/Kconfig; do
		if ! grep -qE '^[[:space:]]*select (KVM|VIRT)_XFER_TO_GUEST_WORK$' "$kconfig" ||
			! grep -rq 'xfer_to_guest_mode_handle_work(' "${kconfig%Kconfig}"; then
			echo "error: ${kconfig%/Kconfig}: goes to guest mode without" \
				"xfer_to_guest_mode_handle_work()"
			status=1
		fi
	done
	return "$status"
}

check "series" series
slow "patches round trip" "$dir/roundtrip.sh"
check "number of controllers" controllers
check "guest mode" guests
check "checkpatch" mails
slow "sparse" objects C=2 CF=-D__CHECK_ENDIAN__
slow "W=1" objects W=1
check "kernel-doc" kernel_doc
check "sleeps and doors" "$dir/sleeps.sh"
check "clauses and tests" "$dir/contract.sh"
slow "selftests build" tests
check "shellcheck" scripts
finished=1
if [ "${#failed[@]}" -gt 0 ]; then
	echo "check: ${#failed[@]} of $n steps failed: ${failed[*]}"
	exit 1
fi
echo "check: $n steps, all clean"
