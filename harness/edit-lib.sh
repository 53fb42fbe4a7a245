# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154
#
# The mails of patches/ as commits, and back. Sourced by edit.sh, refresh.sh and roundtrip.sh, after
# lib.sh and series-lib.sh. work is a directory of theirs.
#
# A commit has what the mail says below its --- below a --- of its own message, and there the name
# of the mail: "Patch-file: NAME". That lasts over rebase, cherry-pick and amend, and git am drops
# it. New files of this repository are in the commit that brings them in.

# The commits are the same from the same mails: nothing of this machine is in them.
quiet_git() {
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_CEILING_DIRECTORIES=$OUT
	export GIT_COMMITTER_NAME='Container Freezer'
	export GIT_COMMITTER_EMAIL=container-freezer@localhost
	export GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
	export GIT_AUTHOR_NAME=$GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL=$GIT_COMMITTER_EMAIL
	export GIT_AUTHOR_DATE=$GIT_COMMITTER_DATE
}

# source_of BASE: its pristine source
source_of() { if [ "$1" = "$BASE" ]; then echo "$SRC"; else echo "$OUT/src/$1"; fi; }

# kernel_files DIR: the files of the kernel that the mails in DIR touch
kernel_files() {
	local name
	while read -r name; do
		touched_files "$1/$name"
		replaced_files_of "$1/$name"
	done <"$1/series" | sort -u
}

# add_pristine REPO SOURCE: copies and adds the files named on stdin that the source has
add_pristine() {
	local file
	while read -r file; do
		[ -f "$2/$file" ] || continue
		mkdir -p "$1/$(dirname "$file")"
		cp --preserve=mode "$2/$file" "$1/$file"
		printf '%s\0' "$file"
	done | xargs -r -0 git -C "$1" add -f --
}

# new_repository REPO BASE DIR...: what the mails in the DIRs touch, pristine, as the tag base
new_repository() {
	local repo=$1 base=$2 source dir
	source=$(source_of "$2")
	shift 2
	rm -rf "$repo" "$repo.info"
	mkdir -p "$repo.info"
	git init -q -b series "$repo"
	{
		for dir; do kernel_files "$dir"; done
		[ -z "${FILES:-}" ] || tr ' ' '\n' <<<"$FILES"
	} | sort -u | add_pristine "$repo" "$source"
	git -C "$repo" commit -q --allow-empty \
		-m "$(cat "$source.version" 2>/dev/null || echo "$base")"
	git -C "$repo" tag base
}

# widened REPO TIP TREE FILES: the commits up to TIP, each with those of the FILES that it lacks as
# they are in TREE; prints the new root and tip
widened() {
	local repo=$1 commit parent='' root='' tree file entry
	local -x GIT_INDEX_FILE=$work/index GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE
	for commit in $(git -C "$repo" rev-list --reverse --first-parent "$2"); do
		git -C "$repo" read-tree "$commit"
		while read -r file; do
			[ -z "$(git -C "$repo" ls-files -- "$file")" ] || continue
			entry=$(git -C "$repo" ls-tree "$3" -- "$file")
			git -C "$repo" update-index --add --index-info <<<"$entry"
		done <"$4"
		tree=$(git -C "$repo" write-tree)
		GIT_AUTHOR_NAME=$(git -C "$repo" log -1 --format=%an "$commit")
		GIT_AUTHOR_EMAIL=$(git -C "$repo" log -1 --format=%ae "$commit")
		GIT_AUTHOR_DATE=$(git -C "$repo" log -1 --format=%aD "$commit")
		parent=$(git -C "$repo" log -1 --format=%B "$commit" | git stripspace |
			git -C "$repo" commit-tree "$tree" ${parent:+-p "$parent"})
		root=${root:-$parent}
	done
	echo "$root $parent"
}

