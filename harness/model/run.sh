#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# model/run.sh [NAME|-DMACRO...]: search the models of this directory for an error, and then each
# with one barrier or hook taken out, where the search has to find one. NAME, -DMACRO: those only.
# The last line: N passed, N failed, N skipped.
#
# LIMIT=150: seconds of CPU time for one search, five times that on the clock. What is made goes to
# out/model/.

set -u
dir=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$dir/../.." && pwd)/out/model
LIMIT=${LIMIT:-150}
passed=0 failed=0 skipped=0
mkdir -p "$out"

end() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
	exit
}

tools() {
	local missing=()
	command -v spin >/dev/null || missing+=(spin)
	command -v gcc >/dev/null || missing+=(gcc libc6-dev)
	[ "${#missing[@]}" -gt 0 ] || return 0
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "installing: ${missing[*]}" >&2
		export DEBIAN_FRONTEND=noninteractive
		{
			apt-get install -y --no-install-recommends "${missing[@]}" || {
				apt-get update &&
					apt-get install -y --no-install-recommends "${missing[@]}"
			}
		} >"$out/apt.log" 2>&1 && return 0
		tail -n 5 "$out/apt.log" >&2
	fi
	echo "missing: ${missing[*]}; as root:  apt-get install ${missing[*]}" >&2
	return 1
}

# The names of the properties in engine.h
property() {
	case $1 in
	*'|still)'*) echo "a task of a FROZEN group is in user mode" ;;
	*'|no_fork)'*) echo "a task is added to a FROZEN group" ;;
	*'|same_list)'*) echo "a task leaves a FROZEN group by its exit" ;;
	*'|completes)'*) echo "a freeze does not complete" ;;
	*'|goes_on)'*) echo "a task does not run after the last thaw" ;;
	*'|wakes)'*) echo "a wake-up is lost" ;;
	*'|dies)'*) echo "a kill is lost" ;;
	*'|stays_stopped)'*) echo "a stop ends without its SIGCONT" ;;
	*) echo "$1" ;;
	esac
}

# search NAME MACROS...: fills in verdict (clean, error or broken), what, states, seconds
search() {
	local name=$1 work log started=$SECONDS line optimize=-O0
	shift
	# The compiler takes longer than most of the searches.
	case $name$# in
	move0 | kill0) optimize=-O1 ;;
	esac
	verdict=broken what='' states='' seconds=''
	work=$out/$name${1:+$(printf '%s' "$@")}
	rm -rf "$work"
	mkdir -p "$work"
	log=$work/log
	cp "$dir"/*.h "$dir"/*.pml "$work"
	if ! (cd "$work" && spin -a "$@" "$name.pml" &&
		gcc "$optimize" -w -DSAFETY -DCOLLAPSE -DVECTORSZ=1024 -DMEMLIM=3800 -o pan pan.c
	) >"$log" 2>&1; then
		what="it does not compile, log: $log"
		return
	fi
	# -E: process Judge() looks at what is left when nothing moves any more.
	(
		TIMEFORMAT="cpu %U"
		cd "$work" && ulimit -t "$LIMIT" &&
			time timeout -k 5 $((LIMIT * 5)) nice -n 19 ./pan -E -m2000000
	) >"$log" 2>&1
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$log")
	seconds=$(sed -n 's/^cpu //p' "$log")
	line=$(grep -m 1 '^pan:1:' "$log")
	if [ -n "$line" ]; then
		verdict=error
		what=$(property "${line%% (at depth*}")
		(cd "$work" && ./pan -r) >"$work/interleaving" 2>&1
	elif grep -q 'errors: 0$' "$log" && ! grep -q 'Search not completed' "$log"; then
		verdict=clean
	else
		what="not done after $((SECONDS - started)) s, log: $log"
	fi
	rm -f "$work"/pan.[bcmpht] "$work"/*.pml "$work"/*.h
}

# .pml	macros	what is not there
list='door
sleep
fork
exit
move
kill
killable
holders
objection
door	-DNO_A	(A), and the one in the atomic operation before it
door	-DNO_A0	the order of closed and TIF_NOTIFY_RESUME
door	-DNO_B	(B)
door	-DNO_C	(C)
door	-DNO_H	(H)
door	-DNO_KICK	kick_process()
door	-DNO_RELOOK	the looks at busy tasks
door	-DNO_SAVED	the wake-up kept in saved_state
door	-DNO_SAME_SLEEP	the second look at the state, under pi_lock
sleep	-DNO_ONRQ	"on a run queue?" in freezer_thaw_sleep()
sleep	-DONRQ_LATE	"on a run queue?" before saved_state is read
fork	-DNO_D	(D)
fork	-DNO_FORK_GATE	the gate of fork
fork	-DNO_BIRTH	the hook for birth
exit	-DNO_BEGIN_EXIT	cgroup_freezer_begin_exit()
exit	-DNO_REGATE	the look at the gate behind the one at the state
exit	-DGATE_FIRST	the look at the gate behind the run queue, in the short way
exit	-DNO_LEFT	cgroup_freezer_left()
move	-DNO_MOVED	cgroup_freezer_moved()
move	-DNO_MOVED_ELSEWHERE	cgroup_freezer_moved() in another hierarchy
move	-DNO_ACCOUNT	the account that moves along
kill	-DNO_E -DNO_TTWU	(E), and the one of try_to_wake_up()
killable	-DNO_E	(E), against itself
holders	-DNO_MASK	the bits of closed
objection	-DNO_LAST_OBJECTION	the look for a kill in freezer_open_door()'

if ! tools; then
	skipped=1
	end
fi

mapfile -t rows < <(while IFS=$'\t' read -r name macros text; do
	if [ $# = 0 ] || [[ " $* " == *" $name "* || " $* " == *" ${macros:--} "* ]]; then
		printf '%s\t%s\t%s\n' "$name" "${macros:--}" "$text"
	fi
done <<<"$list")
n=0
for row in "${rows[@]}"; do
	IFS=$'\t' read -r name macros text <<<"$row"
	n=$((n + 1))
	if [ "$macros" = - ]; then
		search "$name"
		expected=clean text="all of it"
	else
		read -r -a words <<<"$macros"
		search "$name" "${words[@]}"
		expected=error text="without $text"
	fi
	if [ "$verdict" = "$expected" ]; then
		passed=$((passed + 1)) result=ok
	else
		failed=$((failed + 1)) result=FAILED
	fi
	case $verdict in
	clean) what="no error" ;;
	error) what="found: $what" ;;
	esac
	echo "[$n/${#rows[@]}] $result: $name, $text: $what" \
		"(${states:-?} states, ${seconds:-?} s of CPU time)"
done
end
