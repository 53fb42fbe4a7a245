#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# objects.sh: make objects. The new files of the series with W=1 and the files that it touches, for
# ARCH=, DEBUG= and CONFIG=, as far as they are configured: without the rest of the kernel, in a few
# minutes. A warning is a failure.

dir=$(dirname "$0")
. "$dir/lib.sh"
dir=$TOP/harness
. "$dir/series-lib.sh"
. "$dir/objects-lib.sh"
[ -z "$VANILLA" ] || die "VANILLA=1 has nothing of ours to compile"

build configured
take_lock "$TREE.d/build.lock"
log=$BUILD/objects.log
list=$BUILD/objects.list
started=$SECONDS

of_patches() { local each; for each in $(series_patches); do "$1" "$SERIES/$each"; done | sort -u; }

# Not from a process substitution, whose failure nobody would see
of_patches new_files_of | objects_of >"$list.ours"
of_patches touched_files | objects_of | grep -vxFf "$list.ours" >"$list.theirs" || true
mapfile -t ours <"$list.ours"
mapfile -t theirs <"$list.theirs"
total=$((${#ours[@]} + ${#theirs[@]}))
step 5 "objects: ${#theirs[@]} that the series touches, ${#ours[@]} of its own, for $ARCH," \
	"log: $(rel "$log")"

progress() {
	local line n=0 shown=$SECONDS
	while read -r line; do
		case $line in
		'CC '*) n=$((n + 1)) ;;
		*'warning:'* | *'error:'*) say "      $line" ;;
		esac
		if [ $((SECONDS - shown)) -ge 20 ]; then
			shown=$SECONDS
			step 5 "objects: $n compiled, those included that they depend on"
		fi
	done
}

{
	kmake "$TREE" -k "${theirs[@]}" 2>&1 || echo "failed: ${#theirs[@]} objects"
	(cd "$BUILD" && rm -f "${ours[@]}")
	kmake "$TREE" -k W=1 "${ours[@]}" 2>&1 || echo "failed: ${#ours[@]} objects of ours"
} | tee "$log" | progress
if grep -qE 'warning:|error:|^failed: |\*\*\*' "$log"; then
	grep -nE 'error:|\*\*\*|^failed: ' "$log" | head -n 10 >&2
	say "objects for $ARCH: FAILED, $(grep -cE 'warning:' "$log" || true) warnings," \
		"log: $(rel "$log")"
	exit "$E_BUILD"
fi
echo "objects for $ARCH: $total, no warning, $((SECONDS - started)) s"
