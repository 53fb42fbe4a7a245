#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# clients/rows.sh: what make clients runs in the guest, with systemd as the first process and cgroup
# v2 only. "rows.sh all" runs each row in a process of its own under a time limit, prints
#
#	ROW <tab> name <tab> ok|FAILED|skipped <tab> seconds <tab> what was counted, or expected and
#	seen, or why it was skipped
#
# thaws, kills and removes what the row left, and writes the verdict. "rows.sh NAME" is one row.
# The jobs and the looks at them are work.c. No row asks a state twice: after a client that freezes,
# cgroup.events is read once, when there was an event.

here=/run/clients
work=$here/rootfs/work
fs=/sys/fs/cgroup
# parameter NAME DEFAULT: freezer.NAME= of the kernel's command line
parameter() {
	local value
	value=$(tr ' ' '\n' </proc/cmdline | sed -n "s/^freezer\.$1=//p" | tail -n 1)
	echo "${value:-$2}"
}
times=$(parameter times 50)
# A command of systemctl, podman or lxc takes seconds here.
few=$(((times + 4) / 5))
long=$((180 + times * 15))

# name	seconds	function and arguments
rows() {
	cat <<-END
	events: once after the event, fork, vfork, exec	$long	events mix
	events: once after the event, nested cgroups	$long	events levels
	systemctl: freeze, thaw, a service that sleeps	$long	systemd_rounds sleep
	systemctl: freeze, thaw, forks	$long	systemd_rounds fork
	systemctl: freeze, thaw, vforks	$long	systemd_rounds vfork
	systemctl: freeze, thaw, exec by threads	$long	systemd_rounds exec
	systemctl: freeze, thaw, nested cgroups	$long	systemd_rounds levels
	systemctl: freeze, thaw, a scope	$long	systemd_scope
	systemctl: kill -s KILL of a frozen service	120	systemd_kill
	systemctl: stop of a frozen service	120	systemd_stop
	systemctl: restart of a frozen service	120	systemd_restart
	systemctl: frozen user.slice over a suspend	180	systemd_suspend
	runc: pause, resume	$long	oci_rounds runc
	runc: exec against pause	$long	oci_exec runc
	runc: kill of a paused container	120	oci_kill runc
	runc: delete -f of a paused container	120	oci_delete runc
	crun: pause, resume	$long	oci_rounds crun
	crun: exec against pause	$long	oci_exec crun
	crun: kill of a paused container	120	oci_kill crun
	crun: delete -f of a paused container	120	oci_delete crun
	podman: pause, unpause	$long	podman_rounds
	podman: exec against pause	$long	podman_exec
	podman: kill of a paused container	120	podman_kill
	podman: rm -f of a paused container	120	podman_remove
	podman: in a service that is frozen	$long	podman_service
	lxc: freeze, unfreeze	$long	lxc_rounds
	lxc: attach against freeze	$long	lxc_exec
	lxc: stop -k of a frozen container	120	lxc_kill
	criu: dump and restore, not frozen	120	criu_row running
	criu: dump by --freeze-cgroup and restore	120	criu_row freezes
	criu: dump of a frozen cgroup and restore	120	criu_row frozen
	criu: dump of a frozen cgroup, --leave-running	120	criu_row stays
	END
}

# expect WHAT EXPECTED SEEN
expect() {
	[ "$2" = "$3" ] || die "$1: expected $2, seen $3"
}

die() {
	echo "$*"
	exit 1
}

# skip WHY: this kernel or machine does not have what the row is about
skip() {
	echo "$*"
	exit 4
}

# must COMMAND...: it succeeds; what it says, if it does not
# Through a file: what stays behind in the background holds a pipe open.
must() {
	"$@" >"$here/said" 2>&1 </dev/null ||
		die "${*##*/}: expected success, seen status $?: $(tail -n 2 "$here/said")"
}

# within SECONDS WHAT COMMAND...: it becomes true; for what no client waits for
within() {
	local end=$((SECONDS + $1)) what=$2 limit=$1
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -le "$end" ] || die "expected within $limit s: $what"
		sleep 0.1
	done
}

# freeze_by CLIENT...: it is frozen by that
freeze_by() { must "$work" by "$cgroup" "$here/job" timeout 30 "$@"; }
still() { "$work" still "$1" "$2" || exit; }
moves() { "$work" moves "$1" || exit; }
cgroup_of() { echo "$fs$(sed -n 's/^0:://p' "/proc/$1/cgroup")"; }
empty() { [ ! -e "$1" ] || grep -q 'populated 0' "$1/cgroup.events"; }

