#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# port.sh FROM TO [PATCH...]: bring the patches of base FROM to base TO: those that patches/TO does not have yet, or the named ones (again).
#
# Both series become commits in one repository, out/port-TO, and what is to be ported is cherry-picked, so git merges three versions of each
# file. What it cannot merge stays there as a conflict: resolve it in out/port-TO/to, git add, and run the same command again. A patch that
# is ported is written to patches/TO at once, with the message and the New-file: lines of FROM. patches/TO/left-out names the patches that
# TO does not need or cannot have, and why.

from=${1:?port.sh FROM TO [PATCH...]}
to=${2:?port.sh FROM TO [PATCH...]}
shift 2
export BASE=$to LINUX='' VANILLA=''
. "$(dirname "$0")/lib.sh"
. "$TOP/harness/series-lib.sh"
[ -d "$TOP/patches/$from" ] || die "no patches/$from"
for base in "$from" "$to"; do
	[ -d "$OUT/src/$base" ] || BASE=$base "$TOP/harness/fetch.sh"
done

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_CEILING_DIRECTORIES=$OUT
export GIT_AUTHOR_NAME=port GIT_AUTHOR_EMAIL=port@localhost GIT_COMMITTER_NAME=port GIT_COMMITTER_EMAIL=port@localhost
work=$OUT/port-$to
repo=$work/to
git() { command git -C "$repo" "$@"; }

# select_base BASE: for the functions of series-lib.sh
select_base() { BASE=$1 SERIES=$TOP/patches/$1 SRC=$OUT/src/$1; }

# commit_patch PATCH: the hunks of the selected base as a commit
commit_patch() {
	! has_hunks "$SERIES/$1" || git apply --index --whitespace=nowarn "$SERIES/$1" || die "patches/$BASE/$1 does not apply"
	removed_files_of "$SERIES/$1" | xargs -r -d '\n' git -C "$repo" rm -q --
	git commit -q --allow-empty -m "$1"
}

# write_patch PATCH: the last commit as the patch of TO
write_patch() {
	local old=$TOP/patches/$from/$1 new=$TOP/patches/$to/$1 without
	mapfile -t without < <(removed_files_of "$old" | sed 's/^/:!/')
	{
		sed '/^diff --git /,$d; /^---$/,$d' "$old"
		git diff --no-renames --abbrev=9 HEAD~ HEAD -- . "${without[@]}"
		sed -n '/^---$/,$p' "$old"
	} >"$new.new"
	mv "$new.new" "$new"
}

# Where a conflict was left, and is resolved by now
resumed=
if [ -f "$work/conflict" ] && ! grep -q "^$(cat "$work/conflict")" "$SERIES/left-out" 2>/dev/null; then
	[ -z "$(git diff --name-only --diff-filter=U)" ] || die "not resolved yet, in $(rel "$repo"): $(git diff --name-only --diff-filter=U | tr '\n' ' ')"
	resumed=$(cat "$work/conflict")
	git commit -q --allow-empty -m "$resumed"
	write_patch "$resumed"
	rm "$work/conflict"
	say "$resumed: resolved"
fi

rm -rf "$work"
mkdir -p "$work"
command git init -q -b from "$repo"
select_base "$from"
# The files of either base, or a file would look as if it were new
files() { for base in "$from" "$to"; do select_base "$base"; for patch in $(series_patches); do touched_files "$SERIES/$patch"; done; done | sort -u; }
files >"$work/files"
pristine() {
	select_base "$1"
	while read -r file; do
		rm -f "$repo/$file"
		[ -f "$SRC/$file" ] || continue
		mkdir -p "$repo/$(dirname "$file")"
		cp "$SRC/$file" "$repo/$file"
	done <"$work/files"
	git add -A -f
	git commit -q --allow-empty -m "$1"
}
pristine "$from"
git tag base
for patch in $(series_patches); do
	commit_patch "$patch"
	git tag "from/$patch"
done
git checkout -q -b to base
pristine "$to"

select_base "$from"
order=$(series_patches)
: >"$work/series"
status=0
select_base "$to"
mapfile -t own < <(series_patches)

# own_after PATCH: the patches that only TO has keep their place, behind the same patch
own_after() {
	local mine on=
	[ -n "$1" ] || on=1
	for mine in "${own[@]}"; do
		if [ -f "$TOP/patches/$from/$mine" ]; then
			[ "$mine" = "$1" ] && on=1 || on=
		elif [ -n "$on" ]; then
			commit_patch "$mine"
			echo "$mine" >>"$work/series"
		fi
	done
}

own_after ''
for patch in $order; do
	if [ -f "$SERIES/$patch" ] && { [ "$patch" = "$resumed" ] || [[ " $* " != *" $patch "* ]]; }; then
		commit_patch "$patch"
		echo "$patch" >>"$work/series"
		diff -q <(sed '/^diff --git/,$d' "$TOP/patches/$from/$patch") <(sed '/^diff --git/,$d' "$SERIES/$patch") >/dev/null ||
			say "$patch: the message differs from that of $from"
		own_after "$patch"
		continue
	fi
	if grep -q "^$patch" "$SERIES/left-out" 2>/dev/null; then
		say "$(grep "^$patch" "$SERIES/left-out")"
		continue
	fi
	picked=1
	if ! git cherry-pick --allow-empty --keep-redundant-commits "from/$patch" >"$work/log" 2>&1; then
		# A file that goes away may differ.
		removed_files_of "$TOP/patches/$from/$patch" | xargs -r -d '\n' git -C "$repo" rm -q -- 2>/dev/null || true
		if [ -n "$(git diff --name-only --diff-filter=U)" ]; then picked=; else git commit -q --allow-empty -m "$patch"; fi
	fi
	if [ -n "$picked" ]; then
		write_patch "$patch"
		echo "$patch" >>"$work/series"
		say "$patch: ported"
		own_after "$patch"
	else
		echo "$patch" >"$work/conflict"
		say "$patch: conflict in $(git diff --name-only --diff-filter=U | tr '\n' ' ')"
		sed -n 's/^CONFLICT/      &/p' "$work/log" >&2
		say "next:  resolve it in $(rel "$repo"), git add what you changed, and run the same command again"
		status=1
		break
	fi
done
# What was not reached keeps its place at the end.
for mine in "${own[@]}"; do
	grep -qxF "$mine" "$work/series" || echo "$mine" >>"$work/series"
done
cp "$work/series" "$TOP/patches/$to/series"
say "patches/$to: $(wc -l <"$work/series") patches"
exit "$status"