# widen REPO FILES: the branch with more files of the kernel in base. A commit that brings one of
# them in changes it then.
widen() {
	local repo=$1 tree root refreshed series
	git -C "$repo" checkout -q --detach base
	add_pristine "$repo" "$SRC" <"$2"
	tree=$(git -C "$repo" write-tree)
	git -C "$repo" reset -q --hard
	if git -C "$repo" rev-parse -q --verify refs/tags/refreshed >/dev/null; then
		# What is the same comes out the same.
		read -r _ refreshed < <(widened "$repo" refreshed "$tree" "$2")
		git -C "$repo" tag -f refreshed "$refreshed" >/dev/null
	fi
	read -r root series < <(widened "$repo" series "$tree" "$2")
	git -C "$repo" checkout -q -B series "$series"
	git -C "$repo" tag -f base "$root" >/dev/null
}

# add_named REPO MAIL: the new files of the mail, and without those that it removes
add_named() {
	new_files_of "$2" >"$1.info/new"
	copy_new_files "$1" <"$1.info/new"
	xargs -r -d '\n' git -C "$1" add -f -- <"$1.info/new"
	removed_files_of "$2" | xargs -r -d '\n' git -C "$1" rm -q -f --ignore-unmatch --
}

# commit_mail REPO MAIL NAME: what is staged
commit_mail() {
	local info=$1.info author email date
	mails commit "$2" "$3" "$info" || exit "$E_SETUP"
	author=$(<"$info/author") email=$(<"$info/email") date=$(<"$info/date")
	GIT_AUTHOR_NAME=$author GIT_AUTHOR_EMAIL=$email \
		GIT_AUTHOR_DATE=${date:-$GIT_COMMITTER_DATE} \
		git -C "$1" commit -q --allow-empty --cleanup=verbatim -F "$info/message"
}

# add_mail REPO MAIL NAME: false if its hunks do not apply
add_mail() {
	! has_hunks "$2" ||
		git -C "$1" apply --index --whitespace=nowarn "$2" 2>"$1.errors" || return 1
	add_named "$1" "$2"
	commit_mail "$1" "$2" "$3"
}

# mails_as_before COMMAND: has anybody changed the mails since make edit, of which the branch was
# made? That would be lost.
mails_as_before() {
	local from edit="make edit BASE=$BASE${LINUX:+ LINUX=$LINUX}"
	from=$(<"$state/from")
	compose_mails "$from" "$work/mails-now"
	diff -rq "$state/mails" "$work/mails-now" >"$work/changed" || {
		say "the mails of $from in patches/ have changed since make edit, and would be" \
			"changed back:"
		sed -E -e 's,^Files .*/([^/ ]*) differ$,      \1,' \
			-e 's,^Only in .*: (.*)$,      \1,' "$work/changed" >&2
		say "next:  undo that in patches/, then  $1, and change it after make refresh"
		say "or:    $edit FORCE=1, then bring your changes over:"
		die "       cd $(rel "$repo") && git fetch ../edit-$BASE.old series &&" \
			"git cherry-pick ..."
	}
}

# build_branch REPO BASE DIR: the mails in DIR as commits. False at the first that does not apply,
# whose name is in failed_patch then.
build_branch() {
	local name
	failed_patch=
	new_repository "$1" "$2" "$3"
	while read -r name; do
		add_mail "$1" "$3/$name" "$name" || { failed_patch=$name; return 1; }
	done <"$3/series"
}

# commits REPO: those of the branch, oldest first
commits() { git -C "$1" rev-list --reverse --first-parent base..series; }

# below_dir FILE ENTRIES: is the file one of these New-file: entries, or below one?
below_dir() {
	local entry
	while read -r entry; do
		case $entry in
		*/) [[ $1 != "$entry"* ]] || return 0 ;;
		*) [ "$1" != "$entry" ] || return 0 ;;
		esac
	done <<<"$2"
	return 1
}

# mail_name REPO COMMIT: the file name of its mail
mail_name() {
	local name subject
	name=$(git -C "$1" log -1 --format=%B "$2" | sed -n 's/^Patch-file: *//p' | head -n 1)
	if [ -z "$name" ]; then
		# Somebody took the line away: the mail with this subject
		subject=$(git -C "$1" log -1 --format=%s "$2")
		name=$(cd "$SERIES" && while read -r file; do
			[ "$(mail_subject "$file")" != "$subject" ] || echo "$file"
		done <series | head -n 1)
	fi
	[ -n "$name" ] || name=$(git -C "$1" log -1 --format=%f "$2").patch
	case $name in
	[1-9][0-9][0-9][0-9]-*) ;;
	*) die "$(rel "$1"), commit ${2:0:12}: $name has no number, so it is of no series.
