#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# steps.sh: make steps. The series patch by patch: each step builds with the freezer and without it, and with it boots. FROM= and TO= are the
# numbers of the first and the last patch to try.

dir=$(dirname "$0")
. "$dir/lib.sh"
dir=$TOP/harness
. "$dir/series-lib.sh"
total=$(series_patches | wc -l)
failed=0

mkdir -p "$OUT"
without=$OUT/nofreezer.config
echo '# CONFIG_CGROUP_FREEZER is not set' >"$without"

for ((k = ${FROM:-1}; k <= ${TO:-$total}; k++)); do
	export SERIES_STEPS=$k
	patch=$(series_patches | tail -n 1)
	log=$OUT/steps-$k.log
	: >"$log"
	result=
	for config in "$without" "$CONFIG"; do
		name=$([ "$config" = "$without" ] && echo without || echo with)
		if ! CONFIG=$config "$dir/prepare.sh" image >>"$log" 2>&1; then
			result="$result, $name the freezer: build failed"
			failed=1
			break
		fi
		result="$result, $name: builds"
	done
	case $result in
	*failed*) ;;
	*)
		initrd=$("$dir/where.sh" initramfs)
		if "$dir/initramfs.sh" "$TOP/harness/selftest" "$initrd.harness" >>"$log" 2>&1 &&
		   RUN_INITRD=$initrd.harness TESTS=pass "$dir/run.sh" test </dev/null >>"$log" 2>&1; then
			result="$result, boots"
		else
			result="$result, does not boot"
			failed=1
		fi
		;;
	esac
	echo "[$k/$total] $patch: ${result#, } (log: $(rel "$log"))"
done
exit "$failed"
