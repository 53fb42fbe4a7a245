#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# configure.sh: allnoconfig plus fragments, the later ones win:
#   harness/config/kernel.config, arch/ARCH.config, debug.config, lockdep.config or kcsan.config
#   (DEBUG=), base/BASE.config (what differs on this base), series.config (options of our series,
#   not with VANILLA=1), CONFIG=
# and proof that every option they ask for came out as asked.

. "$(dirname "$0")/lib.sh"

config=$TOP/harness/config
fragments=("$config/kernel.config" "$config/arch/$ARCH.config")
[ -z "$DEBUG" ] || fragments+=("$config/$DEBUG_NAME.config")
[ ! -f "$config/base/$BASE.config" ] || fragments+=("$config/base/$BASE.config")

mkdir -p "$BUILD"
take_lock "$TREE.d/build.lock"

if [ -z "$VANILLA" ] && [ -f "$config/series.config" ]; then
	fragment=$config/series.config
	if [ -n "${SERIES_STEPS:-}" ]; then
		# The later patches of the series have not brought their options in yet.
		fragment=$BUILD/series.config
		while read -r line; do
			option=${line%%=*}
			! grep -qx "config ${option#CONFIG_}" "$TREE/init/Kconfig" || echo "$line"
		done <"$config/series.config" >"$fragment"
	fi
	fragments+=("$fragment")
fi
[ -z "$CONFIG" ] || fragments+=("$CONFIG")

requested=$BUILD/requested.config
cat "${fragments[@]}" >"$requested.new"
if [ -f "$BUILD/.config" ] && cmp -s "$requested.new" "$requested" &&
	[ ! "$TREE.d/changed" -nt "$requested" ]; then
	rm "$requested.new"
	exit 0
fi

names=$(cd "$TOP" && realpath --relative-base=. "${fragments[@]}" | tr '\n' ' ')
step 4 "configure: allnoconfig + $names"
rm -f "$requested"
log=$BUILD/configure.log
[ ! -f "$BUILD/.config" ] || cp -p "$BUILD/.config" "$BUILD/.config.before"
if ! KCONFIG_ALLCONFIG=$requested.new kmake "$TREE" allnoconfig >"$log" 2>&1; then
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
	}' "$requested.new" "$BUILD/.config" | sort)
if [ -n "$lost" ]; then
	say "$lost"
	say "build failed: the kernel's configuration does not have these options as asked" \
		"(a dependency is missing, or the option is not known on $BASE)"
	say "see:  (cd $(rel "$BUILD") && make menuconfig), and search for the option with /"
	rm -f "$BUILD/.config"
	exit "$E_BUILD"
fi
# No new date for the same configuration, so nothing is built again for it.
if [ -f "$BUILD/.config.before" ] && cmp -s "$BUILD/.config" "$BUILD/.config.before"; then
	mv "$BUILD/.config.before" "$BUILD/.config"
fi
mv "$requested.new" "$requested"
