#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# regress.sh: make regress. The kernel's own selftests that touch what the series touches, built
# once from the unpatched tree, and run on the kernel with the series and on the unpatched one. Both
# results are printed side by side. Some of these tests pass now and then only, on any kernel: a
# program of which a test passes on the unpatched kernel and does not pass on ours is run thirty
# times more on both, and a test that passes at least ten times less on ours fails this command.
# TESTS= are patterns of the programs, COLLECTIONS= the directories of tools/testing/selftests.
# TIMES=100 runs each program that often on both, and then a test that passes less often on ours
# fails this command.
#
# Linked statically, since the guest has no libraries; what does not link so, for want of a library
# on this machine, is named and left out.

dir=$(dirname "$0")
export VANILLA=1
. "$dir/lib.sh"
"$dir/tools.sh" regress
build image
VANILLA='' build image
dir=$TOP/harness
. "$dir/guest/patterns.sh"
collections='cgroup ptrace signal sigaltstack futex seccomp exec clone3 pidfd rseq breakpoints
pid_namespace syscall_user_dispatch filesystems/epoll ipc mqueue net/af_unix'
collections=${COLLECTIONS:-$collections}
# What takes long without a word on freezing, signals or fork, or needs what the guest does not have
left_out='test_memcontrol test_kmem test_zswap test_hugetlb_memcg test_cpu test_cpuset
seccomp_benchmark wait_inotify futex_numa_mpol futex_numa set-exec mq_perf_tests load_address.*'
often=${TIMES:-30}
selftests=$TREE/tools/testing/selftests
work=$OUT/regress/$BASE
log=$work/build.log
rm -rf "$work"
mkdir -p "$work/root" "$work/o"

step 6 "selftests of the kernel: $collections"
if ! kmake "$TREE" headers >"$log" 2>&1; then
	tail -n 5 "$log" >&2
	say "build failed, log: $(rel "$log")"
	exit "$E_BUILD"
fi
: >"$work/list"
for collection in $collections; do
	[ -f "$selftests/$collection/Makefile" ] || continue
	if [ "$collection" = rseq ]; then
		# Its Makefile makes a shared library.
		mkdir -p "$work/root/rseq"
		for program in basic_test basic_percpu_ops_test param_test; do
			if "${CROSS_COMPILE:-}gcc" -static -O2 -w -D_GNU_SOURCE= -I"$selftests" \
				-I"$selftests/rseq" -I"$TREE/tools/include" \
				-isystem "$BUILD/usr/include" -o "$work/root/rseq/$program" \
				"$selftests/rseq/$program.c" "$selftests/rseq/rseq.c" \
				-lpthread -ldl >>"$log" 2>&1; then
				echo "rseq:$program" >>"$work/list"
			fi
		done
		continue
	fi
	# One program that does not link must not keep the others from being installed.
	LDFLAGS=-static kmake "$selftests" -i TARGETS="$collection" \
		KHDR_INCLUDES="-isystem $BUILD/usr/include" \
		INSTALL_PATH="$work/i" install >>"$log" 2>&1 || true
	[ -f "$work/i/kselftest-list.txt" ] || continue
	mv "$work/i/kselftest-list.txt" "$work/listed"
	cp -a "$work/i/." "$work/root/"
	rm -rf "$work/i"
	while IFS=: read -r where name; do
		for pattern in $left_out; do
			# shellcheck disable=SC2053
			[[ $name != $pattern ]] || continue 2
		done
		# No scripts of bash: the guest has none. Only what is linked by now.
		if [ -x "$work/root/$where/$name" ]; then
			case $(head -n 1 "$work/root/$where/$name" | tr -d '\0' | head -c 64) in
			?ELF* | '#!/bin/sh'* | '#! /bin/sh'*) echo "$where:$name" ;;
			esac
		fi
	done <"$work/listed" >>"$work/list"
