#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# configure.sh FRAGMENT...: the kernel's configuration: allnoconfig plus requested.config, in which
# harness/build.mk has put the fragments together; and proof that every option that they ask for came
# out as asked.

. "$(dirname "$0")/lib.sh"

take_lock "$TREE.d/build.lock"
requested=$BUILD/requested.config
log=$BUILD/configure.log
step 4 "configure: allnoconfig + $(cd "$TOP" && realpath --relative-base=. "$@" | paste -sd' ')"
if ! KCONFIG_ALLCONFIG=$requested kmake "$TREE" allnoconfig >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	say "build failed: the configuration could not be made, log: $(rel "$log")"
	exit "$E_BUILD"
fi

# The last line about an option counts.
lost=$(awk '
	function option(line) {
		return match(line, /CONFIG_[A-Za-z0-9_]+/) ? substr(line, RSTART, RLENGTH) : ""
	}
	/^CONFIG_[A-Za-z0-9_]+=/ || /^# CONFIG_[A-Za-z0-9_]+ is not set/ {
		o = option($0)
		v = $0 ~ /is not set$/ ? "n" : substr($0, index($0, "=") + 1)
		if (FILENAME == ARGV[1]) want[o] = v
		else have[o] = v
	}
	END {
		for (o in want) {
			h = o in have ? have[o] : "n"
			if (want[o] != h) print "      " o ": asked for " want[o] ", came out as " h
		}
	}' "$requested" "$BUILD/.config" | sort)
if [ -n "$lost" ]; then
	say "$lost"
	say "build failed: the kernel's configuration does not have these options as asked" \
		"(a dependency is missing, or the option is not known on $BASE)"
	say "see:  (cd $(rel "$BUILD") && make menuconfig), and search for the option with /"
	exit "$E_BUILD"
fi