next:  write a line below a --- into its message, like  Patch-file: 2045-${name%.patch}.patch" ;;
	esac
	case $name in
	*/* | .* | *[!A-Za-z0-9._+-]*) die "Patch-file: $name: not a file name for a mail" ;;
	*.patch) echo "$name" ;;
	*) echo "$name.patch" ;;
	esac
}

# mail_subject MAIL: without [PATCH], unfolded
mail_subject() {
	sed -n -e '/^$/q' -e '/^Subject: /{:a' -e 'N;s/\n[ \t]\+/ /;ta' -e 's/\n.*//' \
		-e 's/^Subject: *\(\[[^]]*\] *\)\?//;p;q' -e '}' "$1"
}

# write_mail REPO COMMIT NAME FILE: the commit as a complete mail. The repository's own files of it
# come to FILE.own, as "object mode path" on a line.
write_mail() {
	local repo=$1 commit=$2 name=$3 file=$4 author tail entries removed status path what
	local hunks=() added=() gone=()
	what="$(rel "$repo"), commit ${commit:0:12} ($name)"
	author=$(git -C "$repo" log -1 --format=%an "$commit")
	[[ $author != *[\"\(\).,:\;@\<\>[]* ]] || author="\"$author\""
	git -C "$repo" log -1 --format=%B "$commit" >"$file.text"
	tail=$(sed -e '1,/^---$/d' -e '/^Patch-file:/d' "$file.text")
	entries=$(sed -n 's/^New-file: *//p' <<<"$tail")
	removed=$(sed -n 's/^Removed-file: *//p' <<<"$tail")
	: >"$file.own"
	while IFS=$' \t' read -r _ mode _ object status path; do
		if [ "$status" != D ] && below_dir "$path" "$entries"; then
			# It may take the place of a file of the kernel.
			! grep -qxF -- "$path" "$work/own-files" ||
				die "$what changes $path, which an earlier commit brings in.
next:  make it one commit:  cd $(rel "$repo") && git rebase -i base"
			echo "$object $mode $path" >>"$file.own"
		elif [ "$status" = A ]; then
			added+=("$path")
			echo "$object $mode $path" >>"$file.own"
		elif grep -qxF -- "$path" "$work/own-files"; then
			die "$what changes $path, which an earlier commit brings in.
next:  make it one commit:  cd $(rel "$repo") && git rebase -i base"
		elif [ "$status" = D ]; then
			grep -qxF -- "$path" <<<"$removed" || gone+=("$path")
		else
			hunks+=("$path")
		fi
	done < <(git -C "$repo" diff-tree -r --no-renames --no-commit-id "$commit")
	cut -d' ' -f3- "$file.own" >>"$work/own-files"
	{
		echo 'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001'
		git -C "$repo" log -1 "$commit" \
			--format="From: $author <%ae>%nDate: %aD%nSubject: [PATCH] %s%n"
		# Its message without the subject and what is below the ---
		sed -e '/^---$/,$d' "$file.text" | sed -e '1,/^$/d'
		echo ---
		# A line for a file that has gone goes, too.
		while IFS= read -r line; do
			path=${line#*-file: }
			case $line in
			New-file:*/) ;;
			New-file:*)
				git -C "$repo" cat-file -e "$commit:$path" 2>/dev/null ||
					continue ;;
			Removed-file:*)
				git -C "$repo" cat-file -e "$commit^:$path" 2>/dev/null ||
					continue ;;
			esac
			printf '%s\n' "$line"
		done <<<"$tail"
		[ "${#added[@]}" = 0 ] || printf 'New-file: %s\n' "${added[@]}"
		[ "${#gone[@]}" = 0 ] || printf 'Removed-file: %s\n' "${gone[@]}"
		if [ "${#hunks[@]}" -gt 0 ]; then
			echo
			git -C "$repo" diff-tree -r -p --no-commit-id --no-renames "$commit" -- \
				"${hunks[@]}"
		fi
	} >"$file.raw"
	mails normal "$file.raw" >"$file" || exit "$E_SETUP"
	rm "$file.raw" "$file.text"
}

# shared_paths REPO COMMIT MAIN MAIL: the files for which the file diffs of the mail MAIN do here,
# with plain git apply
shared_paths() {
	local repo=$1 commit=$2 paths path
	local -x GIT_INDEX_FILE=$work/index
	comm -12 <(mails names "$3" diff) <(mails names "$4" diff) >"$work/both"
	mapfile -t paths <"$work/both"
	[ "${#paths[@]}" -gt 0 ] || return 0
	git -C "$repo" read-tree "$commit^"
	mails diff "$3" "${paths[@]}" >"$work/diff"
	if ! git -C "$repo" apply --cached --whitespace=nowarn "$work/diff" 2>/dev/null; then
		for path in "${paths[@]}"; do
			mails diff "$3" "$path" >"$work/diff"
			git -C "$repo" apply --cached --whitespace=nowarn "$work/diff" \
				2>/dev/null || true
		done
	fi
	git -C "$repo" diff-index --cached --no-renames --name-only "$commit" -- "${paths[@]}" |
		sort | comm -23 "$work/both" -
}

# own_state DIR: the new files that the mails in DIR name, as they are in this repository:
# "object mode path" on a line
own_state() {
	local name mode object path
	while read -r name; do new_files_of "$1/$name"; done <"$1/series" |
		while read -r path; do
			[ ! -f "$TOP/$path" ] || echo "$path"
		done >"$work/own.paths"
	(cd "$TOP" && git hash-object --no-filters --stdin-paths) <"$work/own.paths" \
		>"$work/own.objects"
	paste -d' ' "$work/own.objects" "$work/own.paths" | while read -r object path; do
		mode=100644
		[ ! -x "$TOP/$path" ] || mode=100755
		echo "$object $mode $path"
	done
}

# who_names FILE: the mails that bring it in
who_names() {
	local mail
	for mail in "$PATCHES"/*.patch "$PATCHES"/*/*.patch; do
		[ ! -f "$mail" ] ||
			! below_dir "$1" "$(sed -n 's/^New-file: *//p' "$mail")" || echo "$mail"
	done
}

# changed_lines MAIL FILE: what its diff of the file does, wherever that is
changed_lines() { mails diff "$1" "$2" | sed 's/^@@ .* @@/@@/'; }

# message_of MAIL: nothing if it has none
message_of() { [ ! -f "$1" ] || mails message "$1" || [ "$?" = 2 ]; }

# override DIR BASE NAME MAIL OWN PATH...: what differs on BASE, from the complete MAIL
override() {
	local file=$1/$2/$3
	mkdir -p "$1/$2"
	mails override "$1/$3" "$4" "$file.new" "$5" "${@:6}" || exit "$E_SETUP"
	if [ -f "$file.new" ]; then mv "$file.new" "$file"; else rm -f "$file"; fi
}

# write_full REPO DIR: each commit as a mail in DIR, and their list
write_full() {
	local commit name
	[ -z "$(git -C "$1" rev-list --merges base..series)" ] ||
		die "$(rel "$1") has merges: a series is one line. next:  git rebase -i base there"
	rm -rf "$2"
	mkdir -p "$2"
	: >"$2/series"
	: >"$work/own-files"
	for commit in $(commits "$1"); do
		name=$(mail_name "$1" "$commit") || exit
		! grep -qxF -- "$name" "$2/series" || die "$(rel "$1"): two commits are $name.
next:  cd $(rel "$1") && git rebase -i base, and take the line Patch-file: out of one message"
		write_mail "$1" "$commit" "$name" "$2/$name"
		if ! has_hunks "$2/$name" && ! grep -q '^\(New\|Removed\)-file: ' "$2/$name"; then
			die "$(rel "$1"), commit ${commit:0:12} ($name) changes nothing.
next:  cd $(rel "$1") && git rebase -i base, and drop it"
		fi
		echo "$name" >>"$2/series"
	done
}

# write_base BASE REPO FULL DIR: DIR, a copy of patches/, from the branch in REPO. FULL has its
# mails, $work/old/ those of all bases before.
write_base() {
	local base=$1 repo=$2 full=$3 dir=$4 other name is own message shared commit from
	mails_of_main "$dir" >"$work/main.old"
	mails order "$dir" "$base" "$full/series" || exit "$E_SETUP"
	mails_of_main "$dir" >"$work/main.new"
	# The mails that are of another base from now on, or gone
	comm -23 <(sort "$work/main.old") <(sort "$work/main.new") >"$work/main.changed"
	while read -r name _; do
		is=$(awk -v name="$name" '$1 == name {print $2}' "$work/main.new")
		if [ -z "$is" ]; then
			rm -f "$dir/$name" "$dir"/*/"$name"
			continue
		fi
		from=$full
		[ "$is" = "$base" ] || from=$work/old/$is
		cp "$from/$name" "$dir/$name"
		rm -f "$dir/$is/$name"
		for other in $(mails bases "$dir"); do
			if [ "$other" != "$is" ] && [ "$other" != "$base" ] &&
				mails main "$dir" "$other" | grep -q "^$name "; then
				override "$dir" "$other" "$name" "$work/old/$other/$name" 1
			fi
		done
	done <"$work/main.changed"
	# Those that BASE no longer has
	if [ -d "$dir/$base" ]; then
		for name in "$dir/$base"/*.patch; do
			name=${name##*/}
			[ -f "$full/$name" ] || rm -f "$dir/$base/$name"
		done
	fi
	paste -d' ' <(commits "$repo") "$full/series" >"$work/list"
	while read -r commit name; do
		is=$(awk -v name="$name" '$1 == name {print $2}' "$work/main.new")
		if [ "$is" = "$base" ]; then
			cmp -s "$full/$name" "$dir/$name" || cp "$full/$name" "$dir/$name"
			continue
		fi
		message=$(message_of "$full/$name")
		own=$(message_of "$dir/$base/$name")
		if [ "$message" = "$(message_of "$dir/$name")" ]; then
			own=0
		elif [ -n "$own" ] || [ -n "${MESSAGE:-}" ]; then
			own=1
		else
			own=0
			say "$name: the message on $base is not that of patches/$name, which stays."
			say "next:  change it with make edit BASE=$is," \
				"or  make refresh BASE=$base MESSAGE=1"
		fi
		shared=$(shared_paths "$repo" "$commit" "$dir/$name" "$full/$name")
		mapfile -t shared_list <<<"$shared"
		override "$dir" "$base" "$name" "$full/$name" "$own" "${shared_list[@]}"
	done <"$work/list"
	rmdir --ignore-fail-on-non-empty "$dir/$base" 2>/dev/null || true
}

