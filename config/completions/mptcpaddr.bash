# shellcheck shell=bash disable=SC2207
# SPDX-License-Identifier: MIT
# bash completion for mptcpaddr(8)

# The PIDs of programs with a path manager in this network namespace.
_mptcpaddr_pids()
{
	awk '$NF ~ /^@mptcpaddr\/[0-9]+$/ { sub(/.*\//, "", $NF); print $NF }' \
		/proc/net/unix 2>/dev/null | sort -u
}

_mptcpaddr_words()
{
	local IFS=$' \t\n'

	COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_mptcpaddr_files()
{
	compopt -o filenames 2>/dev/null
	COMPREPLY=($(compgen -f -- "$1"))
}

# After the options of "run", complete the program and its arguments.
_mptcpaddr_run()
{
	local i

	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-p | --pool | -b | --backend) i=$((i + 1)) ;;
		--) i=$((i + 1)); break ;;
		-*) ;;
		*) break ;;
		esac
	done
	if [ "$i" -lt "$COMP_CWORD" ] && declare -F _command_offset >/dev/null; then
		_command_offset "$i"
	elif [[ $1 == -* ]]; then
		_mptcpaddr_words '-v --verbose --pool --backend --supervise --no-supervise --help --' "$1"
	else
		COMPREPLY=($(compgen -c -- "$1"))
	fi
}

# _mptcpaddr_object CUR VERBS WORDS
_mptcpaddr_object()
{
	if [ "$COMP_CWORD" = 2 ]; then
		_mptcpaddr_words "$2 --pid --program --help" "$1"
	else
		_mptcpaddr_words "$3 --pid --program" "$1"
	fi
}

_mptcpaddr()
{
	local cur=$2 prev=$3 command=${COMP_WORDS[1]-}

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		_mptcpaddr_words 'run check doctor endpoint limits enable disable
			--help --version' "$cur"
		return
	fi
	case $prev in
	-p | --pool) _mptcpaddr_files "$cur"; return ;;
	-b | --backend) _mptcpaddr_words 'broker direct none' "$cur"; return ;;
	--pid) _mptcpaddr_words "$(_mptcpaddr_pids)" "$cur"; return ;;
	--root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
	dev) _mptcpaddr_words "$(ls /sys/class/net 2>/dev/null)" "$cur"; return ;;
	esac
	case $command in
	run) _mptcpaddr_run "$cur" ;;
	check)
		if [[ $cur == -* && $COMP_CWORD == 2 ]]; then
			_mptcpaddr_words --help "$cur"
		else
			_mptcpaddr_files "$cur"
		fi
		;;
	doctor) _mptcpaddr_words '-v --verbose --help' "$cur" ;;
	endpoint)
		_mptcpaddr_object "$cur" 'show add del change flush' \
			'dev id port laminar subflow signal fullmesh backup nofirst nobackup nofullmesh'
		;;
	limits)
		_mptcpaddr_object "$cur" 'show set' 'subflows add_addr_accepted'
		;;
	enable | disable)
		_mptcpaddr_words "--pool --root --help $(systemctl list-unit-files --type=service \
			--no-legend --plain 2>/dev/null | cut -d' ' -f1)" "$cur"
		;;
	esac
}

complete -F _mptcpaddr mptcpaddr
