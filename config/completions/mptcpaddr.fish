# SPDX-License-Identifier: MIT
# fish completion for mptcpaddr(8)

# The command, if the cursor is after it.
function __mptcpaddr_in
	set -l words (commandline -opc)
	test (count $words) -ge 2; and contains -- $words[2] $argv
end

# The words after the command that are neither options nor their values
function __mptcpaddr_plain
	set -l words (commandline -opc)
	set -l skip no
	for word in $words[3..-1]
		if test $skip = yes
			set skip no
		else if contains -- $word -p --pool -b --backend --pid --program --root --wait --since
			set skip yes
		else if not string match -q -- '-*' $word
			echo $word
		end
	end
end

# The verb of endpoint, limits and service begins with $argv[1]; "": there is none yet.
function __mptcpaddr_verb
	set -l plain (__mptcpaddr_plain)
	if test -z "$argv[1]"
		test (count $plain) -eq 0
	else
		test (count $plain) -ge 1; and string match -q -- "$argv[1]*" $plain[1]
	end
end

# Programs that have a pool file
function __mptcpaddr_pools
	set -l home $XDG_CONFIG_HOME
	test -n "$home"; or set home $HOME/.config
	set -l files $home/mptcpaddr/*.conf /etc/mptcpaddr/*.conf
	for file in $files
		set -l name (string replace -r '.*/(.*)\.conf$' '$1' -- $file)
		test $name = broker; or echo $name
	end
end

function __mptcpaddr_previous
	set -l words (commandline -opc)
	test "$words[-1]" = "$argv[1]"
end

# Options and words of "run" end with the program.
function __mptcpaddr_runs
	__mptcpaddr_in run; and test (count (__mptcpaddr_plain)) -eq 0; and not contains -- -- (commandline -opc)
end

function __mptcpaddr_program
	set -l words (commandline -opc)
	set -l plain (__mptcpaddr_plain)
	set -l at 3
	if test (count $plain) -gt 0
		set at (contains -i -- $plain[1] $words)
	else
		set at (math (count $words) + 1)
	end
	__fish_complete_subcommand --fcs-skip=(math $at - 1)
end

complete -c mptcpaddr -f
complete -c mptcpaddr -n 'test (count (commandline -opc)) -eq 1' -l help -d 'Show the commands'
complete -c mptcpaddr -n 'test (count (commandline -opc)) -eq 1' -l version -d 'Show the version'
for command in \
	'run:Run a program with one local address per subflow' \
	'init:Write a pool file with the uplinks of this machine' \
	'check:List all errors of pool files' \
	'probe:Find out what a server does with MPTCP' \
	'status:Show uplinks, programs and the last problems' \
	'doctor:Find problems with Multipath TCP' \
	'endpoint:Show or change the pool of a running program' \
	'limits:Show or change the limits of a running program' \
	'service:Run a systemd service under the library, or no longer' \
	'enable:The same as service add' \
	'disable:The same as service remove'
	set -l parts (string split -m 1 : $command)
	complete -c mptcpaddr -n 'test (count (commandline -opc)) -eq 1' -a $parts[1] -d $parts[2]
	test $parts[1] = run; or complete -c mptcpaddr -n "__mptcpaddr_in $parts[1]" -l help -d 'Show the usage'
end

complete -c mptcpaddr -n __mptcpaddr_runs -l help -d 'Show the usage'
complete -c mptcpaddr -n '__mptcpaddr_runs; or __mptcpaddr_in doctor' -s v -l verbose -d 'Show more'
complete -c mptcpaddr -n '__mptcpaddr_runs; or __mptcpaddr_in probe' -s p -l pool -r -F -d 'Pool file'
complete -c mptcpaddr -n __mptcpaddr_runs -l supervise -d 'Supervise children, too'
complete -c mptcpaddr -n __mptcpaddr_runs -l no-supervise -d 'Supervise no program'
complete -c mptcpaddr -n __mptcpaddr_runs -s b -l backend -x -a 'broker direct none' -d 'Back end'
complete -c mptcpaddr -n '__mptcpaddr_in run' -x -a '(__mptcpaddr_program)'
complete -c mptcpaddr -n '__mptcpaddr_in init' -l stdout -d 'Print it'
complete -c mptcpaddr -n '__mptcpaddr_in init; and __mptcpaddr_verb ""' -a '(__fish_complete_command)'
complete -c mptcpaddr -n '__mptcpaddr_in check' -l broker -d 'The configuration of the broker'
complete -c mptcpaddr -n '__mptcpaddr_in check' -F -a '(__mptcpaddr_pools)'
complete -c mptcpaddr -n '__mptcpaddr_in probe status doctor' -s j -l json -d 'One JSON document'
complete -c mptcpaddr -n '__mptcpaddr_in doctor' -l since -x -d 'Count from now on'
complete -c mptcpaddr -n '__mptcpaddr_in probe' -l wait -x -d 'Seconds'
complete -c mptcpaddr -n '__mptcpaddr_in probe; and __mptcpaddr_verb ""' -a '(__fish_print_hostnames)'
complete -c mptcpaddr -n '__mptcpaddr_in endpoint limits' -l pid -x -a '(__fish_complete_pids)' -d 'Process'
complete -c mptcpaddr -n '__mptcpaddr_in endpoint limits probe' -l program -x -a '(__mptcpaddr_pools) (__fish_complete_command)' -d 'Program name'
complete -c mptcpaddr -n '__mptcpaddr_in endpoint; and __mptcpaddr_verb ""' -a 'show add delete change flush'
complete -c mptcpaddr -n '__mptcpaddr_in endpoint; and __mptcpaddr_verb a; and not __mptcpaddr_previous dev' \
	-a 'dev id port cost laminar subflow fullmesh signal backup metered nofirst'
complete -c mptcpaddr -n '__mptcpaddr_in endpoint; and __mptcpaddr_verb d; and not __mptcpaddr_previous dev' -a 'dev id'
complete -c mptcpaddr -n '__mptcpaddr_in endpoint; and __mptcpaddr_verb c; and not __mptcpaddr_previous dev' \
	-a 'dev id backup nobackup fullmesh nofullmesh metered nometered'
complete -c mptcpaddr -n '__mptcpaddr_in endpoint; and __mptcpaddr_verb sh' -a id
complete -c mptcpaddr -n '__mptcpaddr_in endpoint; and __mptcpaddr_previous dev' -a '(__fish_print_interfaces)'
complete -c mptcpaddr -n '__mptcpaddr_in limits; and __mptcpaddr_verb ""' -a 'show set'
complete -c mptcpaddr -n '__mptcpaddr_in limits; and __mptcpaddr_verb se' -a 'subflows add_addr_accepted'
complete -c mptcpaddr -n '__mptcpaddr_in service; and __mptcpaddr_verb ""' -a 'add remove'
complete -c mptcpaddr -n '__mptcpaddr_in enable disable; or begin; __mptcpaddr_in service; and not __mptcpaddr_verb ""; end' \
	-a '(__fish_systemctl_services)'
complete -c mptcpaddr -n '__mptcpaddr_in enable; or begin; __mptcpaddr_in service; and __mptcpaddr_verb add; end' \
	-l pool -r -F -d 'Pool file'
complete -c mptcpaddr -n '__mptcpaddr_in service enable disable' -l root -x -a '(__fish_complete_directories)' -d 'Root directory'
