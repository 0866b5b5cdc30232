# shellcheck shell=bash disable=SC2207
# SPDX-License-Identifier: MIT
# bash completion for mptcpaddrd(8)

_mptcpaddrd()
{
	COMPREPLY=()
	case $3 in
	-c | --config) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$2")) ;;
	-s | --state) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$2")) ;;
	*) COMPREPLY=($(compgen -W '-u --userspace -c --config -s --state -h --help -V --version' -- "$2")) ;;
	esac
}

complete -F _mptcpaddrd mptcpaddrd