# cgroup events by hand

events() {
	mkdir -p "$fs/clients/job"
	(echo 0 >"$fs/clients/job/cgroup.procs" && exec "$work" "$1" "$here/job") &
	moves "$here/job"
	exec "$work" once "$fs/clients/job" "$here/job" "$times"
}

# systemd

unit_cgroup() { echo "$fs$(systemctl show -p ControlGroup --value "$1")"; }
# unit_is UNIT PROPERTY EXPECTED
unit_is() { expect "$1 $2" "$3" "$(systemctl show -p "$2" --value "$1")"; }
is_down() { systemctl show -p ActiveState --value "$1" | grep -qx 'inactive\|failed'; }

# service UNIT LOAD ARGUMENTS...: it runs
service() {
	local unit=$1 load=$2
	shift 2
	must systemd-run -q --unit="$unit" -p Delegate=yes "$@" "$work" "$load" "$here/job"
	moves "$here/job"
	cgroup=$(unit_cgroup "$unit")
}

# unit_rounds UNIT: freeze and thaw it
unit_rounds() {
	local i
	for ((i = 0; i < few; i++)); do
		freeze_by systemctl freeze "$1"
		unit_is "$1" FreezerState frozen
		must timeout 30 systemctl thaw "$1"
		unit_is "$1" FreezerState running
		moves "$here/job"
	done
	echo "$few rounds"
}

systemd_rounds() {
	service job.service "$1"
	unit_rounds job.service
}

systemd_scope() {
	systemd-run -q --scope --unit=job.scope "$work" mix "$here/job" &
	moves "$here/job"
	cgroup=$(unit_cgroup job.scope)
	unit_rounds job.scope
}

frozen_service() {
	service job.service mix
	freeze_by systemctl freeze job.service
}

systemd_kill() {
	frozen_service
	must systemctl kill -s KILL job.service
	within 10 "the killed processes are gone" empty "$cgroup"
	within 10 "job.service is not active" is_down job.service
	service again.service mix
}

systemd_stop() {
	frozen_service
	must timeout 30 systemctl stop job.service
	unit_is job.service ActiveState inactive
	within 1 "no process is left" empty "$cgroup"
}

systemd_restart() {
	frozen_service
	must timeout 30 systemctl restart job.service
	unit_is job.service ActiveState active
	unit_is job.service FreezerState running
	moves "$here/job"
}

# The clock is set for the wake-up when systemd is about to suspend: on a slow machine it may take
# long until then.
systemd_suspend() {
	local before after hook=/lib/systemd/system-sleep/clients
	grep -qw mem /sys/power/state || skip "no mem in /sys/power/state"
	[ -e /sys/class/rtc/rtc0/wakealarm ] || skip "no clock that ends a suspend"
	mkdir -p "${hook%/*}"
	cat >"$hook" <<-END
	#!/bin/sh
	[ "\$1" = pre ] || exit 0
	echo 0 >/sys/class/rtc/rtc0/wakealarm
	echo +15 >/sys/class/rtc/rtc0/wakealarm
	END
	chmod 755 "$hook"
	service job.service mix --slice=user.slice
	cgroup=$fs/user.slice
	freeze_by systemctl freeze user.slice
	before=$(md5sum <"$here/job")
	must timeout 90 systemctl start systemd-suspend.service
	expect "suspends that came to their end" 1 "$(cat /sys/power/suspend_stats/success)"
	still "$cgroup" "$here/job"
	after=$(md5sum <"$here/job")
	expect "the job, after the suspend" "as before" \
		"$([ "$before" = "$after" ] && echo as before || echo changed)"
	unit_is user.slice FreezerState frozen
	must timeout 30 systemctl thaw user.slice
	moves "$here/job"
	echo "mem_sleep: $(cat /sys/power/mem_sleep)"
}

# runc and crun

