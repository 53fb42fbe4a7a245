#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# judge.sh DIR MODE QEMU-STATUS TIMEOUT: say how a boot ended, from the verdict of the guest, the
# kernel's console, what the programs printed and how QEMU ended. Nothing is taken for granted:
# without the guest's last word the run has failed.
#
# The exit status, of several the first of this list:
#   6  ended early: a panic, a reboot, or the guest was off without a verdict
#   5  a hang: the guest or a test passed its time limit, a hung task, a lockup, a stall
#   4  a kernel report: a warning, an oops, lockdep, a sanitizer (harness/reports, less
#      harness/allowed-reports)
#   7  results are missing: less came than was planned
#   3  a test failed
#   8  nothing failed, but a test of ours was skipped
#   0  passed
# 2 is a build that failed, 1 that something is missing on this machine.

. "$(dirname "$0")/lib.sh"
. "$TOP/harness/series-lib.sh"

dir=$1 mode=$2 qemu=$3 limit=$4
console=$dir/console.log
reasons=()
code=0

# because STATUS TEXT
because() {
	[ "$code" != 0 ] || code=$1
	reasons+=("$2")
}

# our_races: a filter that takes out the data races that KCSAN finds elsewhere in the kernel: a
# kernel without the series has them too. A race is ours if a function of a new file of the series,
# or of kernel/freezer.c, is anywhere in one of its backtraces, or it was planted. The backtrace of
# an interrupt goes on with the code that it interrupted, which has no part in the race. A race that
# is not ours after all has a line of its own in harness/allowed-reports. The others are listed in
# the file kcsan, with how often each was seen: the hunks of the series are in functions of the
# kernel, so somebody has to look.
our_races() {
	local names
	[ "$DEBUG" = kcsan ] || { cat; return; }
	names=$(our_functions) || true
	[ -n "$names" ] ||
		die "no function of ours is known, so no data race would be: $(rel "$BUILD")"
	awk -v names="$names" -v others="$dir/kcsan" -v interrupt="${ARCH_INTERRUPT:-}" '
		BEGIN {
			n = split(names, list, "\n")
			for (i = 1; i <= n; i++) ours[list[i]] = 1
			printf "" > others
		}
		function end_of_race() {
			if (mine) print block; else seen[title]++
			block = ""
		}
		/BUG: KCSAN: / {
			if (block != "") end_of_race()
			block = title = $0; sub(/.*BUG: KCSAN: /, "", title)
			mine = title ~ /planted/
			interrupted = 0
			next
		}
		# Another CPU may say something in between.
		block != "" && !/WARNING|BUG|Oops|INFO|KASAN|ODEBUG/ {
			name = $0
			sub(/^\[[^]]*\] */, "", name)
			sub(/^ */, "", name)
			sub(/(\.[a-z]+\.[0-9]+)?\+0x.*/, "", name)
			if (name ~ / by (task [0-9]+|interrupt) on cpu /) interrupted = 0
			if (interrupt != "" && name ~ interrupt) interrupted = 1
			if (name in ours && !interrupted) mine = 1
			block = block "\n" $0
			if (/====================/) end_of_race()
			next
		}
		{ print }
		END {
			if (block != "") end_of_race()
			for (title in seen) print seen[title], title > others
		}'
}

