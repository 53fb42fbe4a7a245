#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# series.sh: make series. Writes out/series-BASE/: six series that apply one after the other, each
# with a cover letter, N-0000-cover-letter.patch, and mails whose diffs hold both the hunks of
# patches/ and the new files that they name. The first digit of the name of a patch is its series.
# Then proves it: git am of all of it on the pristine source gives the tree that is built.
#
#   AUTHOR='Name <mail>'   who sends it: From: and Signed-off-by: of the mails, M: in MAINTAINERS;
#                          and each mail gets a Cc: to whom scripts/get_maintainer.pl names
#   SIGNOFF='Name <mail>'  another name for Signed-off-by:
#
# git works on the files that the series touches, not on all eighty thousand: it looks at no other
# file when it applies a mail. That nothing else of the tree differs is seen with diff, which is
# quick as the tree is hard links.

. "$(dirname "$0")/lib.sh"
. "$TOP/harness/series-lib.sh"
[ -z "$VANILLA" ] || die "VANILLA=1 has no series"
[ -z "$INJECT" ] || die "INJECT=$INJECT: what is injected is not of the series"

identity='Container Freezer <container-freezer@localhost>'
author=${AUTHOR:-$identity} signoff=${SIGNOFF:-${AUTHOR:-$identity}}
for each in "$author" "$signoff"; do
	[[ $each =~ ^[^\<\>]+\ \<[^\<\>@\ ]+@[^\<\>@\ ]+\>$ ]] ||
		die "\"$each\": AUTHOR= and SIGNOFF= are like 'Name <name@host>'"
done

# as_sent: the text with the identity of whoever sends it
as_sent() {
	FROM="$identity" TO="$author" SOB="$signoff" perl -pe '
		s/^(Signed-off-by: )\Q$ENV{FROM}\E$/$1$ENV{SOB}/; s/\Q$ENV{FROM}\E/$ENV{TO}/'
}

work=$OUT/series-work
result=$OUT/series-$BASE
take_lock "$OUT/series.lock"
[ -n "$(series_patches)" ] || die "patches/series has no patch for $BASE"
unnamed=$(unnamed_files)
if [ -n "$unnamed" ]; then
	say "no patch of the series of $BASE brings in:"
	say "$unnamed"
	die "repair:  a line \"New-file: path\" after the --- of the mail that brings it in"
fi

# The mails are the same from the same input: no names, dates or settings of this machine
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE
export GIT_COMMITTER_NAME='Container Freezer' GIT_COMMITTER_EMAIL=container-freezer@localhost
export GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
export GIT_CEILING_DIRECTORIES=$OUT
rm -rf "$work" "$result"
mkdir -p "$work/info" "$result"

base_name=$(cat "$SRC.version" 2>/dev/null || echo "$SRC_NAME")

# new_repository DIR: what the series touches, pristine
new_repository() {
	git init -q -b main "$1"
	stage_pristine "$1" >/dev/null
	GIT_AUTHOR_NAME=$GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL=$GIT_COMMITTER_EMAIL
	GIT_AUTHOR_DATE=$GIT_COMMITTER_DATE
	git -C "$1" add -A -f
	git -C "$1" commit -q --allow-empty -m "$base_name"
	git -C "$1" tag base
}

# header NAME: a line of what git mailinfo found
header() { sed -n "s/^$1: //p" "$work/info/head"; }

