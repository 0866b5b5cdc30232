# shellcheck shell=bash disable=SC2207
# SPDX-License-Identifier: MIT
# bash completion for mptcpaddr(8)

# The PIDs of programs with a path manager in this network namespace.
_mptcpaddr_pids()
{
	awk '$NF ~ /^@mptcpaddr\/[0-9]+$/ { sub(/.*\//, "", $NF); print $NF }' \
		/proc/net/unix 2>/dev/null | sort -u
}

_mptcpaddr_units()
{
	systemctl list-unit-files --type=service --no-legend --plain 2>/dev/null | cut -d' ' -f1
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

# Programs that have a pool file
_mptcpaddr_pools()
{
	local file

	for file in "${XDG_CONFIG_HOME:-$HOME/.config}"/mptcpaddr/*.conf /etc/mptcpaddr/*.conf; do
		file=${file##*/}
		[[ $file == '*.conf' || $file == broker.conf ]] || echo "${file%.conf}"
	done | sort -u
}

# The first word after the command that is neither an option nor its value, in REPLY, and
# its number, in REPLY_AT; "" and the next number if there is none before the cursor.
_mptcpaddr_first_word()
{
	REPLY=''
	for ((REPLY_AT = 2; REPLY_AT < COMP_CWORD; REPLY_AT++)); do
		case ${COMP_WORDS[REPLY_AT]} in
		-p | --pool | -b | --backend | --pid | --program | --root | --wait | --since) REPLY_AT=$((REPLY_AT + 1)) ;;
		--) REPLY_AT=$((REPLY_AT + 1)); break ;;
		-*) ;;
		*) REPLY=${COMP_WORDS[REPLY_AT]}; return ;;
		esac
	done
	[ "$REPLY_AT" -ge "$COMP_CWORD" ] || REPLY=${COMP_WORDS[REPLY_AT]}
}

# After the options of "run", complete the program and its arguments.
_mptcpaddr_run()
{
	if [ "$REPLY_AT" -lt "$COMP_CWORD" ]; then
		if declare -F _command_offset >/dev/null; then
			_command_offset "$REPLY_AT"
		else
			_mptcpaddr_files "$1"
		fi
	elif [[ $1 == -* ]]; then
		_mptcpaddr_words '-v --verbose -p --pool -b --backend --supervise --no-supervise --help' "$1"
	else
		COMPREPLY=($(compgen -c -- "$1"))
	fi
}

# Words of endpoints and limits, by their verb: those of ip-mptcp(8)
_mptcpaddr_object()
{
	local kinds='laminar subflow fullmesh signal backup metered nofirst'

	case $1:$REPLY in
	endpoint:) _mptcpaddr_words 'show add delete change flush --pid --program --help' "$2" ;;
	endpoint:a*) _mptcpaddr_words "dev id port cost $kinds --pid --program" "$2" ;;
	endpoint:d*) _mptcpaddr_words 'dev id --pid --program' "$2" ;;
	endpoint:c*) _mptcpaddr_words 'dev id backup nobackup fullmesh nofullmesh metered nometered --pid --program' "$2" ;;
	endpoint:sh*) _mptcpaddr_words 'id --pid --program' "$2" ;;
	limits:) _mptcpaddr_words 'show set --pid --program --help' "$2" ;;
	limits:se*) _mptcpaddr_words 'subflows add_addr_accepted --pid --program' "$2" ;;
	*) _mptcpaddr_words '--pid --program' "$2" ;;
	esac
}

_mptcpaddr_service()
{
	local options='--pool --root --help' units=''

	[ "$1" != remove ] || options='--root --help'
	[[ $2 == -* ]] || units=$(_mptcpaddr_units)
	_mptcpaddr_words "$options $units" "$2"
}

_mptcpaddr_value()
{
	case $1 in
	-p | --pool) _mptcpaddr_files "$2" ;;
	-b | --backend) _mptcpaddr_words 'broker direct none' "$2" ;;
	--pid) _mptcpaddr_words "$(_mptcpaddr_pids)" "$2" ;;
	--program) COMPREPLY=($(compgen -W "$(_mptcpaddr_pools)" -- "$2") $(compgen -c -- "$2")) ;;
	--root) COMPREPLY=($(compgen -d -- "$2")) ;;
	--wait | --since | id | port | subflows | add_addr_accepted) ;;
	dev) _mptcpaddr_words "$(ls /sys/class/net 2>/dev/null)" "$2" ;;
	*) return 1 ;;
	esac
	return 0
}

_mptcpaddr()
{
	local cur=$2 prev=$3 command=${COMP_WORDS[1]-} REPLY='' REPLY_AT

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		_mptcpaddr_words 'run init check probe status doctor endpoint limits service enable disable
			--help --version' "$cur"
		return
	fi
	_mptcpaddr_first_word
	if [[ $command == run && $REPLY_AT -lt $COMP_CWORD ]]; then
		_mptcpaddr_run "$cur"
		return
	fi
	_mptcpaddr_value "$prev" "$cur" && return
	case $command in
	run) _mptcpaddr_run "$cur" ;;
	init) _mptcpaddr_words "--stdout --help $([[ $cur == -* ]] || compgen -c -- "$cur")" "$cur" ;;
	check)
		if [[ $cur == -* ]]; then
			_mptcpaddr_words '--broker --help' "$cur"
		else
			_mptcpaddr_files "$cur"
			COMPREPLY+=($(compgen -W "$(_mptcpaddr_pools)" -- "$cur"))
		fi
		;;
	probe)
		_mptcpaddr_words "-j --json -p --pool --program --wait --help $([[ $cur == -* ]] ||
			compgen -A hostname -- "$cur")" "$cur"
		;;
	status) _mptcpaddr_words '-j --json --help' "$cur" ;;
	doctor) _mptcpaddr_words '-v --verbose -j --json --since --help' "$cur" ;;
	endpoint | limits) _mptcpaddr_object "$command" "$cur" ;;
	service)
		if [ -n "$REPLY" ]; then
			_mptcpaddr_service "$REPLY" "$cur"
		else
			_mptcpaddr_words 'add remove --help' "$cur"
		fi
		;;
	enable) _mptcpaddr_service add "$cur" ;;
	disable) _mptcpaddr_service remove "$cur" ;;
	esac
}

complete -F _mptcpaddr mptcpaddr
