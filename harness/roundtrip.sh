#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# roundtrip.sh: do the mails of patches/ survive? For each base whose source is unpacked: composed,
# made commits, and written back, in a copy, they are the same bytes.

. "$(dirname "$0")/lib.sh"
. "$TOP/harness/series-lib.sh"
. "$TOP/harness/edit-lib.sh"

work=$OUT/roundtrip
take_lock "$OUT/roundtrip.lock"
rm -rf "$work"
mkdir -p "$work/old"
quiet_git
for base in $(series_bases); do compose_mails "$base" "$work/old/$base"; done

status=0
for base in $(series_bases); do
	BASE=$base LINUX='' SRC=$OUT/src/$base SERIES=$work/old/$base
	if [ ! -f "$SRC/Kbuild" ]; then
		say "$base: its source is not unpacked, so not looked at." \
			"next:  make tree BASE=$base"
		continue
	fi
	rm -rf "$work/patches"
	cp -a "$PATCHES" "$work/patches"
	if ! build_branch "$work/repo" "$base" "$work/old/$base"; then
		echo "error: patches/$failed_patch does not apply on $base." \
			"next:  make edit BASE=$base"
		status=1
		continue
	fi
	write_full "$work/repo" "$work/full"
	write_base "$base" "$work/repo" "$work/full" "$work/patches"
	if diff -ru "$PATCHES" "$work/patches" >"$work/$base.diff"; then
		echo "$base: $(wc -l <"$work/full/series") patches, written back the same"
	else
		echo "error: $base: written back otherwise, see $(rel "$work/$base.diff")"
		sed -n 's/^+++ .*\(patches\/\)/      \1/p' "$work/$base.diff"
		echo "next:  make edit BASE=$base && make refresh BASE=$base"
		status=1
	fi
done
exit "$status"
