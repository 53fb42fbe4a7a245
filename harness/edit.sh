#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# edit.sh: make edit. out/edit-BASE becomes a git repository: the pristine files that the series
# touches as the tag base, and on the branch series a commit for each patch. make refresh writes the
# branch back to patches/.
#
# BASE may be one that the series does not have yet: the mails are those of FROM= then, by default
# of the first base. A diff that git apply refuses is merged; if that fails, it stays as a
# conflict of git; with CONTINUE=1 it goes on from there. FILES="a b" adds files of the kernel that
# the series does not touch yet, to a branch that is there as well. FORCE=1 starts anew though the
# branch has changes that were not written back.

export ANY_BASE=1
. "$(dirname "$0")/lib.sh"
. "$TOP/harness/series-lib.sh"
. "$TOP/harness/edit-lib.sh"
[ -z "$VANILLA$INJECT" ] || die "make edit is without VANILLA= and INJECT="

repo=$OUT/edit-$BASE
work=$OUT/edit-work
state=$repo/.git/freezer
again="make edit BASE=$BASE${LINUX:+ LINUX=$LINUX}"
take_lock "$OUT/edit.lock"
[ -n "${CONTINUE:-}" ] || "$TOP/harness/fetch.sh"
rm -rf "$work"
mkdir -p "$work"

in_repo() { git -C "$repo" "$@"; }

# no_changes: is all of the repository in patches/?
no_changes() {
	[ ! -s "$state/todo" ] && [ -z "$(in_repo status --porcelain)" ] &&
		[ "$(in_repo rev-parse -q --verify refs/heads/series)" = \
			"$(in_repo rev-parse -q --verify 'refs/tags/refreshed^{commit}')" ]
}

# finish: all patches are commits
finish() {
	rm -f "$state/todo" "$state/patch" "$state/head"
	# After a merge the branch has what patches/ lacks.
	[ -s "$state/merged" ] || in_repo tag -f refreshed >/dev/null
	local count
	count=$(in_repo rev-list --count base..series)
	say "$(rel "$repo"): the branch series has $count patches, from the tag base"
	say "next:  cd $(rel "$repo") && git rebase -i base     (edit, reorder, drop), or commit"
	[ -s "$state/merged" ] ||
		say "       git range-diff base refreshed series     (there: what you have changed)"
	say "       ${again/edit/refresh}     (from the top: writes it to patches/)"
	exit 0
}

# chain BASE: the series of another base as commits, for its versions of files
chain() {
	local dir=$work/chain-$1 source
	[ ! -d "$dir" ] || return 0
	source=$(source_of "$1")
	[ -f "$source/Kbuild" ] || BASE=$1 LINUX='' "$TOP/harness/fetch.sh"
	compose_mails "$1" "$work/mails-$1"
	build_branch "$dir" "$1" "$work/mails-$1" ||
		die "patches/$failed_patch does not apply on $1, either.
next:  make edit BASE=$1"
	paste -d' ' <(commits "$dir") "$work/mails-$1/series" >"$dir.commits"
}

# merge_file OTHER NAME FILE: what the patch does to the file on the base OTHER, merged. False if
# there is a conflict, which is in the file and the index then.
merge_file() {
	local commit old new ours mode status=0
	chain "$1"
	commit=$(awk -v name="$2" '$2 == name {print $1}' "$work/chain-$1.commits")
	mode=$(in_repo ls-files -s -- "$3" | cut -d' ' -f1)
	ours=$(in_repo rev-parse ":$3")
	git -C "$work/chain-$1" cat-file blob "$commit^:$3" >"$work/old" || return 1
	git -C "$work/chain-$1" cat-file blob "$commit:$3" >"$work/new" || return 1
	git merge-file -q -L "$BASE" -L "$1 before the patch" -L "$1 with the patch" \
		"$repo/$3" "$work/old" "$work/new" || status=1
	if [ "$status" = 0 ]; then
		in_repo add -f -- "$3"
		return
	fi
	old=$(in_repo hash-object -w "$work/old")
	new=$(in_repo hash-object -w "$work/new")
	printf "%s\t$3\n" "0 ${ours//?/0}" "$mode $old 1" "$mode $ours 2" "$mode $new 3" |
		in_repo update-index --index-info
	return 1
}

# merge_patch NAME: file by file. False if something is left to the user.
merge_patch() {
	local mail=$state/mails/$1 path from other conflicts=()
	other=$(cat "$state/from")
	for path in $(mails names "$mail" diff); do
		mails diff "$mail" "$path" >"$work/diff"
		if in_repo apply --index --whitespace=nowarn "$work/diff" 2>"$work/errors"; then
			continue
		elif [ ! -f "$repo/$path" ]; then
			conflicts+=("$path: not there on $BASE")
			continue
		fi
		# Whose diff is it?
		from=$other
		if [ "$from" = "$BASE" ]; then
			from=$(mails main "$PATCHES" "$BASE" |
				awk -v name="$1" '$1 == name {print $2}')
		fi
		if [ "$from" = "$BASE" ] || { [ "$other" = "$BASE" ] &&
			[ -f "$PATCHES/$BASE/$1" ] &&
			mails names "$PATCHES/$BASE/$1" diff | grep -qxF -- "$path"; }; then
			in_repo apply --reject --whitespace=nowarn "$work/diff" \
				2>"$work/errors" || true
			in_repo add -f -- "$path"
			conflicts+=("$path: see what $path.rej says")
		elif ! merge_file "$from" "$1" "$path"; then
			conflicts+=("$path: conflict with $from")
		fi
	done
	add_named "$repo" "$mail"
	echo "$1" >>"$state/merged"
	[ "${#conflicts[@]}" -gt 0 ] || return 0
	say "$1 does not apply:"
	printf '      %s\n' "${conflicts[@]}" >&2
	return 1
}