# bundle: the container of both
bundle() {
	mkdir -p "$here/bundle" "$here/rootfs"/{proc,dev,sys,tmp,run/clients}
	cat >"$here/bundle/config.json" <<-END
	{
	"ociVersion": "1.0.2",
	"process": { "cwd": "/", "user": { "uid": 0, "gid": 0 }, "env": [ "PATH=/bin" ],
		"args": [ "/work", "mix", "$here/job" ] },
	"root": { "path": "$here/rootfs" },
	"hostname": "job",
	"mounts": [
		{ "destination": "/proc", "type": "proc", "source": "proc" },
		{ "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
		  "options": [ "nosuid", "mode=755" ] },
		{ "destination": "$here", "type": "bind", "source": "$here",
		  "options": [ "bind", "rw" ] } ],
	"linux": {
		"cgroupsPath": "/clients/job",
		"resources": { "devices": [ { "allow": false, "access": "rwm" } ] },
		"namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "ipc" },
			{ "type": "uts" }, { "type": "cgroup" } ] }
	}
	END
}

# oci_run ENGINE: a container "job" that runs; oci_is ENGINE STATE
oci_run() {
	must timeout 30 "$1" run -d -b "$here/bundle" job
	moves "$here/job"
	cgroup=$fs/clients/job
}
oci_is() {
	expect "$1 state" "$2" "$("$1" state job 2>/dev/null |
		sed -n 's/.*"status": *"\([a-z]*\)".*/\1/p')"
}
oci_pause() {
	freeze_by "$1" pause job
	oci_is "$1" paused
}

oci_rounds() {
	local i
	bundle
	oci_run "$1"
	for ((i = 0; i < times; i++)); do
		oci_pause "$1"
		must timeout 30 "$1" resume job
		oci_is "$1" running
		moves "$here/job"
	done
	echo "$times rounds"
}

# exec_loop FREEZE THAW EXEC TIMES: commands, the first two in turn beside the third. An exec ends
# by itself, right or with the word that the container is paused.
# shellcheck disable=SC2086 # each command is words
exec_loop() {
	local exec=$3 n=$4 i refused=0 said status turns=0 loop
	turn() { timeout 30 $1 >"$here/turn" 2>&1 || echo "$1: $(<"$here/turn")" >>"$here/turns.bad"; }
	: >"$here/turns"
	while kill -0 $$ 2>/dev/null; do
		sleep "0.0$((RANDOM % 10))"
		turn "$1"
		sleep "0.0$((RANDOM % 10))"
		turn "$2"
		echo >>"$here/turns"
	done &
	loop=$!
	for ((i = 0; i < n || turns < 1; i++)); do
		status=0
		timeout 30 $exec >"$here/said" 2>&1 </dev/null || status=$?
		said=$(<"$here/said")
		case $status:$said in
		0:*done*) ;;
		124:*) die "exec $i of $n: expected an end, seen none in 30 s" ;;
		*paused* | *frozen* | *'state improper'*) refused=$((refused + 1)) ;;
		*) die "exec $i of $n: expected done or paused, seen status $status: $said" ;;
		esac
		turns=$(wc -l <"$here/turns")
	done
	kill "$loop"
	wait "$loop" 2>/dev/null
	[ ! -e "$here/turns.bad" ] || die "$(head -n 2 "$here/turns.bad")"
	echo "$i execs, $refused refused as paused, $turns pauses"
}

oci_exec() {
	bundle
	oci_run "$1"
	exec_loop "$1 pause job" "$1 resume job" "$1 exec job echo done" "$times"
}

oci_kill() {
	bundle
	oci_run "$1"
	oci_pause "$1"
	must timeout 30 "$1" kill job KILL
	within 10 "the killed processes are gone" empty "$cgroup"
	oci_is "$1" stopped
	must timeout 30 "$1" delete job
	oci_run "$1"
	echo "and a new one of this name"
}

oci_delete() {
	bundle
	oci_run "$1"
	oci_pause "$1"
	must timeout 30 "$1" delete -f job
	expect "the cgroup of the deleted container" gone \
		"$([ -e "$cgroup" ] && echo there || echo gone)"
	oci_run "$1"
	echo "and a new one of this name"
}

# podman

# podman_run: a container "job" that runs
podman_run() {
	must timeout 60 podman run -d --name job --network none -v "$here:$here" \
		--rootfs "$here/rootfs" /work mix "$here/job"
	moves "$here/job"
	# crun makes one in that of podman.
	cgroup=$(cgroup_of "$(podman inspect -f '{{.State.Pid}}' job)")
}
podman_is() {
	expect "podman: state" "$1" "$(podman inspect -f '{{.State.Status}}' job)"
}
podman_pause() {
	freeze_by podman pause job
	podman_is paused
}

