# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
#
# verify.sh - compare the paths of the download in mptcpinfo and ss
#
# Sourced by demo, whose variables it uses. Lists of paths have lines CLIENT-SERVER BYTES.

# From mptcpinfo on the client: bytes received by each subflow.
mptcpinfo_paths()
{
	jq -r '.connections[] | select(.program == "curl") | .subflows[] |
		[.local, .remote, .bytes_received // 0] | @tsv' "$dir/info.json" |
		awk '{ sub(/:[0-9]+$/, "", $1); sub(/:[0-9]+$/, "", $2)
		       print $1 "-" $2, $3 }' | sort
}

# From ss on the server: bytes sent by each TCP socket of MPTCP.
ss_paths()
{
	on server ss -HtniO state established 'sport = :80' |
		awk '/tcp-ulp-mptcp/ && match($0, /bytes_sent:[0-9]+/) {
			bytes = substr($0, RSTART + 11, RLENGTH - 11)
			sub(/:[0-9]+$/, "", $3); sub(/:[0-9]+$/, "", $4)
			print $4 "-" $3, bytes }' | sort
}

pairs() { echo "$1" | cut -d' ' -f1 | paste -sd' '; }

# wait_half - wait until two fifths of the file have arrived; fail if curl exits first
wait_half()
{
	local i sum

	for ((i = 0; i < 600; i++)); do
		on client "$build/mptcpinfo" --json >"$dir/info.json" ||
			die "mptcpinfo --json exits with $?"
		sum=$(mptcpinfo_paths | awk '{ sum += $2 } END { printf "%d", sum }')
		[ "$sum" -gt $((size * 2 / 5)) ] && return
		kill -0 "$curl_pid" 2>/dev/null ||
			die "curl exited after $sum bytes seen by mptcpinfo"
		sleep 0.1
	done
	die 'the download is stuck'
}

# watch_paths - check, while curl runs, that three paths carry a fair share each
watch_paths()
{
	local info ss manager

	wait_half
	ss=$(ss_paths)	# after mptcpinfo, so it counts at least as many bytes
	info=$(mptcpinfo_paths)
	step 'While it runs, mptcpinfo:'
	on client "$build/mptcpinfo" | sed 's/^/  /'
	step 'and ss -tni on the server: path, bytes sent'
	printf '  %s\n' "${ss//$'\n'/$'\n'  }"

	manager=$(jq -r '.connections[] | select(.program == "curl") | .manager' \
		"$dir/info.json")
	[ "$manager" = direct ] || die "curl's connection has the manager $manager, not direct"
	[ "$(pairs "$info")" = "$want" ] ||
		die "mptcpinfo shows the paths $(pairs "$info"), not $want"
	[ "$(pairs "$ss")" = "$want" ] ||
		die "ss shows the paths $(pairs "$ss"), not $want"
	paste -d' ' <(echo "$info") <(echo "$ss") | awk -v size="$size" '
		$2 + 0 < size / 25 { print "  " $1 " carried only " $2 " bytes"; bad = 1 }
		$4 + 0 < $2 + 0 { print "  " $1 ": " $4 " bytes in ss, but " $2 " before in mptcpinfo"; bad = 1 }
		END { exit bad }' || die 'wrong byte counts'
}