# commit_patches: all that are left to do
commit_patches() {
	local name
	while read -r name; do
		if ! add_mail "$repo" "$state/mails/$name" "$name"; then
			if merge_patch "$name"; then
				say "$name: merged"
				commit_mail "$repo" "$state/mails/$name" "$name"
			else
				echo "$name" >"$state/patch"
				in_repo rev-parse HEAD >"$state/head"
				say "next:  mend that in $(rel "$repo"), git add; then: " \
					"$again CONTINUE=1"
				say "       (with git reset --hard before, $BASE does without" \
					"this patch)"
				exit 1
			fi
		fi
		sed -i 1d "$state/todo"
	done < <(cat "$state/todo")
}

# go_on: after the user has mended the patch at which it stopped
go_on() {
	local name left
	[ -s "$state/todo" ] ||
		die "$(rel "$repo") has nothing to continue. next:  ${again/edit/refresh}"
	mails_as_before "$again CONTINUE=1"
	[ -f "$state/patch" ] || { commit_patches; return; }
	name=$(<"$state/patch")
	left=$(in_repo diff --name-only --diff-filter=U | tr '\n' ' ')
	[ -z "$left" ] || die "not resolved: $left
next:  mend them in $(rel "$repo"), git add them; then:  $again CONTINUE=1"
	left=$(in_repo diff --cached | grep -c '^+\(<<<<<<<\|>>>>>>>\) ' || true)
	[ "$left" = 0 ] || die "there still are $left lines <<<<<<< or >>>>>>>.
next:  mend them, git add; then:  $again CONTINUE=1"
	find "$repo" -name '*.rej' -delete
	in_repo add -u
	if ! in_repo diff --cached --quiet; then
		commit_mail "$repo" "$state/mails/$name" "$name"
	elif [ "$(in_repo rev-parse HEAD)" = "$(<"$state/head")" ]; then
		say "$name: not on $BASE"
	fi
	rm "$state/patch" "$state/head"
	sed -i 1d "$state/todo"
	commit_patches
}

# add_files: more files of the kernel under the branch
add_files() {
	[ -z "$(in_repo status --porcelain)" ] ||
		die "$(rel "$repo") has changes that are not committed. next:  git commit there"
	tr ' ' '\n' <<<"$FILES" | sort -u >"$work/files"
	widen "$repo" "$work/files"
	say "$(rel "$repo") has $FILES, too"
}

for file in ${FILES:-}; do
	[ -f "$SRC/$file" ] || die "FILES: $BASE has no $file"
done
quiet_git
if [ -n "${CONTINUE:-}" ]; then
	[ -d "$state" ] || die "there is no $(rel "$repo"). next:  $again"
	[ "$(<"$state/source")" = "$SRC_NAME" ] ||
		die "$(rel "$repo") is of $(<"$state/source"), not of $SRC_NAME"
	go_on
	finish
fi
if [ -d "$state" ] && [ -n "${FILES:-}" ] && [ -z "${FORCE:-}" ]; then
	[ ! -s "$state/todo" ] || die "first:  $again CONTINUE=1"
	add_files
	exit 0
fi
if [ -d "$repo" ]; then
	if [ -z "${FORCE:-}" ] && ! no_changes; then
		[ ! -s "$state/todo" ] ||
			say "$(wc -l <"$state/todo") patches are to do there." \
				"next:  $again CONTINUE=1"
		say "$(rel "$repo") has changes that are not in patches/."
		say "next:  make refresh BASE=$BASE${LINUX:+ LINUX=$LINUX}"
		die "or:    $again FORCE=1     (anew; the old one is $(rel "$repo").old then)"
	fi
	rm -rf "$repo.old"
	mv "$repo" "$repo.old"
fi

from=${FROM:-$BASE}
if [[ " $(series_bases) " != *" $from "* ]]; then
	[ -z "${FROM:-}" ] || die "FROM=$FROM: not in patches/series; there is: $(series_bases)"
	from=$(series_bases | cut -d' ' -f1)
fi
[ "$from" = "$BASE" ] || say "the mails are those of $from"
compose_mails "$from" "$work/mails"
new_repository "$repo" "$BASE" "$work/mails"
rm -f "$repo.errors"
in_repo config core.commentChar ';'
# Whoever has no name for git commits as the author of the series
if ! env -u GIT_CONFIG_GLOBAL -u GIT_CONFIG_NOSYSTEM git config user.email >/dev/null; then
	in_repo config user.name "$GIT_COMMITTER_NAME"
	in_repo config user.email "$GIT_COMMITTER_EMAIL"
fi
mkdir "$state"
cp -r "$work/mails" "$state/mails"
cp "$work/mails/series" "$state/todo"
echo "$from" >"$state/from"
echo "$SRC_NAME" >"$state/source"
own_state "$state/mails" >"$state/own"
: >"$state/merged"
[ "$from" = "$BASE" ] || echo "from $from" >"$state/merged"
commit_patches
finish
