#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# latency.sh: make latency. For how long interrupts are off at most while a crowd is frozen, thawed
# and looked at, on the kernel of make test, in a guest whose clock counts instructions: part
# "latency" of freezer_bench (tools/testing/selftests/freezer/bench_latency.c).
#
#   N=       tasks of the crowd (20000);  ROUNDS= (5)
#   MOST=    microseconds: fails if a section is longer (100), 0 to print only

dir=$(dirname "$0")
. "$dir/lib.sh"

[ -z "$DEBUG" ] || die "make latency: what DEBUG= builds is slow by itself"
most=${MOST:-100}
export MEM=${MEM:-4096}
[ "$MEM" -ge 4096 ] || MEM=4096

"$dir/tools.sh" bench
build guest

status=0
APPEND="norandmaps${APPEND:+ $APPEND}" \
	ARGS="-k $BASE -p latency -m v1 -N ${N:-20000} -r ${ROUNDS:-5}" \
	"$dir/run.sh" bench | grep -v '^csv,' || status=$?
[ "$status" = 0 ] || exit "$status"

tr -d '\r' <"$OUT/run/latest-bench/output.log" | sed -n 's/^csv,//p' | awk -F, -v most="$most" '
	# kernel,part,what,method,n,min,median,max,rounds,unit
	{
		split($3, name, ": ")
		max[name[1], name[2]] = $8
		if (!(name[1] in seen)) { seen[name[1]] = 1; order[++n] = name[1] }
		tasks = $5
	}
	END {
		if (!n) exit 1
		none = max["nothing", "late"]
		printf "\n%d tasks, microseconds of a clock that counts instructions\n\n", tasks
		printf "%-24s %14s %14s\n", "", "the operation", "interrupts off"
		for (i = 1; i <= n; i++) {
			off = max[order[i], "late"] - none
			if (off < 0) off = 0
			mark = ""
			if (most && off > most) { mark = "  more than " most; bad = 1 }
			printf "%-24s %14.1f %14.1f%s\n", order[i], max[order[i], "took"], off, mark
		}
		printf "\nless %.1f us that the wake-up of the sampler takes when nothing ", none
		print "is done; it looks every 25 us"
		exit bad ? 3 : 0
	}'