podman_rounds() {
	local i
	podman_run
	for ((i = 0; i < few; i++)); do
		podman_pause
		must timeout 30 podman unpause job
		podman_is running
		moves "$here/job"
	done
	echo "$few rounds"
}

podman_exec() {
	podman_run
	exec_loop "podman pause job" "podman unpause job" "podman exec job echo done" "$few"
}

podman_kill() {
	podman_run
	podman_pause
	must timeout 30 podman kill job
	within 10 "the killed processes are gone" empty "$cgroup"
	must timeout 30 podman rm -f job
	podman_run
	echo "and a new one of this name"
}

podman_remove() {
	podman_run
	podman_pause
	must timeout 60 podman rm -f job
	within 1 "the cgroup is gone" test ! -e "$cgroup"
	podman_run
	echo "and a new one of this name"
}

# A service with a container in it, cgroups and all
podman_service() {
	must systemd-run -q --unit=job.service -p Delegate=yes podman run --name job \
		--cgroups=split --network none -v "$here:$here" --rootfs "$here/rootfs" \
		/work mix "$here/job"
	within 30 "the container runs" test -s "$here/job"
	moves "$here/job"
	cgroup=$(unit_cgroup job.service)
	unit_rounds job.service
}

# LXC

lxc_run() {
	mkdir -p "$here/lxc/job"
	cat >"$here/lxc/job/config" <<-END
	lxc.uts.name = job
	lxc.rootfs.path = dir:$here/rootfs
	lxc.init.cmd = /work mix $here/job
	lxc.net.0.type = empty
	lxc.mount.auto = proc
	lxc.mount.entry = $here run/clients none bind,create=dir 0 0
	lxc.apparmor.profile = unconfined
	END
	mkdir -p "$here/rootfs"/{proc,dev,sys,tmp,run/clients}
	must timeout 30 lxc-start -P "$here/lxc" -n job -o "$here/lxc.log"
	moves "$here/job"
	cgroup=$(cgroup_of "$(lxc-info -P "$here/lxc" -n job -pH)")
}
lxc_is() { expect "lxc-info" "$1" "$(lxc-info -P "$here/lxc" -n job -sH)"; }
lxc_frozen() {
	freeze_by lxc-freeze -P "$here/lxc" -n job
	lxc_is FROZEN
}

lxc_rounds() {
	local i
	lxc_run
	for ((i = 0; i < few; i++)); do
		lxc_frozen
		must timeout 30 lxc-unfreeze -P "$here/lxc" -n job
		lxc_is RUNNING
		moves "$here/job"
	done
	echo "$few rounds"
}

lxc_exec() {
	lxc_run
	exec_loop "lxc-freeze -P $here/lxc -n job" "lxc-unfreeze -P $here/lxc -n job" \
		"lxc-attach -P $here/lxc -n job -- /bin/echo done" "$few"
}

lxc_kill() {
	lxc_run
	lxc_frozen
	must timeout 30 lxc-stop -P "$here/lxc" -n job -k
	lxc_is STOPPED
	within 10 "no process is left" empty "$cgroup"
	lxc_run
	echo "and a new one of this name"
}

# CRIU

# criu_does COMMAND...: one of CRIU, with a log in the images; what it says of an error, if it fails
criu_does() {
	timeout 60 criu "$@" -v4 -D "$images" -o "$1.log" --tcp-established >"$here/said" 2>&1 \
		</dev/null ||
		die "criu $1: expected success, seen status $?: $(grep -h Error "$images/$1.log" \
			"$here/said" | head -n 3)"
}

