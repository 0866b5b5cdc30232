# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# suite.sh - packages of another Debian suite, for scripts that source it
#
# Uses this machine's Debian mirror with separate apt lists and cache: installs nothing and
# leaves the machine's lists alone.

# suite_open SUITE - set ${options[@]} for apt; lists and cache are in the directory ./apt
suite_open()
{
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg mirror

	# shellcheck disable=SC2016 # apt expands them
	mirror=${MIRROR:-$(apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' | awk '$1 == "Debian" && $2 == "main" && !n++ { print $3 }')}
	[ "$mirror" ] || { say 'apt knows no Debian mirror; set MIRROR=URI'; return 1; }
	mkdir -p apt/lists/partial apt/cache/archives/partial
	printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
		"$mirror" "$1" "$keyring" >apt/debian.sources
	: >apt/status
	# Keep the machine's proxies and certificates, but not its sources, lists and packages.
	options=(-qq -o "Dir::Etc::sourcelist=$PWD/apt/debian.sources"
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null
		-o "Dir::State::lists=$PWD/apt/lists" -o "Dir::State::status=$PWD/apt/status"
		-o "Dir::Cache=$PWD/apt/cache" -o Acquire::Languages=none -o APT::Sandbox::User=
		-o APT::Update::Post-Invoke-Success= -o APT::Get::AllowUnauthenticated=false
		-o Acquire::AllowInsecureRepositories=false -o APT::Update::Error-Mode=any)
	apt-get "${options[@]}" update
}