# our_functions: those of the new files of the series, by the objects that were built, and of
# kernel/freezer.c
our_functions() {
	local patch file
	{
		for patch in $(series_patches); do new_files_of "$SERIES/$patch"; done |
			sed -n 's/\.c$/.o/p'
		echo kernel/freezer.o
	} | while read -r file; do
		[[ $file == */* && $file != tools/* && -f "$BUILD/$file" ]] || continue
		nm "$BUILD/$file" | awk '
			NF == 3 && $2 ~ /^[tT]$/ { sub(/\.[a-z]+\.[0-9]+$/, "", $3); print $3 }'
	done | grep -v '^__tsan\|^__init\|^__exit\|^_sub_I_' | sort -u
}

# What there is to judge of the console. Not a part of scan(), where nobody would see that it has
# failed.
judged=$dir/console-judged.log
[ ! -f "$console" ] || tr -d '\r' <"$console" | our_races >"$judged"

# patterns_of KIND: those that harness/reports calls that
patterns_of() { awk -F'\t' -v kind="$1" '$1 == kind { print $2 }' "$TOP/harness/reports"; }

# scan KIND: the lines of it that harness/reports calls that
scan() {
	[ -f "$judged" ] || return 0
	grep -aE -f <(patterns_of "$1") "$judged" |
		grep -avE -f <(
			sed -e '/^#/d' -e 's/\t#.*//' -e '/^$/d' "$TOP/harness/allowed-reports"
			echo '^$'
		) || true
}

# field NAME: a count of ktap.pl
field() {
	awk -v name="$1" '$1 == name && NF == 2 { n = $2 } END { print n + 0 }' "$dir/results" \
		2>/dev/null || echo 0
}

verdict=
if [ "$(tail -n 1 "$dir/verdict" 2>/dev/null)" = end ]; then
	verdict=$(head -n 1 "$dir/verdict")
fi
tainted=$(awk '$1 == "tainted" {print $2}' "$dir/verdict" 2>/dev/null || true)
reports=$(scan report)
hangs=$(scan hang)
panic=$(grep -aoE 'Kernel panic - not syncing.*' "$console" 2>/dev/null | head -n 1 | tr -d '\r' ||
	true)

if [ -n "$panic" ]; then
	because "$E_EARLY" "ended early: $panic"
elif [ "$qemu" = 124 ] || [ "$qemu" = 137 ]; then
	because "$E_HANG" "hang: the guest was not done after $limit s"
elif [ "$qemu" != 0 ]; then
	last=$(tail -n 1 "$dir/qemu.log" 2>/dev/null || true)
	because "$E_EARLY" "ended early: QEMU's exit status $qemu: $last"
elif [ -z "$verdict" ]; then
	because "$E_EARLY" "ended early: the guest is off and left no verdict"
fi
[ "$(field timeouts)" = 0 ] ||
	because "$E_HANG" "hang: $(field timeouts) test programs passed their time limit"
[ -z "$hangs" ] || because "$E_HANG" "hang: $(head -n 1 <<<"$hangs")"
if [ -n "$reports" ]; then
	n=$(wc -l <<<"$reports") more=
	[ "$n" = 1 ] || more=", and $((n - 1)) lines more"
	because "$E_REPORT" "kernel report: $(head -n 1 <<<"$reports")$more"
fi
# D, W and L: an oops, a warning, a soft lockup that the console did not show
if [ -z "$reports$hangs$panic" ] && [ $((${tainted:-0} & (1 << 7 | 1 << 9 | 1 << 14))) != 0 ]; then
	because "$E_REPORT" "kernel report: the kernel is tainted ($tainted)"
fi

run_level=${#reasons[@]}
# A limit of a test program is among the failed already.
[ "$(field timeouts)" = 0 ] || run_level=$((run_level - 1))
case $mode in
test)
	passed=$(field passed) failed=$(field failed) skipped=$(field skipped)
	if [ "$(field missing)" != 0 ]; then
		because "$E_MISSING" "results are missing: $(field missing) less than planned"
	elif [ "$(field programs)" = 0 ] || [ $((passed + failed + skipped)) = 0 ]; then
		because "$E_MISSING" "results are missing: no test ran"
		failed=$((failed + 1))
	fi
	# The guest says where it was, in case it did not take what it was told.
	if [ -n "$verdict" ] && [[ $verdict != *" in the world $WORLD" ]]; then
		because "$E_MISSING" \
			"results are missing: the guest was not in the world $WORLD: $verdict"
	fi
	[ "$((failed - $(field missing) - $(field timeouts)))" -le 0 ] ||
		because "$E_TEST" "a test failed"
	[ "$skipped" = 0 ] || because "$E_SKIP" "a test was skipped"
	# A test that provoked a report may have passed: the report is a failure of its own.
	failed=$((failed + run_level))
	;;
*)
	passed=0 failed=$run_level skipped=0
	if [ "$verdict" = "$mode 0" ]; then
		passed=1
	elif [ -n "$verdict" ]; then
		because "$E_TEST" "$mode failed: exit status ${verdict#* }"
		failed=$((failed + 1))
	fi
	;;
esac

where=
[ "$mode" != test ] || [ "$WORLD" = plain ] || where=" in the world $WORLD"
{
	if [ "$mode" = test ]; then
		grep -E '^(failed|missing|skipped|left out): ' "$dir/results" 2>/dev/null |
			sed 's/^/      /' || true
	fi
	if [ "$code" != 0 ]; then
		if [ ! -s "$dir/output.log" ] || [ "$code" = "$E_EARLY" ]; then
			echo "      the end of the console:"
			tail -n 12 "$console" 2>/dev/null | tr -d '\r' | sed 's/^/      | /'
		fi
		for reason in "${reasons[@]}"; do echo "FAILED$where: $reason"; done
	else
		echo "PASSED$where"
	fi
	[ ! -s "$dir/kcsan" ] ||
		echo "KCSAN: $(wc -l <"$dir/kcsan") kinds of data races elsewhere in the kernel," \
			"listed in $(rel "$dir")/kcsan"
	echo "logs: $(rel "$dir")/" \
		"(console.log: the kernel, output.log: the programs, command: QEMU)"
} >&2
if [ "$mode" = test ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
fi
exit "$code"
