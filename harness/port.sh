#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# port.sh FROM TO: bring patches/TO up to date with patches/FROM: the patches that TO does not have, and the changes of those that it has.
#
# Both series become commits in one repository, out/port-TO, and what is to be ported is cherry-picked, so git merges three versions of each
# file. What it cannot merge stays there as a conflict: resolve it in out/port-TO/to, git add, and run the same command again. A patch that
# is ported is written to patches/TO at once, with the message and the New-file: lines of FROM; a message that TO has changed stays as it is.
#
# patches/TO/ported tells which version of a patch of FROM is in TO (the git blob). patches/TO/left-out names the patches that TO does not need
# or cannot have, and why. Patches that only TO has stay behind the patch that they stand behind.

from=${1:?port.sh FROM TO}
to=${2:?port.sh FROM TO}
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
ported=$TOP/patches/$to/ported
touch "$ported"
git() { command git -C "$repo" "$@"; }

# select_base BASE: for the functions of series-lib.sh
select_base() { BASE=$1 SERIES=$TOP/patches/$1 SRC=$OUT/src/$1; }

# apply_patch FILE: its changes, in the work tree and the index
apply_patch() {
	! has_hunks "$1" || git apply --index --whitespace=nowarn "$1" || die "$(rel "$1") does not apply"
	removed_files_of "$1" | xargs -r -d '\n' git -C "$repo" rm -q --
}

commit() { git commit -q --allow-empty -m "$1"; }

# message FILE: the mail up to its diff
message() { sed '/^diff --git /,$d; /^---$/,$d' "$1"; }

# old_version PATCH FILE: the version of FROM that TO has
old_version() {
	local blob
	blob=$(awk -v patch="$1" '$2 == patch {print $1}' "$ported")
	[ -n "$blob" ] && command git -C "$TOP" cat-file blob "$blob" >"$2" 2>/dev/null
}

# write_patch PATCH: the last commit as the patch of TO
write_patch() {
	local new=$TOP/patches/$from/$1 mine=$TOP/patches/$to/$1 without head=$TOP/patches/$from/$1 blob
	mapfile -t without < <(removed_files_of "$new" | sed 's/^/:!/')
	if [ -f "$mine" ] && old_version "$1" "$work/old" && [ "$(message "$work/old")" != "$(message "$mine")" ]; then
		head=$mine
		[ "$(message "$work/old")" = "$(message "$new")" ] || say "$1: the message has changed, but $to has its own: see to it"
	fi
	{
		message "$head"
		git diff --no-renames --abbrev=9 HEAD~ HEAD -- . "${without[@]}"
		sed -n '/^---$/,$p' "$new"
	} >"$mine.new"
	mv "$mine.new" "$mine"
	blob=$(command git -C "$TOP" hash-object -w "$new")
	{ awk -v patch="$1" '$2 != patch' "$ported"; echo "$blob $1"; } | sort -k 2 >"$ported.new"
	mv "$ported.new" "$ported"
}