done
sort -u "$work/list" >"$work/root/kselftest-list.txt"
find "$work/root" -name settings -delete
sed -n -e 's/.*ld: cannot find \(-l[a-z0-9]*\).*/      not linked statically for want of \1/p' \
	-e 's/.*fatal error: \(.*\): No such file.*/      not built for want of \1/p' "$log" |
	sort | uniq -c >&2
[ -s "$work/root/kselftest-list.txt" ] || die "no selftest could be built, log: $(rel "$log")"

export RUN_INITRD=$work/initramfs.cpio
"$dir/initramfs.sh" "$work/root" "$RUN_INITRD"

# run_on COLUMN TESTS: results of the programs, "program: test<tab>result" a line, without numbers
# that differ from run to run. If there is a program that did not end, by itself or at its time
# limit, the column is in $cut.
cut=
run_on() {
	local from missing
	TESTS=$2 LIMIT=${LIMIT:-200} TIMEOUT=${TIMEOUT:-2400} \
		"$dir/run.sh" test </dev/null >"$work/$1.log" 2>&1 || true
	from=$(sed -n 's/.*logs: \(out\/run\/[^ ]*\)\/.*/\1/p' "$work/$1.log" | head -n 1)
	tr -d '\r' <"$TOP/$from/output.log" | awk '
		/^### begin / { name = $4; split("", seen); next }
		/^### end / { print name ": exit status\t" $4; name = ""; next }
		name != "" && /^(not )?ok / {
			result = /# SKIP/ ? "skip" : /^not/ ? "not ok" : "ok"
			sub(/^(not )?ok */, ""); sub(/^[0-9]+ */, ""); sub(/^- /, "")
			sub(/ *# SKIP.*/, "")
			gsub(/0x[0-9a-f]+|[0-9]+(\.[0-9]+)? (us|ms|ns|s)([^a-z]|$)/, "N ")
			gsub(/\[[0-9]+\]/, "[N]")
			gsub(/\([0-9]+(,[0-9]+)+\)/, "(N)")
			key = name ": " $0
			if (seen[key]++) key = key " (" seen[key] ")"
			print key "\t" result
		}' >"$work/$1"
	missing=$(comm -13 <(sed -n 's/: exit status\t.*//p' "$work/$1" | sort) \
		<(cut -d: -f2 "$work/root/kselftest-list.txt" | grep -xE "${2// /|}" | sort) |
		uniq | tr '\n' ' ')
	if [ -n "$missing" ]; then
		cut="$cut $1"
		say "      not run to the end: ${missing% }, log: $(rel "$work")/$1.log"
	fi
	grep -aE -f <(awk -F'\t' '$1 == "report" {print $2}' "$dir/reports") \
		"$TOP/$from/console.log" >"$work/$1.reports" || true
}

# compare: prints both columns, and of what differs each test; those that are worse go to the file
# worse
compare() {
	awk -F'\t' -v worse="$work/worse" '
		FNR == NR { was[$1] = $2; order[++n] = $1; next }
		{ is[$1] = $2; if (!($1 in was)) order[++n] = $1 }
		function good(r) { return r == "ok" || r == "0" }
		END {
			printf "" >worse
			for (i = 1; i <= n; i++) {
				t = order[i]
				program = t; sub(/: .*/, "", program)
				if (!(program in a)) { programs[++p] = program; a[program] = 0 }
				if (t !~ /: exit status$/) {
					a[program]++
					if (is[t] == "ok") x[program]++
					if (was[t] == "ok") y[program]++
				} else {
					e[program] = is[t]; f[program] = was[t]
				}
				if (is[t] != was[t]) {
					bad = good(was[t]) && !good(is[t])
					d[++m] = sprintf("  %-60s %-10s %-10s%s", substr(t, 1, 60),
						t in is ? is[t] : "missing",
						t in was ? was[t] : "missing",
						bad ? "  WORSE" : "")
					if (bad) print t >worse
				}
			}
			printf "%-32s %22s %22s\n", "program", "with the series", "unpatched"
			for (i = 1; i <= p; i++) {
				program = programs[i]
				printf "%-32s %3d of %3d, status %3s %3d of %3d, status %3s\n",
					program, x[program], a[program], e[program],
					y[program], a[program], f[program]
			}
			if (m) printf "different:%53s %s\n", "with the series", "unpatched"
			for (i = 1; i <= m; i++) print d[i]
		}' "$work/unpatched" "$work/ours"
}

# compare_often: of the tests that were worse, how often of thirty each passes on either; those that
# are worse that way remain in the file worse
compare_often() {
	awk -F'\t' -v out="$work/worse.new" -v often="$often" -v all="${TIMES:-}" '
		FILENAME == ARGV[1] { order[++n] = $1; next }
		{
			if ($2 != "ok" && $2 != "0") next
			if (FILENAME == ARGV[2]) was[$1]++; else is[$1]++
		}
		END {
			printf "" >out
			printf "passed of %d times:%44s %s\n", often, "with the series", "unpatched"
			for (i = 1; i <= n; i++) {
				t = order[i]
				bad = all ? is[t] < was[t] : was[t] - is[t] >= often / 3 || !is[t]
				printf "  %-60s %-10d %-10d%s\n", substr(t, 1, 60), is[t], was[t],
					bad ? "  WORSE" : ""
				if (bad) print t >out
			}
		}' "$work/worse" "$work/again-unpatched" "$work/again-ours"
	mv "$work/worse.new" "$work/worse"
}

# on COLUMN [PREFIX]: with the kernel of that column
on() {
	if [ "$1" = unpatched ]; then export VANILLA=1; else export VANILLA=; fi
	step 7 "$(wc -w <<<"$tests") programs${2:+, $often times}, $1," \
		"log: $(rel "$work")/${2:-}$1.log"
	run_on "${2:-}$1" "$tests"
}

tests=
cut -d: -f2 "$work/root/kselftest-list.txt" | sort -u >"$work/names"
wrong=$(unmatched "${TESTS:-}" <"$work/names" | paste -sd' ')
[ -z "$wrong" ] || die "no program matches TESTS='$wrong'; there are: $(paste -sd' ' "$work/names")"
while read -r name; do
	if is_chosen "$name" "${TESTS:-}"; then tests="$tests $name"; fi
done <"$work/names"
tests=${tests# }
[ -n "$tests" ] || die "no program matches TESTS='${TESTS:-}'"
on unpatched
on ours
compare
[ -z "${TIMES:-}" ] || cut -f1 "$work/unpatched" >"$work/worse"
if [ -s "$work/worse" ]; then
	tests=$(sed 's/: .*//' "$work/worse" | sort -u | tr '\n' ' ')
	tests=${tests% }
	cp "$work/root/kselftest-list.txt" "$work/listed"
	for ((i = 0; i < often; i++)); do
		grep -E ":(${tests// /|})\$" "$work/listed"
	done >"$work/root/kselftest-list.txt"
	"$dir/initramfs.sh" "$work/root" "$RUN_INITRD"
	# LIMIT is for each repetition, this for all of them
	export TIMEOUT=${TIMEOUT:-7200}
	on unpatched again-
	on ours again-
	compare_often
fi
reports_of() { cat "$work/"*"$1.reports" | sed 's/^\[[^]]*\] *//' | sort -u; }
new_reports=$(comm -23 <(reports_of ours) <(reports_of unpatched))
[ -z "$new_reports" ] || printf 'kernel reports with the series only:\n%s\n' "$new_reports"
total=$(grep -cv ': exit status' "$work/ours" || true)
worse=$(wc -l <"$work/worse")
echo "regress: BASE=$BASE, $total results, $worse worse than on the unpatched kernel"
[ -z "$cut" ] || echo "regress: the results are not complete:$cut"
[ "$worse" = 0 ] && [ -z "$new_reports" ] && [ -z "$cut" ] && [ "$total" -gt 0 ]
