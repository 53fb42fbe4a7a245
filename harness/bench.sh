#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh: make bench. The same measurements on three kernels of one configuration, each alone in a
# guest whose clock counts instructions:
#
#   ours      the series, all figures of its freezer
#   without   the same without the freezer of cgroup v1: the price of the second hierarchy in the
#             hot paths
#   vanilla   the unpatched kernel: its v1 freezer, cgroup.freeze, SIGSTOP
#
# The figures go to out/bench-TIME-BASE/bench.csv, out/bench-latest links there.
# harness/bench/table.pl makes tables of them, also for RESULTS.md, and plot.sh the
# plots.
#
# Addresses are not randomized: what fork copies depends on where the stack and the heap of
# freezer_bench happen to be, by up to 2 %.
#
#   ARGS=     more for freezer_bench, as "-N 1000 -r 3"; KERNELS= of the three (default: all);
#   SECONDS_SLICED= of the unpatched ways to take turns (6)

dir=$(dirname "$0")
. "$dir/lib.sh"

[ -z "$DEBUG$VANILLA" ] || die "make bench is about three kernels of its own: no DEBUG, no VANILLA"
kernels=${KERNELS:-ours without vanilla}
sliced=${SECONDS_SLICED:-6}
user_config=$CONFIG
result=$OUT/bench-$(date +%Y%m%d-%H%M%S)-$BASE

"$dir/tools.sh" bench

# use KERNEL: the variables that lead to it
use() {
	local name=bench
	VANILLA=
	[ "$1" != vanilla ] || VANILLA=1
	[ "$1" != without ] || name=bench-without
	CONFIG=$OUT/bench-config/$name.config
	mkdir -p "$OUT/bench-config"
	{
		cat "$TOP/harness/bench/bench.config"
		[ -z "$user_config" ] || cat "$user_config"
		[ "$1" != without ] || cat "$TOP/harness/bench/without.config"
	} >"$CONFIG"
	export VANILLA CONFIG
}

# What each kernel is asked for. In ours SIGSTOP is the code of the unpatched one.
parts() {
	case $1 in
	ours) echo "-p hot,mem,read,crowd,slice -m v1,v2 -s 60" ;;
	without) echo "-p hot,mem" ;;
	vanilla) echo "-p hot,mem,read,crowd,slice -s $sliced" ;;
	esac
}

for kernel in $kernels; do
	use "$kernel"
	build guest
done

mkdir -p "$result"
echo "kernel,part,what,method,n,min,median,max,rounds,unit" >"$result/bench.csv"
status=0
for kernel in $kernels; do
	use "$kernel"
	say "      kernel: $kernel"
	code=0
	APPEND="norandmaps${APPEND:+ $APPEND}" \
		ARGS="-k $kernel $(parts "$kernel")${ARGS:+ $ARGS}" \
		"$dir/run.sh" bench | grep -v '^csv,' || code=$?
	[ "$code" = 0 ] || status=$code
	cp "$OUT/run/latest-bench/output.log" "$result/$kernel.log"
	tr -d '\r' <"$result/$kernel.log" | sed -n 's/^csv,//p' >>"$result/bench.csv"
done

ln -sfn "$(basename "$result")" "$OUT/bench-latest"
perl "$dir/bench/table.pl" "$result/bench.csv" | tee "$result/table.txt"
"$dir/bench/plot.sh" "$result"
plots=$(cd "$result" && for f in *.svg; do [ ! -e "$f" ] || printf ', %s' "$f"; done)
say "figures: $(rel "$result")/bench.csv, table.txt$plots"
say "for RESULTS.md:  harness/bench/results.sh $(rel "$result")/bench.csv"
exit "$status"
