#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bisectable.sh: make bisectable. Is every step of the series a kernel that builds without a
# warning?
#
# For each patch and each configuration of harness/bisect/configurations (they cover all pairs of
# the options that matter): the objects of every file that any patch of the series touches, and of
# the new files that are there by then; new files with W=1. After the last patch the whole kernel is
# built and linked in each configuration, and the one of make test is booted, and the tests of
# TESTS= run on it.
#
# With BOOT=y, BOOT=n or BOOT="y n" a small kernel (bisect/boot.config) with the freezer or without
# it is built whole after each patch, instead of the objects, and booted; where there is a freezer
# it freezes and thaws a task.
#
# What is done is remembered in out/bisect/, by the content of the tree and the configuration, so it
# may be interrupted, and only what a changed patch or file concerns is done again. FROM= and TO=
# are the numbers of the first and the last patch to look at (1120), CONFIGS="1 5" the lines of the
# table.

dir=$(dirname "$0")
. "$dir/lib.sh"
dir=$TOP/harness
. "$dir/series-lib.sh"
. "$dir/objects-lib.sh"
[ -z "$VANILLA" ] || die "VANILLA=1 has no series"

stamps=$OUT/bisect/$BASE
mkdir -p "$stamps"
[ -z "${AGAIN:-}" ] || rm -f "$stamps"/*.ok
mapfile -t patches < <(series_patches)
total=${#patches[@]}

# The configurations
table=$dir/bisect/configurations
read -r -a options < <(grep -v '^#' "$table" | head -n 1)
mapfile -t rows < <(grep -v '^#' "$table" | tail -n +2)
missing=$(printf '%s\n' "${rows[@]}" | awk -v names="${options[*]}" '
	{ for (i = 1; i <= NF; i++) for (j = i + 1; j <= NF; j++) seen[i, j, $i $j] = 1; n = NF }
	END {
		split(names, name, " ")
		for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++)
			for (k = split("yy yn ny nn", v, " "); k; k--)
				if (!((i, j, v[k]) in seen) && !(name[i] == "PM_SLEEP" &&
				    name[j] == "HIBERNATION" && v[k] == "ny") &&
				    !(name[i] ~ /^CGROUP_/ && name[j] == "CGROUPS" &&
				    v[k] == "yn"))
					print name[i] "=" substr(v[k], 1, 1),
						name[j] "=" substr(v[k], 2, 1)
	}')
[ -z "$missing" ] || die "$(rel "$table"): no configuration with $missing"

complaints='warning:|WARNING:|error:|undefined reference'

# identity TEXT...: of what is built at this step
identity() { printf '%s\n' "$content" "$@" | sha1sum | cut -c 1-16; }

# option_line NAME y|n
option_line() { if [ "$2" = y ]; then echo "CONFIG_$1=y"; else echo "# CONFIG_$1 is not set"; fi; }

# allnoconfig: the configuration of $BUILD/requested.new, if it is not there yet
allnoconfig() {
	if cmp -s "$BUILD/requested.new" "$BUILD/requested" &&
		[ ! "$TREE/init/Kconfig" -nt "$BUILD/.config" ]; then
		return
	fi
	KCONFIG_ALLCONFIG=$BUILD/requested.new kmake "$TREE" allnoconfig >"$log" 2>&1 || return
	mv "$BUILD/requested.new" "$BUILD/requested"
}

# fragment ROW: the options of a row that exist at this step, by what makes them come out so
fragment() {
	local i value values
	read -r -a values <<<"$1"
	cat "$dir/bisect/base.config"
	for ((i = 0; i < ${#options[@]}; i++)); do
		value=${values[i]}
		case ${options[i]} in
		PM_SLEEP) option_line SUSPEND "$value" ;;
		FTRACE)
			[ "$value" = n ] || printf 'CONFIG_%s=y\n' FTRACE ENABLE_DEFAULT_TRACERS ;;
		CGROUP_SIGNAL)
			if grep -q '^config CGROUP_SIGNAL' "$TREE/init/Kconfig"; then
				[ "$value" = n ] || echo CONFIG_CGROUP_SIGNAL=y
			fi ;;
		*) option_line "${options[i]}" "$value" ;;
		esac
	done
}

# wrong_options ROW: those that did not come out as the row has them
wrong_options() {
	local i values
	read -r -a values <<<"$1"
	for ((i = 0; i < ${#options[@]}; i++)); do
		if [ "${options[i]}" = CGROUP_SIGNAL ] &&
			! grep -q '^config CGROUP_SIGNAL' "$TREE/init/Kconfig"; then
			continue
		fi
		if grep -q "^CONFIG_${options[i]}=y" "$BUILD/.config"; then
			[ "${values[i]}" = y ] || echo "${options[i]}=y"
		else
			[ "${values[i]}" = n ] || echo "${options[i]}=n"
		fi
	done
}

case ${BOOT:-} in
'' | y | n | 'y n') ;;
*) die "BOOT=$BOOT: there are y, n and \"y n\"" ;;
esac
touched=$(for each in "${patches[@]}"; do touched_files "$SERIES/$each"; done | sort -u)
read -r -a wanted <<<"${CONFIGS:-$(seq -s ' ' "${#rows[@]}")}"
for c in "${wanted[@]}"; do
	if ! [[ $c =~ ^[1-9][0-9]*$ ]] || [ "$c" -gt "${#rows[@]}" ]; then
		die "CONFIGS=$CONFIGS: there are 1 to ${#rows[@]}"
	fi
done
# position NAME VALUE: of the patch that FROM= or TO= is the number of, in the series of BASE
position() {
	local i
	for ((i = 0; i < total; i++)); do
		if [[ ${patches[i]} == "$2"-* ]]; then
			echo $((i + 1))
			return
		fi
	done
	die "$1=$2: no patch of $BASE begins with that number, see patches/series"
}

from=1 to=$total
[ -z "${FROM:-}" ] || from=$(position FROM "$FROM")
[ -z "${TO:-}" ] || to=$(position TO "$TO")
[ "$from" -le "$to" ] || die "FROM=$FROM comes after TO=$TO"
failed=0 done_before=0 started=$SECONDS
steps=$(((to - from + 1) * ${#wanted[@]} + 1))
n=0

# boot_step y|n: build the small kernel of this step with or without the freezer, and boot it; a
# line in $outcome
boot_step() {
	local BUILD=$TREE/build-bisect-boot-$1 option status=0 warnings
	log=$stamps/$k-boot-$1.log
	mkdir -p "$BUILD"
	{
		cat "$dir/bisect/boot.config"
		# /proc/sys has one of these names, by the base.
		option=SYSCTL
		! grep -qx 'config PROC_SYSCTL' "$TREE/fs/proc/Kconfig" || option=PROC_SYSCTL
		echo "CONFIG_$option=y"
		for option in CGROUP_FREEZER CGROUP_SIGNAL; do
			[ "$1" = n ] || ! grep -rqx "config $option" "$TREE/init/Kconfig" ||
				echo "CONFIG_$option=y"
		done
	} >"$BUILD/requested.new"
	allnoconfig || { outcome='the configuration could not be made'; return 1; }
	option=$(grep '^CONFIG_' "$BUILD/requested" | grep -vxFf "$BUILD/.config" | tr '\n' ' ')
	[ -z "$option" ] || { outcome="came out otherwise: $option"; return 1; }
	kmake "$TREE" "$(basename "$ARCH_IMAGE")" >"$log" 2>&1 || status=$?
	warnings=$(grep -cE 'warning:|WARNING:' "$log" || true)
	if [ "$status" != 0 ] || [ "$warnings" != 0 ]; then
		grep -E "$complaints|\\*\\*\\*" "$log" | awk 'NR <= 5 { print "      " $0 }'
		outcome="$([ "$status" = 0 ] || echo 'does not build, ')$warnings warnings,"
		outcome="$outcome log: $(rel "$log")"
		return 1
	fi
	if ! RUN_IMAGE=$BUILD/$ARCH_IMAGE RUN_INITRD=$stamps/boot.cpio SMP=2 MEM=512 \
		"$dir/run.sh" step >"$log" 2>&1; then
		tail -n 15 "$log"
		outcome="does not boot, log: $(rel "$log")"
		return 1
	fi
	outcome='built whole, boots'
}

# shellcheck disable=SC2031
result() {
	printf '[%s/%s] %s, configuration %s: %s\n' "$k" "$total" "$patch" \
		"$((c + 1))/${#rows[@]}" "$1"
}

for ((k = from; k <= to; k++)); do
	export SERIES_STEPS=$k
	patch=${patches[k - 1]}
	# The variables of this step
	TREE_NAME=$SRC_NAME-steps TREE=$OUT/tree/$TREE_NAME
	"$dir/fetch.sh"
	"$dir/apply.sh" >"$stamps/apply.log" 2>&1 ||
		{ cat "$stamps/apply.log" >&2; exit "$E_SETUP"; }
	content=$(cat "$dir/bisectable.sh" "$dir/bisect/base.config"
		cd "$TREE.d/stage" &&
			find . -type f ! -path './tools/*' ! -path './Documentation/*' | sort |
			xargs sha1sum)
	new=$(for p in $(series_patches); do new_files_of "$SERIES/$p"; done)
	if [ -n "${BOOT:-}" ]; then
		if [ ! "$stamps/boot.cpio" -nt "$dir/guest/init" ]; then
			mkdir -p "$stamps/empty" "$BUILD"
			: >"$stamps/empty/kselftest-list.txt"
			"$dir/initramfs.sh" "$stamps/empty" "$stamps/boot.cpio"
		fi
		for option in $BOOT; do
			id=$(identity "boot $option" \
				"$(cat "$SRC.version" "$dir/bisect/boot.config" 2>/dev/null)")
			[ ! -f "$stamps/$id.ok" ] || continue
			if boot_step "$option"; then
				touch "$stamps/$id.ok"
			else
				failed=$((failed + 1))
			fi
			printf '[%s/%s] %s, freezer %s: %s; %s s\n' "$k" "$total" "$patch" \
				"$option" "$outcome" "$((SECONDS - started))"
		done
		continue
	fi
	for line in "${wanted[@]}"; do
		c=$((line - 1))
		n=$((n + 1))
		whole=; [ "$k" != "$total" ] || whole=' and the whole kernel'
		id=$(identity "${rows[c]}" "$whole" "$(cat "$SRC.version" 2>/dev/null)")
		if [ -f "$stamps/$id.ok" ]; then
			done_before=$((done_before + 1))
			continue
		fi
		BUILD=$TREE/build-bisect-$((c + 1))
		log=$stamps/$k-$((c + 1)).log
		mkdir -p "$BUILD"
		fragment "${rows[c]}" >"$BUILD/requested.new"
		if ! allnoconfig; then
			tail "$log" >&2
			result "the configuration could not be made"
			failed=$((failed + 1))
			continue
		fi
		wrong=$(wrong_options "${rows[c]}")
		if [ -n "$wrong" ]; then
			rm -f "$BUILD/requested"
			result "came out otherwise: ${wrong//$'\n'/ }"
			failed=$((failed + 1))
			continue
		fi
		# Not from a process substitution, whose failure nobody would see
		objects_of <<<"$new" >"$stamps/ours"
		objects_of <<<"$touched" >"$stamps/theirs"
		mapfile -t ours <"$stamps/ours"
		mapfile -t theirs <"$stamps/theirs"
		status=0
		kmake "$TREE" -k "${theirs[@]}" >"$log" 2>&1 || status=$?
		[ "${#ours[@]}" = 0 ] || {
			(cd "$BUILD" && rm -f "${ours[@]}")
			kmake "$TREE" -k W=1 "${ours[@]}" >>"$log" 2>&1
		} || status=$?
		if [ "$status" = 0 ] && [ -n "$whole" ]; then
			kmake "$TREE" vmlinux >>"$log" 2>&1 || status=$?
		fi
		warnings=$(grep -cE 'warning:|WARNING:' "$log" || true)
		if [ "$status" != 0 ] || [ "$warnings" != 0 ]; then
			grep -E "$complaints|\\*\\*\\*" "$log" | awk 'NR <= 5 { print "      " $0 }'
			outcome="$([ "$status" = 0 ] || echo 'does not build, ')$warnings warnings"
			result "$outcome, log: $(rel "$log")"
			failed=$((failed + 1))
			continue
		fi
		touch "$stamps/$id.ok"
		so_far="$((SECONDS - started)) s, $((n * 100 / steps)) %"
		result "$((${#ours[@]} + ${#theirs[@]})) objects$whole; $so_far"
	done
done
[ "$done_before" = 0 ] || echo "$done_before of $((steps - 1)) were known from before"
unset SERIES_STEPS

# The end of the series boots and passes.
if [ "$to" = "$total" ] && [ -z "${NOBOOT:-}${BOOT:-}" ]; then
	if ! TESTS=${TESTS:-core} "$dir/test.sh"; then
		failed=$((failed + 1))
	fi
fi
if [ "$failed" = 0 ] && [ -n "${BOOT:-}" ]; then
	echo "bisectable: BASE=$BASE, patches $from to $to of $total:" \
		"each builds and boots, freezer: $BOOT"
elif [ "$failed" = 0 ]; then
	echo "bisectable: BASE=$BASE, patches $from to $to of $total," \
		"${#wanted[@]} of ${#rows[@]} configurations: no warning, no error"
else
	echo "bisectable: BASE=$BASE: $failed failed"
	exit "$E_BUILD"
fi
