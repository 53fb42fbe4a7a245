#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# plot.sh DIR: bench.csv in DIR as a plot, bench.svg, if there is a gnuplot.

set -eu
dir=$1
if ! command -v gnuplot >/dev/null; then
	echo "      no gnuplot, no plots (Debian: gnuplot-nox)" >&2
	exit 0
fi

# points KERNEL WHAT METHOD: N and median in ms
points() {
	awk -v kernel="$1" -v what="$2" -v method="$3" '
		# "what" may have a comma in it: it is all between the second field and the seventh
		# from the end.
		{
			n = split($0, f, ",")
			text = f[3]
			for (i = 4; i <= n - 7; i++) text = text "," f[i]
			if (f[1] == kernel && f[2] == "crowd" && text == what && f[n - 6] == method)
				print f[n - 5], f[n - 3] / 1000
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

# curve WHAT FILE TITLE STYLE: the part of a plot command for it, if there are points: there are
# none of a kernel that was left out (KERNELS=)
curve() {
	[ ! -s "$data/$1-mix-$2" ] || echo "\"$data/$1-mix-$2\" title \"$3\" $4"
}

# curves WHAT: those of one plot
curves() {
	{
		curve "$1" SIGSTOP SIGSTOP "lt 1 lw 2"
		curve "$1" v2 "cgroup v2" "lt 2 lw 2"
		curve "$1" v1 "unpatched v1" "lt 3 lw 2"
		curve "$1" ours "this series" "lt 4 lw 3"
		curve walk walk "bare walk" "lt 5 dt 2"
	} | paste -s -d ,
}

freeze=$(curves freeze)
thaw=$(curves thaw)
if [ -z "$freeze" ] || [ -z "$thaw" ]; then
	echo "      no crowd was measured, no plots" >&2
	rm -rf "$data"
	exit 0
fi

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
plot $freeze
set title "thaw, all work"
plot $thaw
unset multiplot
END
rm -rf "$data"
