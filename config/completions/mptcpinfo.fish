# SPDX-License-Identifier: MIT
# fish completion for mptcpinfo(8)

complete -c mptcpinfo -f
complete -c mptcpinfo -s p -l process -x -a '(__fish_complete_pids)' -d 'Connections of a process'
complete -c mptcpinfo -s t -l token -x -d 'Connection with this token'
complete -c mptcpinfo -s r -l remote -x -d 'Connections to an address'
complete -c mptcpinfo -s l -l long -d 'More columns in the table'
complete -c mptcpinfo -s j -l json -d 'One JSON document'
complete -c mptcpinfo -l prometheus -d 'Prometheus metrics'
complete -c mptcpinfo -s c -l counters -d 'Counters'
complete -c mptcpinfo -s w -l watch -d 'Refresh until interrupted'
complete -c mptcpinfo -s i -l interval -x -d 'Interval of --watch'
complete -c mptcpinfo -s e -l events -d 'One line per event'
complete -c mptcpinfo -s h -l help -d 'Show the options'
complete -c mptcpinfo -s V -l version -d 'Show the version'
complete -c mptcpinfo -n 'not __fish_seen_subcommand_from run' -a run -d 'Run a program and show its subflows'
complete -c mptcpinfo -n '__fish_seen_subcommand_from run' -x -a '(__fish_complete_subcommand --fcs-skip=2)'
