# shellcheck shell=bash disable=SC2207
# SPDX-License-Identifier: MIT
# bash completion for mptcpinfo(8)

_mptcpinfo()
{
	local cur=$2 prev=$3 i

	COMPREPLY=()
	case $prev in
	-p | --process)
		COMPREPLY=($(compgen -W "$(awk '$NF ~ /^@mptcpaddr\/[0-9]+$/ {
			sub(/.*\//, "", $NF); print $NF }' /proc/net/unix)" -- "$cur"))
		return
		;;
	--report)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	-t | --token | -r | --remote | -i | --interval) return ;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [ "${COMP_WORDS[i]}" = run ]; then
			while [[ ${COMP_WORDS[i + 1]} = -?* && $((i + 1)) -lt $COMP_CWORD ]]; do
				i=$((i + 1))
				[ "${COMP_WORDS[i]}" != --report ] || i=$((i + 1))
			done
			if [[ $cur = -* && $((i + 1)) -eq $COMP_CWORD ]]; then
				COMPREPLY=($(compgen -W '--report --long --json --counters' -- "$cur"))
				return
			fi
			if declare -F _command_offset >/dev/null; then
				_command_offset $((i + 1))
			else
				COMPREPLY=($(compgen -c -- "$cur"))
			fi
			return
		fi
	done
	COMPREPLY=($(compgen -W 'run --process --token --remote --long --json --prometheus
		--counters --watch --interval --events --report --help --version' -- "$cur"))
}

complete -F _mptcpinfo mptcpinfo
