# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# An apt of our own below out/: suites and architectures that the machine is not set up for, and
# nothing of the machine's but its mirrors, its keys and its proxies. Nothing is added to the
# machine, and no root is needed. Sourced, never run.
#
#   MIRROR=URL   the mirror of Debian for suites that this machine is not set up for (default: that
#                of its own apt sources); "URL URL-security" if security updates are needed, too

# mirrors main|security: the Debian mirrors of MIRROR=, else those of this machine's own sources, as
# its apt reads them. Where there are no lists yet a source does not say that it is Debian's: then
# the name of its suite has to do.
# shellcheck disable=SC2016 # $( is apt's
mirrors() {
	local uri names format='$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)'
	for uri in ${MIRROR:-}; do
		case $uri in
		*security*) [ "$1" = main ] || echo "$uri" ;;
		*) [ "$1" = security ] || echo "$uri" ;;
		esac
	done
	[ -z "${MIRROR:-}" ] || return 0
	names='(old)*stable|testing|unstable|sid'
	names="$names|$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME:-sid}")"
	{
		apt-get indextargets --format "$format" 'Created-By: Packages'
		apt-get indextargets --format "$format" --no-release-info 'Created-By: Packages'
	} | awk -v kind="$1" -v names="^(${names%|})([-/]|\$)" '
		$3 != "main" || $1 ~ /^cdrom:/ { next }
		$4 == "$(ORIGIN)" && ($1 in others || $2 !~ names) { next }
		$4 != "$(ORIGIN)" && ($4 != "Debian" || NF != 4) { others[$1]; next }
		($2 ~ /(-security|\/updates)$/) == (kind == "security") && !seen[$1]++ { print $1 }'
}

# each_mirror DIR ARCHITECTURE SUITES COMMAND...: with DIR for its lists, for each mirror in turn:
# the lists of the suites, then COMMAND, which finds the options of apt in own_apt, until one
# succeeds. src:SUITE are the source packages of a suite.
# Only what is signed with Debian's keys is taken, whatever the mirror or the machine says.
each_mirror() {
	local apt=$1 architecture=$2 suites=$3 keyring suite uri main security from type
	shift 3
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	if [ ! -f "$keyring" ]; then
		echo "there is no $keyring; next:  apt-get install debian-archive-keyring"
		return 1
	fi
	mapfile -t main < <(mirrors main)
	mapfile -t security < <(mirrors security)
	if [ "${#main[@]}" = 0 ]; then
		echo "no apt source of this machine is a Debian mirror, from which to get $suites"
		echo "next:  make ... MIRROR=URL, the one of a line \"deb URL bookworm main\""
		return 1
	fi
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/empty"
	: >"$apt/status"
	own_apt=(-o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts="$apt/empty"
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$apt/empty"
		-o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt"
		-o Dir::Cache::Archives="$apt/archives" -o APT::Sandbox::User=""
		-o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false
		-o Acquire::AllowWeakRepositories=false
		-o Acquire::AllowDowngradeToInsecureRepositories=false
		-o Acquire::Languages=none)
	if [ "$architecture" != "$(dpkg --print-architecture)" ]; then
		own_apt+=(-o APT::Architecture="$architecture"
			-o APT::Architectures="$architecture" -o Dir::State::status="$apt/status")
	fi
	for uri in "${main[@]}"; do
		for suite in $suites; do
			from=$uri
			[[ $suite != *-security ]] || from=${security[0]:-}
			type=deb
			[[ $suite != src:* ]] || type=deb-src
			if [ -n "$from" ]; then
				echo "$type [signed-by=$keyring] $from ${suite#src:} main"
			else
				echo "this machine has no security updates: without $suite" >&2
			fi
		done >"$apt/sources.list"
		echo "from $uri:"
		if apt-get "${own_apt[@]}" update && "$@"; then return; fi
	done
	echo "not from ${main[*]} either; next:  make ... MIRROR=URL, another mirror of Debian"
	return 1
}
