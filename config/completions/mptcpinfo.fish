# SPDX-License-Identifier: MIT
# fish completion for mptcpinfo(8)

# The program after "run" and its options
function __mptcpinfo_program
	set -l words (commandline -opc)
	set -l at (math (contains -i -- run $words) + 1)
	while string match -q -- '-*' $words[$at]
		test $words[$at] = --report; and set at (math $at + 1)
		set at (math $at + 1)
	end
	__fish_complete_subcommand --fcs-skip=(math $at - 1)
end

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
complete -c mptcpinfo -l report -r -F -d 'With run: write a page with charts'
complete -c mptcpinfo -s h -l help -d 'Show the options'
complete -c mptcpinfo -s V -l version -d 'Show the version'
complete -c mptcpinfo -n 'not __fish_seen_subcommand_from run' -a run -d 'Run a program and show its paths'
complete -c mptcpinfo -n '__fish_seen_subcommand_from run' -x -a '(__mptcpinfo_program)'
