#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# results.sh [FILE.csv]: put the tables of these figures into RESULTS.md, between its two comments,
# and keep the figures beside this script. Without a file: from those kept. --check: say whether
# RESULTS.md has the tables of the figures kept.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
results=$here/RESULTS.md
kept=$here/figures.csv
check=
[ "${1:-}" != --check ] || { check=1; shift; }
[ $# -eq 0 ] || cmp -s "$1" "$kept" || cp "$1" "$kept"

new=$(mktemp)
trap 'rm -f "$new" "$new.table"' EXIT
perl "$here/table.pl" --markdown "$kept" >"$new.table"
awk -v table="$new.table" '
	/^<!-- make bench: / {
		print
		while ((getline line < table) > 0) print line
		print ""
		skip = 1
		next
	}
	/^<!-- end of make bench -->/ { skip = 0 }
	!skip { print }' "$results" >"$new"
if [ -n "$check" ]; then
	cmp -s "$new" "$results" || {
		echo "error: harness/bench/RESULTS.md does not have the tables of" \
			"harness/bench/figures.csv: harness/bench/results.sh puts them in"
		exit 1
	}
	exit 0
fi
cat "$new" >"$results"