# mails_of_main DIR: each patch and the base that its mail is of
mails_of_main() {
	local base
	for base in $(mails bases "$1"); do mails main "$1" "$base"; done | sort -u
}

# stale_untouched DIR: lines Untouched-file: of what the mail does not touch any more
stale_untouched() {
	local file main path
	for file in "$1"/*/*.patch; do
		[ -f "$file" ] || continue
		main=$1/${file##*/}
		mails names "$file" Untouched-file | sort | comm -23 - <(
			for path in diff New-file Removed-file; do
				mails names "$main" "$path"
			done | sort
		) | while read -r path; do
			awk -v line="Untouched-file: $path" '$0 != line' "$file" >"$file.new"
			mv "$file.new" "$file"
		done
		grep -q '[^[:space:]]' "$file" || rm "$file"
	done
}

# verify_base REPO DIR: do the mails in DIR make the very trees of the branch?
verify_base() {
	local commit name own
	local -x GIT_INDEX_FILE=$work/index
	paste -d' ' <(commits "$1") "$2/series" >"$work/verify"
	while read -r commit name; do
		git -C "$1" read-tree "$commit^" || return 1
		! has_hunks "$2/$name" ||
			git -C "$1" apply --cached --whitespace=nowarn "$2/$name" \
				2>"$work/verify.errors" || {
				say "$name does not apply: $(head -n 1 "$work/verify.errors")"
				return 1
			}
		own=$({
			sed -n 's/^New-file: *//p' "$2/$name"
			removed_files_of "$2/$name"
		} || true)
		while read -r path; do
			below_dir "$path" "$own" ||
				{ say "$name: $path comes out otherwise"; return 1; }
		done < <(git -C "$1" diff-index --cached --no-renames --name-only "$commit")
	done <"$work/verify"
}
