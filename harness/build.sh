#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build.sh: build the kernel, with progress.

. "$(dirname "$0")/lib.sh"

take_lock "$TREE.d/build.lock"
log=$BUILD/build.log
expected=$(cat "$BUILD/objects" 2>/dev/null || echo "$ARCH_OBJECTS")
[ ! -f "$IMAGE" ] || expected=
step 5 "build: Linux $BUILD_NAME, -j$JOBS, log: $(rel "$log")"

progress() {
	local n=0 line shown=0 text=
	while read -r line; do
		case $line in
		'CC '* | 'AS '* | 'AR '*) n=$((n + 1)) ;;
		*'warning:'*) [ -t 2 ] && printf '\r\033[K' >&2; say "      $line" ;;
		*) continue ;;
		esac
		text="$n objects"
		[ -z "$expected" ] ||
			text="$n/$expected objects, $((n < expected ? n * 100 / expected : 99)) %"
		if [ -t 2 ]; then
			printf '\r\033[K[5/7] build: %s' "$text" >&2
		elif [ $((SECONDS - shown)) -ge 20 ]; then
			shown=$SECONDS
			step 5 "build: $text"
		fi
	done
	[ ! -t 2 ] || printf '\r\033[K' >&2
	[ -z "$expected" ] || echo "$n" >"$BUILD/objects"
}

started=$(date +%s)
status=0
# shellcheck disable=SC2094
kmake "$TREE" "$(basename "$IMAGE")" 2>&1 | tee "$log" | progress || status=$?
if [ "$status" != 0 ]; then
	rm -f "$BUILD/objects"
	grep -nE 'error:|Error [0-9]|undefined reference|No rule to make' "$log" | head -n 10 >&2
	say "build failed, log: $(rel "$log")"
	exit "$E_BUILD"
fi
step 5 "build: done in $(($(date +%s) - started)) s, $(rel "$IMAGE")"