# criu_row running|freezes|frozen|stays: the tree of processes in a cgroup, dumped as it runs, as
# CRIU freezes it, or as it is frozen; "stays" is that, too, and then the tree is still frozen
criu_row() {
	local images=$here/images pid dump=() processes
	cgroup=$fs/clients/job
	mkdir -p "$cgroup" "$images"
	(echo 0 >"$cgroup/cgroup.procs" && exec setsid "$work" tree "$here/job") \
		</dev/null >/dev/null 2>&1 &
	pid=$!
	moves "$here/job"
	[ "$1" = running ] || dump+=(--freeze-cgroup "$cgroup")
	[ "$1" != stays ] || dump+=(--leave-running)
	case $1 in
	frozen | stays)
		freeze_by sh -c "echo 1 >$cgroup/cgroup.freeze"
		;;
	esac
	criu_does dump "${dump[@]}" -t "$pid"
	processes=$(find "$images" -name 'core-*.img' | wc -l)
	if [ "$1" = stays ]; then
		still "$cgroup" "$here/job"
		echo 0 >"$cgroup/cgroup.freeze"
		moves "$here/job"
		echo "$processes processes"
		return
	fi
	within 5 "the processes that were dumped are gone" empty "$cgroup"
	wait "$pid" 2>/dev/null
	# The cgroup comes back with the tree.
	rmdir "$cgroup"
	criu_does restore -d
	[ ! -e "$cgroup" ] || echo 0 >"$cgroup/cgroup.freeze"
	moves "$here/job"
	sleep 1
	moves "$here/job"
	kill -KILL "$pid"
	echo "$processes processes"
}

# All rows

thaw_all() {
	find "$fs" -name cgroup.freeze | while read -r file; do
		[ "$(cat "$file")" = 0 ] || echo 0 >"$file"
	done 2>/dev/null
}

# tidy: nothing of a row is left for the next one
tidy() {
	local name
	thaw_all
	rm -rf "$here"/{turns,turns.bad,images,said}
	systemctl thaw user.slice
	systemctl kill -s KILL job.service again.service job.scope
	if [ -n "$(find /run/crun /run/runc -mindepth 1 -maxdepth 1 2>/dev/null)" ]; then
		for name in runc crun; do timeout 20 "$name" delete -f job; done
	fi
	[[ $1 != podman* ]] || timeout 60 podman rm -f -a -t 0
	[[ $1 != lxc* ]] || timeout 20 lxc-stop -P "$here/lxc" -n job -k
	thaw_all
	# Twice: for what is forked in the meantime
	for name in 1 2; do
		find "$fs/clients" -name cgroup.kill -exec sh -c 'echo 1 >"$1"' - {} \;
		pkill -KILL -f "^([^ ]*/)?work [a-z-]+ $here/job"
		sleep 0.2
	done
	rm -f "$here/job"
	timeout 30 systemctl stop job.service again.service job.scope
	systemctl reset-failed
	find "$fs/clients" -depth -type d -exec rmdir {} +
} >/dev/null 2>&1

verdict() {
	local port
	sync
	port=$(grep -lx verdict /sys/class/virtio-ports/*/name)
	port=${port%/name}
	printf 'clients %s\ntainted %s\nend\n' "$1" "$(cat /proc/sys/kernel/tainted)" \
		>"/dev/${port##*/}"
	reboot -f
}

all() {
	local n=0 total failed=0 name limit what began status said pattern file
	pattern=$(parameter only "")
	pattern=${pattern//%20/ }
	stty -F /dev/ttyS1 -onlcr -echo
	echo 60 >/proc/sys/kernel/hung_task_timeout_secs
	echo -1 >/proc/sys/kernel/hung_task_warnings
	echo 30 >/proc/sys/kernel/watchdog_thresh
	total=$(rows | grep -cE -- "$pattern")
	echo "### plan $total"
	grep -E '^(systemd|podman|runc|crun|lxc|criu) ' /etc/packages | sed 's/^/### package /'
	while IFS=$'\t' read -r name limit what <&3; do
		n=$((n + 1))
		echo "### begin $n/$total $name"
		echo "clients: $name" >/dev/kmsg
		began=$SECONDS status=0
		# shellcheck disable=SC2086
		timeout -k 5 "$limit" bash "$0" $what >"$here/row" 2>&1 3<&- </dev/null || status=$?
		said=$(tail -n 3 "$here/row" | tr '\t\n' '  ' | sed 's/ *$//')
		case $status in
		0) status=ok ;;
		4) status=skipped ;;
		124 | 137) status=FAILED said="expected an end, seen none in $limit s; $said" ;;
		*) status=FAILED ;;
		esac
		if [ "$status" = FAILED ]; then
			failed=$((failed + 1))
			for file in "$here/row" "$here"/images/*.log; do
				[ ! -e "$file" ] || tail -n 100 "$file" | sed "s|^|### ${file##*/} |"
			done
		fi
		printf 'ROW\t%s\t%s\t%s\t%s\n' "$name" "$status" "$((SECONDS - began))" "$said"
		tidy "$what"
	done 3< <(rows | grep -E -- "$pattern")
	verdict "$failed"
}

"$@"
