# SPDX-License-Identifier: MIT
# fish completion for mptcpaddrd(8)

complete -c mptcpaddrd -f
complete -c mptcpaddrd -s u -l userspace -d 'Set net.mptcp.path_manager'
complete -c mptcpaddrd -s c -l config -r -F -d 'Configuration'
complete -c mptcpaddrd -s s -l state -x -a '(__fish_complete_directories)' -d 'State'
complete -c mptcpaddrd -s h -l help -d 'Show the usage'
complete -c mptcpaddrd -s V -l version -d 'Show the version'