repo=$work/make
new_repository "$repo"
for patch in $(series_patches); do
	git -C "$repo" mailinfo --no-scissors "$work/info/message" "$work/info/diff" \
		<"$SERIES/$patch" >"$work/info/head"
	if [ -z "$(header Subject)" ] || [ -z "$(header Email)" ]; then
		die "$(mail_files "$patch"): not a mail with From: and Subject:"
	fi
	if has_hunks "$SERIES/$patch"; then
		git -C "$repo" apply --index --whitespace=nowarn "$SERIES/$patch" \
			2>"$repo.errors" || conflict "$patch" "$repo"
	fi
	new_files_of "$SERIES/$patch" >"$work/info/new"
	copy_new_files "$repo" <"$work/info/new"
	if [ -n "${AUTHOR:-}" ] && [ -f "$repo/MAINTAINERS" ]; then
		as_sent <"$repo/MAINTAINERS" >"$work/info/maintainers"
		cp "$work/info/maintainers" "$repo/MAINTAINERS"
		git -C "$repo" add MAINTAINERS
	fi
	xargs -r -d '\n' git -C "$repo" add -f -- <"$work/info/new"
	removed_files_of "$SERIES/$patch" | xargs -r -d '\n' git -C "$repo" rm -q --
	if git -C "$repo" diff --cached --quiet; then
		die "$(mail_files "$patch") changes nothing: neither hunks nor new files"
	fi
	from=$(echo "$(header Author) <$(header Email)>" | as_sent)
	GIT_AUTHOR_NAME=${from% <*} GIT_AUTHOR_EMAIL=${from##*<} GIT_AUTHOR_DATE=$(header Date)
	GIT_AUTHOR_EMAIL=${GIT_AUTHOR_EMAIL%>}
	GIT_AUTHOR_DATE=${GIT_AUTHOR_DATE:-$GIT_COMMITTER_DATE}
	{ header Subject; echo; as_sent <"$work/info/message"; } |
		git -C "$repo" commit -q -F - --cleanup=whitespace
	git -C "$repo" branch -f "series-${patch:0:1}"
	# What else the mail says below its --- is kept there.
	awk '
		/^diff --git / { exit }
		on && !/^(New|Removed)-file:/ && !/^ .*\|/ && !/^ [0-9]+ files? changed/ { print }
		/^---$/ { on = 1 }' "$SERIES/$patch" >"$work/info/notes"
	if grep -q '[^[:space:]]' "$work/info/notes"; then
		git -C "$repo" notes add -F "$work/info/notes"
	fi
done

# cover_letter N: its first line is its subject
cover_letter() {
	local file
	for file in "$SERIES/cover-letter-$1" "$TOP/patches/cover-letter-$1"; do
		[ ! -f "$file" ] || { echo "$file"; return; }
	done
	die "there is no patches/cover-letter-$1"
}

# The end of each series is a branch; a branch is where the next one begins.
begin=base before="Base: $base_name"
for series in $(series_patches | cut -c 1 | uniq); do
	end=series-$series
	file=$(cover_letter "$series")
	mkdir "$work/$series"
	git -C "$repo" format-patch -q --cover-letter --notes -M -o "$work/$series" \
		--no-signature "$begin..$end"
	awk -v file="$file" -v before="$before" '
		BEGIN {
			getline subject < file
			while ((getline line < file) > 0) body = body line "\n"
			sub(/^\n+/, "", body)
		}
		{ sub(/\*\*\* SUBJECT HERE \*\*\*/, subject) }
		/^\*\*\* BLURB HERE \*\*\*$/ { printf "%s\n%s\n", body, before; next }
		{ print }' "$work/$series/0000-cover-letter.patch" | as_sent >"$work/info/cover"
	mv "$work/info/cover" "$work/$series/0000-cover-letter.patch"
	for file in "$work/$series"/*.patch; do
		mv "$file" "$result/$series-${file##*/}"
	done
	subject=$(sed 1q "$(cover_letter "$series")")
	before="Base: $base_name, with series $series, \"$subject\""
	begin=$end
done

# Whom a mail concerns; a cover letter goes to all of its series.
if [ -n "${AUTHOR:-}" ]; then
	say "Cc: as scripts/get_maintainer.pl says"
	for file in "$result"/*.patch; do
		files=("$file")
		case $file in
		*-0000-*) files=("${file%-0000-*}"-*.patch) ;;
		esac
		(cd "$TREE" && perl scripts/get_maintainer.pl --no-tree --nogit --nogit-fallback \
			--norolestats "${files[@]}" 2>/dev/null) |
			grep -vxF -e "$author" -e "$identity" |
			sed '1s/^/Cc: /; 2,$s/^/    /; $!s/$/,/' >"$work/info/cc" || true
		sed -i "0,/^Subject: /{/^Date: /r $work/info/cc
		}" "$file"
	done
fi

# The proof
again=$work/again
new_repository "$again"
if ! find "$result" -name '*.patch' | sort |
	xargs git -C "$again" am -q --empty=drop >"$work/am.log" 2>&1; then
	cat "$work/am.log" >&2
	die "git am does not take $(rel "$result") on the pristine source"
fi
differ=0
list=$(git -C "$again" diff --name-only --no-renames base main)
while read -r file; do
	if [ -e "$again/$file" ]; then
		as_sent <"$TREE/$file" | cmp -s "$again/$file" - || {
			say "differs from the built tree: $file"
			differ=1
		}
	elif [ -e "$TREE/$file" ]; then
		say "gone, but in the built tree: $file"
		differ=1
	fi
done <<<"$list"
others=$({ diff -rq --no-dereference -x 'build-*' "$SRC" "$TREE" || true; } |
	sed -E -e 's,^Only in ('"$TREE|$SRC"')/?([^:]*): ,\2/,' \
		-e 's,^Files ('"$SRC"')/(.*) and .* differ$,\2,' -e 's,^/,,' |
	while read -r path; do
		if [ -d "$TREE/$path" ]; then
			(cd "$TREE" && find "$path" -type f)
		else
			echo "$path"
		fi
	done | sort | comm -23 - <(sort <<<"$list"))
if [ -n "$others" ]; then
	say "in the built tree, but not of the series:"
	say "$others"
	differ=1
fi
[ "$differ" = 0 ] || die "the series and the built tree are not the same"
rm -rf "$work"
(cd "$TOP" && ls "out/series-$BASE"/*.patch)
echo "$(series_patches | wc -l) patches in out/series-$BASE/; git am --empty=drop takes them on" \
	"$base_name, and the result is the tree that is built"
