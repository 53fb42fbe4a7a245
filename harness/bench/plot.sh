#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# plot.sh DIR: bench.csv in DIR as a plot, bench.svg, if there is a gnuplot.

set -eu
dir=$1
command -v gnuplot >/dev/null || { echo "      no gnuplot, no plots (Debian: gnuplot-nox)" >&2; exit 0; }

# points KERNEL WHAT METHOD: N and median in ms
points() {
	awk -v kernel="$1" -v what="$2" -v method="$3" '
		# "what" may have a comma in it: it is all between the second field and the seventh from the end.
		{
			n = split($0, f, ",")
			text = f[3]
			for (i = 4; i <= n - 7; i++) text = text "," f[i]
			if (f[1] == kernel && f[2] == "crowd" && text == what && f[n - 6] == method) print f[n - 5], f[n - 3] / 1000
		}' "$dir/bench.csv" | sort -n
}

data=$dir/plot
mkdir -p "$data"
for what in freeze "thaw, all work" walk; do
	name=${what%%,*}
	points ours "mix: $what" v1 >"$data/$name-mix-ours"
	points ours "mix: $what" - >"$data/$name-mix-walk"
	points vanilla "mix: $what" v1 >"$data/$name-mix-v1"
	points vanilla "mix: $what" v2 >"$data/$name-mix-v2"
	points vanilla "mix: $what" SIGSTOP >"$data/$name-mix-SIGSTOP"
done

gnuplot <<END
set terminal svg size 1000,460 font "sans-serif,12" background "white"
set output "$dir/bench.svg"
set multiplot layout 1,2
set logscale xy
set grid
set key left top
set xlabel "sleeping processes"
set xrange [0.8:20000]
set yrange [0.0005:500]
set style data linespoints
set ylabel "milliseconds of a clock of 2 ns/instruction"
set title "freeze, until it is known"
plot "$data/freeze-mix-SIGSTOP" title "SIGSTOP" lw 2, "$data/freeze-mix-v2" title "cgroup v2" lw 2, \
	"$data/freeze-mix-v1" title "unpatched v1" lw 2, "$data/freeze-mix-ours" title "this series" lw 3, \
	"$data/walk-mix-walk" title "bare walk" dt 2
set title "thaw, all work"
plot "$data/thaw-mix-SIGSTOP" title "SIGSTOP" lw 2, "$data/thaw-mix-v2" title "cgroup v2" lw 2, \
	"$data/thaw-mix-v1" title "unpatched v1" lw 2, "$data/thaw-mix-ours" title "this series" lw 3, \
	"$data/walk-mix-walk" title "bare walk" dt 2
unset multiplot
END
rm -rf "$data"
