# SPDX-License-Identifier: MIT
# fish completion for mptcpaddr(8)

set -l commands run check doctor endpoint limits enable disable

complete -c mptcpaddr -f
complete -c mptcpaddr -n __fish_use_subcommand -l help -d 'Show the commands'
complete -c mptcpaddr -n "__fish_seen_subcommand_from $commands; and test (count (commandline -opc)) -eq 2" -l help -d 'Show the usage'
complete -c mptcpaddr -n __fish_use_subcommand -l version -d 'Show the version'
complete -c mptcpaddr -n __fish_use_subcommand -a run -d 'Run a program with one local address per subflow'
complete -c mptcpaddr -n __fish_use_subcommand -a check -d 'List all errors of pool files'
complete -c mptcpaddr -n __fish_use_subcommand -a doctor -d 'Find problems with Multipath TCP'
complete -c mptcpaddr -n __fish_use_subcommand -a endpoint -d 'Show or change the pool of a running program'
complete -c mptcpaddr -n __fish_use_subcommand -a limits -d 'Show or change the limits of a running program'
complete -c mptcpaddr -n __fish_use_subcommand -a enable -d 'Run a systemd service under the library'
complete -c mptcpaddr -n __fish_use_subcommand -a disable -d 'Remove the library from a systemd service'

complete -c mptcpaddr -n '__fish_seen_subcommand_from run doctor' -s v -l verbose -d 'Show more'
complete -c mptcpaddr -n '__fish_seen_subcommand_from run' -s p -l pool -r -F -d 'Pool file'
complete -c mptcpaddr -n '__fish_seen_subcommand_from run' -l supervise -d 'Supervise children, too'
complete -c mptcpaddr -n '__fish_seen_subcommand_from run' -l no-supervise -d 'Supervise no program'
complete -c mptcpaddr -n '__fish_seen_subcommand_from run' -s b -l backend -x -a 'broker direct none' -d 'Back end'
complete -c mptcpaddr -n '__fish_seen_subcommand_from run' -x -a '(__fish_complete_subcommand --fcs-skip=2)'
complete -c mptcpaddr -n '__fish_seen_subcommand_from check' -F
complete -c mptcpaddr -n '__fish_seen_subcommand_from endpoint' -a 'show add del change flush'
complete -c mptcpaddr -n '__fish_seen_subcommand_from endpoint' -a 'dev id port laminar subflow signal fullmesh backup nofirst nobackup nofullmesh'
complete -c mptcpaddr -n '__fish_seen_subcommand_from limits' -a 'show set subflows add_addr_accepted'
complete -c mptcpaddr -n '__fish_seen_subcommand_from endpoint limits' -l pid -x -a '(__fish_complete_pids)' -d 'Process'
complete -c mptcpaddr -n '__fish_seen_subcommand_from endpoint limits' -l program -x -d 'Program name'
complete -c mptcpaddr -n '__fish_seen_subcommand_from enable disable' -a '(__fish_systemctl_services)'
complete -c mptcpaddr -n '__fish_seen_subcommand_from enable' -l pool -r -F -d 'Pool file'
complete -c mptcpaddr -n '__fish_seen_subcommand_from enable disable' -l root -r -F -d 'Root directory'
