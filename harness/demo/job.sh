#!/demo/bin/sh
# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# job.sh DIRECTORY: the job of the demonstration. Five pipelines of ordinary programs work side by
# side in DIRECTORY, about two dozen processes in all, round after round until there is a file
# "last". The job knows nothing about freezing, and does nothing to help or hinder.
#
# A part keeps the files of a round in DIRECTORY/<part>/<round>/, which is where its progress is
# seen from outside. The result of the round, a checksum, goes to DIRECTORY/<part>/<round>.sum;
# after that its files are removed. All rounds do the same. What the sizes and the checksums come to
# is in the file "parts".

cd "$1" || exit 1
LC_ALL=C
export LC_ALL

# Many small sorts, one after the other: processes come and go.
part_sort() {
	for seed in $(seq 100 147); do
		gen "$seed" 3000 | tee "$dir/$seed.in" | sort >"$dir/$seed.out"
	done
	cat "$dir"/*.out | sha256sum
}

# Compress, keep what was compressed, and expand it again.
part_gzip() {
	gen 200 180000 | tee "$dir/plain" | gzip | tee "$dir/packed" |
		gunzip | sha256sum
}

# The same in large blocks: most of the pipeline sleeps most of the time.
part_bzip2() {
	gen 300 130000 | tee "$dir/plain" | bzip2 -1 | bunzip2 | sha256sum
}

# How often does each word occur?
part_words() {
	gen 400 50000 | tee "$dir/plain" |
		awk '{ for (i = 2; i <= NF; i++) n[$i]++ }
		     END { for (w in n) print n[w], w }' |
		sort -k1,1nr -k2,2 | sha256sum
}

# Write to the disk and wait for it, then read everything back.
part_disk() {
	for seed in $(seq 500 563); do
		gen "$seed" 6000 |
			dd of="$dir/$seed" bs=4k conv=fsync 2>/dev/null
	done
	cat "$dir"/* | sha256sum
}

run_part() {
	round=1
	until [ -e last ] && [ "$round" -gt 1 ]; do
		dir=$1/$round
		mkdir -p "$dir" || return
		"part_$1" >"$1/sum" || return
		mv "$1/sum" "$dir.sum" || return
		rm -r "$dir"
		round=$((round + 1))
	done
}

for part in sort gzip bzip2 words disk; do
	run_part "$part" &
done
wait
