# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# hosts.sh - two hosts in network namespaces, joined by three shaped links
#
# Sourced by demo, in its own user, network and mount namespaces. Link i connects eth$i of
# both hosts: 10.0.$i.2 of the client with 10.0.$i.1 of the server.

on() { ip netns exec "$@"; }

# userspace_pm HOST - select the userspace path manager for new sockets of HOST
userspace_pm()
{
	if [ -e /proc/sys/net/mptcp/path_manager ]; then
		on "$1" sysctl -qw net.mptcp.path_manager=userspace
	else
		on "$1" sysctl -qw net.mptcp.pm_type=1
	fi
}

# make_hosts RATE - RATE in tc's notation
make_hosts()
{
	local i host

	mount -t tmpfs none /run	# private: ip netns keeps its names there
	ip netns add client
	ip netns add server
	for i in 1 2 3; do
		ip link add "eth$i" netns client type veth peer name "eth$i" netns server
		ip -n client addr add "10.0.$i.2/24" dev "eth$i"
		ip -n server addr add "10.0.$i.1/24" dev "eth$i"
	done
	for host in client server; do
		ip -n "$host" link set lo up
		for i in 1 2 3; do
			ip -n "$host" link set "eth$i" up
			tc -n "$host" qdisc add dev "eth$i" root \
				tbf rate "$1" burst 128kb limit 512kb
		done
		# Buffers for three paths of one connection, regardless of the machine's defaults.
		on "$host" sysctl -qw net.ipv4.tcp_rmem='4096 131072 33554432' \
			net.ipv4.tcp_wmem='4096 65536 33554432'
	done
	userspace_pm client

	# The server's kernel announces its additional addresses and accepts joins.
	ip -n server mptcp limits set subflows 8 add_addr_accepted 0
	ip -n server mptcp endpoint add 10.0.2.1 dev eth2 signal
	ip -n server mptcp endpoint add 10.0.3.1 dev eth3 signal
}