# A patch that FROM has numbered anew is the same patch.
topic() { sed -E 's/^[0-9]+[a-z]?-//' <<<"$1"; }
for new in $(cd "$TOP/patches/$from" && ls -- *.patch); do
	for file in "$TOP/patches/$to"/[0-9]*-"$(topic "$new")"; do
		old=${file##*/}
		if [ -f "$file" ] && [ "$old" != "$new" ] && [ ! -f "$TOP/patches/$from/$old" ] && [ ! -f "$TOP/patches/$to/$new" ]; then
			mv "$file" "$TOP/patches/$to/$new"
			sed -i "s/\b${old//./\\.}/$new/" "$TOP/patches/$to/series" "$ported"
			say "$old: is $new now"
		fi
	done
	old=$(sed 's/:.*//' "$TOP/patches/$to/left-out" 2>/dev/null | grep -E "^[0-9]+[a-z]?-$(topic "$new" | sed 's/\./\\./g')\$" || true)
	[ -z "$old" ] || [ "$old" = "$new" ] || sed -i "s/^${old//./\\.}/$new/" "$TOP/patches/$to/left-out"
done

left_out() { grep "^$1" "$TOP/patches/$to/left-out" 2>/dev/null; }

# Where a conflict was left, and is resolved by now
if [ -f "$work/conflict" ]; then
	read -r patch how <"$work/conflict"
	if ! left_out "$patch" >/dev/null; then
		unmerged=$(git diff --name-only --diff-filter=U | tr '\n' ' ')
		[ -z "$unmerged" ] || die "not resolved yet, in $(rel "$repo"): $unmerged"
		if [ "$how" = update ]; then git commit -q --amend --allow-empty --no-edit; else commit "$patch"; fi
		write_patch "$patch"
		say "$patch: resolved"
		grep -qxF "$patch" "$TOP/patches/$to/series" || echo "$patch" >>"$TOP/patches/$to/series"
	fi
	rm "$work/conflict"
fi

rm -rf "$work"
mkdir -p "$work"
command git init -q -b from "$repo"
# The files of either base, or a file would look as if it were new
for base in "$from" "$to"; do
	select_base "$base"
	for patch in $(series_patches); do
		touched_files "$SERIES/$patch"
	done
done | sort -u >"$work/files"

# pristine BASE: its files, as a commit
pristine() {
	select_base "$1"
	while read -r file; do
		rm -f "$repo/$file"
		[ -f "$SRC/$file" ] || continue
		mkdir -p "$repo/$(dirname "$file")"
		cp "$SRC/$file" "$repo/$file"
	done <"$work/files"
	git add -A -f
	commit "$1"
}

pristine "$from"
git tag base
for patch in $(series_patches); do
	# What has changed in a patch that TO has, as a commit of its own: from the old version of the patch to the new one
	if [ -f "$TOP/patches/$to/$patch" ] && old_version "$patch" "$work/old" && ! cmp -s "$work/old" "$SERIES/$patch"; then
		git checkout -q --detach
		if ! git apply --check "$work/old" 2>/dev/null; then
			say "$patch: changed, and its old version does not apply to today's $from: see to it by hand"
		else
			apply_patch "$work/old"
			commit old
			git rm -q -r --cached . && git clean -fdqx
			git checkout -q from -- .
			apply_patch "$SERIES/$patch"
			commit "$patch"
			git tag "change/$patch"
		fi
		git checkout -q -f from
	fi
	apply_patch "$SERIES/$patch"
	commit "$patch"
	git tag "from/$patch"
done
order=$(series_patches)
git checkout -q -b to base
pristine "$to"
mapfile -t own < <(series_patches)
: >"$work/series"

# own_after PATCH: the patches that only TO has
own_after() {
	local mine on=
	[ -n "$1" ] || on=1
	for mine in "${own[@]}"; do
		if [ -f "$TOP/patches/$from/$mine" ]; then
			if [ "$mine" = "$1" ]; then on=1; else on=; fi
		elif [ -n "$on" ]; then
			apply_patch "$SERIES/$mine"
			commit "$mine"
			echo "$mine" >>"$work/series"
		fi
	done
}

# pick TAG PATCH ARGS...: false if there is a conflict
pick() {
	local tag=$1 patch=$2
	shift 2
	git cherry-pick --allow-empty --keep-redundant-commits "$@" "$tag" >"$work/log" 2>&1 && return
	# A file that goes away may differ.
	removed_files_of "$TOP/patches/$from/$patch" | xargs -r -d '\n' git -C "$repo" rm -q -- 2>/dev/null || true
	[ -z "$(git diff --name-only --diff-filter=U)" ] || return 1
	[[ " $* " == *" -n "* ]] || commit "$patch"
}

conflict_in() {
	echo "$1 $2" >"$work/conflict"
	say "$1: conflict in $(git diff --name-only --diff-filter=U | tr '\n' ' ')"
	sed -n 's/^CONFLICT/      &/p' "$work/log" >&2
	say "next:  resolve it in $(rel "$repo"), git add what you changed, and run the same command again"
}

own_after ''
status=0
for patch in $order; do
	if [ -f "$SERIES/$patch" ]; then
		apply_patch "$SERIES/$patch"
		commit "$patch"
		if git rev-parse -q --verify "change/$patch" >/dev/null; then
			if ! pick "change/$patch" "$patch" -n; then
				conflict_in "$patch" update
				status=1
				break
			fi
			git commit -q --amend --allow-empty --no-edit
			write_patch "$patch"
			say "$patch: brought up to date"
		elif [ -z "$(awk -v patch="$patch" '$2 == patch' "$ported")" ]; then
			say "$patch: not in patches/$to/ported; taken for up to date"
			blob=$(command git -C "$TOP" hash-object -w "$TOP/patches/$from/$patch")
			echo "$blob $patch" >>"$ported"
		fi
	elif left_out "$patch" >&2; then
		continue
	elif pick "from/$patch" "$patch"; then
		write_patch "$patch"
		say "$patch: ported"
	else
		conflict_in "$patch" new
		status=1
		break
	fi
	echo "$patch" >>"$work/series"
	own_after "$patch"
done
# What was not reached keeps its place at the end.
for mine in "${own[@]}"; do
	grep -qxF "$mine" "$work/series" || echo "$mine" >>"$work/series"
done
cp "$work/series" "$TOP/patches/$to/series"
say "patches/$to: $(wc -l <"$work/series") patches"
exit "$status"
