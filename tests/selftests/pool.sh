# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2317 # $ns1 and $ns2 are theirs, and so are the callers
#
# pool.sh - replaces functions of the kernel's mptcp_join.sh, which sources it
#
# In $ns2, the client, what the tests give to the kernel's path manager goes to the pool
# file of our library instead, also while a connection uses it. $ns1, the server, keeps the
# kernel's path manager. The tests call these functions in subshells, too, so the state is
# in files: $WORK/endpoints has the lines of [pool], $WORK/limits those of [limits].

# Their NAME becomes kernel_NAME; in the client's namespace it calls our pool_NAME.
for name in set_limits add_endpoint del_endpoint flush_endpoint show_endpoints \
	change_endpoint get_endpoint; do
	theirs=pm_nl_$name
	declare -F "$theirs" >/dev/null || theirs=mptcp_lib_$theirs
	eval "kernel_$name$(declare -f "$theirs" | sed "1s/$theirs//")"
	eval "$theirs() {
		if [ \"\$1\" = \"\$ns2\" ]; then shift; pool_$name \"\$@\"
		else kernel_$name \"\$@\"; fi
	}"
done
eval "kernel_init_partial$(declare -f init_partial | sed '1s/init_partial//')"

start_broker()
{
	rm -rf /run/mptcpaddr
	# No child of this shell, for all of which some cases wait.
	(ip netns exec "$ns2" "$BUILD/mptcpaddrd" >>"$WORK/broker.log" 2>&1 &)
	for _ in $(seq 100); do
		! ip netns exec "$ns2" grep -q @mptcpaddr/broker /proc/net/unix || return 0
		sleep 0.05
	done
	echo 'the broker does not start'
	exit 1
}

# The kernel's default limits, and no endpoint. The broker ends with the namespace.
init_partial()
{
	kernel_init_partial
	ip netns exec "$ns2" sysctl -q net.mptcp.path_manager=userspace
	: >"$WORK/endpoints"
	pool_set_limits 0 2
	[ "$MPTCPADDR_BACKEND" != broker ] || start_broker
}

control() { ip netns exec "$ns2" "$BUILD/mptcpaddr" "$@"; }

# pool_write [COMMAND...] - write the file; COMMAND of mptcpaddr is the same change for a
# running program of the broker, which does not follow the file
pool_write()
{
	{
		echo '[limits]'
		cat "$WORK/limits"
		[ -z "$RETRIES" ] || printf '[retry]\ntries = %s\n' "$RETRIES"
		echo '[pool]'
		sed 's/^/endpoint = /' "$WORK/endpoints"
	} >"$WORK/pool.new"
	mv "$WORK/pool.new" "$MPTCPADDR_CONFIG"
	[ $# = 0 ] || [ "$MPTCPADDR_BACKEND" != broker ] ||
		! control endpoint show | grep -q . || control "$@"
}

pool_set_limits()
{
	printf 'add_addr_accepted = %s\nsubflows = %s\n' "$1" "$2" >"$WORK/limits"
	pool_write
}

# pool_has WORDS - is there an endpoint with these words?
pool_has() { sed 's/.*/ & /' "$WORK/endpoints" | grep -F " $1 " >/dev/null; }

pool_add_endpoint()
{
	local addr=$1 words id=1
	local -A word=()

	shift
	while [ $# -gt 1 ]; do
		word[$1]=$2
		shift 2
	done
	while pool_has "id $id"; do
		id=$((id + 1))
	done
	words="$addr${word[dev]:+ dev ${word[dev]}} id ${word[id]:-$id}"
	words+="${word[port]:+ port ${word[port]}} ${word[flags]//,/ }"
	echo "$words" >>"$WORK/endpoints"
	# shellcheck disable=SC2086 # several words
	pool_write endpoint add $words
}

# ID 0 is the address of the first subflow. If it is no endpoint, it becomes one first.
pool_del_endpoint()
{
	if [ "$1" = 0 ] && ! pool_has "$2"; then
		control endpoint add "$2"
		control endpoint del "$2"
	else
		sed -i "/ id $1 /d; ${2:+/^$2 /d}" "$WORK/endpoints"
		# shellcheck disable=SC2086 # two words
		pool_write endpoint del ${2:-id "$1"}
	fi
}

pool_flush_endpoint()
{
	: >"$WORK/endpoints"
	pool_write endpoint flush
}

# The tests look for the word after "id".
pool_show_endpoints() { cat "$WORK/endpoints"; }

pool_change_endpoint()
{
	local flag edit=()

	for flag in ${2//,/ }; do
		case $flag in
		no*) edit+=(-e "/ id $1 /s/ ${flag#no}\>//") ;;
		*) edit+=(-e "/ id $1 /s/\( $flag\)*\$/ $flag/") ;;
		esac
	done
	sed -i "${edit[@]}" "$WORK/endpoints"
	# shellcheck disable=SC2086 # several words
	pool_write endpoint change id "$1" ${2//,/ }
}

# As pm_nl_ctl prints it, from the running program.
pool_get_endpoint()
{
	control endpoint show | awk -v id="$1" '
	$1 == "endpoint" {
		flags = dev = ""
		for (i = 4; i <= NF; i++)
			if ($i == "dev")
				dev = " dev " $++i
			else if ($i == "id")
				found = $++i == id
			else
				flags = flags (flags ? "," : "") $i
		if (found)
			print "id " id " flags " flags dev " " $3
	}'
}
