# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: MIT
#
# verify.sh - which paths carry the download: what mptcpinfo says, and what ss says
#
# Sourced by demo, whose variables it uses. A list of paths has one line each: CLIENT-SERVER BYTES.

# From the client: what each subflow has received.
mptcpinfo_paths()
{
	jq -r '.connections[] | select(.program == "curl") | .subflows[] |
		[.local, .remote, .bytes_received // 0] | @tsv' "$dir/info.json" |
		awk '{ sub(/:[0-9]+$/, "", $1); sub(/:[0-9]+$/, "", $2)
		       print $1 "-" $2, $3 }' | sort
}

# From the server, by another program: what each TCP socket of MPTCP has sent.
ss_paths()
{
	on server ss -HtniO state established 'sport = :80' |
		awk '/tcp-ulp-mptcp/ && match($0, /bytes_sent:[0-9]+/) {
			bytes = substr($0, RSTART + 11, RLENGTH - 11)
			sub(/:[0-9]+$/, "", $3); sub(/:[0-9]+$/, "", $4)
			print $4 "-" $3, bytes }' | sort
}

pairs() { echo "$1" | cut -d' ' -f1 | paste -sd' '; }

# wait_half - until two fifths of the file have come, or curl has ended
wait_half()
{
	local i sum

	for ((i = 0; i < 600; i++)); do
		on client "$build/mptcpinfo" --json >"$dir/info.json" ||
			die "mptcpinfo --json exits $?"
		sum=$(mptcpinfo_paths | awk '{ sum += $2 } END { printf "%d", sum }')
		[ "$sum" -gt $((size * 2 / 5)) ] && return
		kill -0 "$curl_pid" 2>/dev/null ||
			die "curl ended when mptcpinfo had seen $sum bytes of it"
		sleep 0.1
	done
	die 'the download does not get on'
}

# watch_paths - while curl runs: three pairs, each with a fair part of the bytes
watch_paths()
{
	local info ss manager

	wait_half
	ss=$(ss_paths)	# after mptcpinfo: it has sent what the client had received
	info=$(mptcpinfo_paths)
	step 'While it runs, mptcpinfo:'
	on client "$build/mptcpinfo" | sed 's/^/  /'
	step 'and ss -tni on the server: from-to, bytes sent'
	printf '  %s\n' "${ss//$'\n'/$'\n'  }"

	manager=$(jq -r '.connections[] | select(.program == "curl") | .manager' \
		"$dir/info.json")
	[ "$manager" = direct ] || die "the manager of curl's connection is: $manager"
	[ "$(pairs "$info")" = "$want" ] ||
		die "mptcpinfo shows the paths $(pairs "$info"), not $want"
	[ "$(pairs "$ss")" = "$want" ] ||
		die "ss shows the paths $(pairs "$ss"), not $want"
	paste -d' ' <(echo "$info") <(echo "$ss") | awk -v size="$size" '
		$2 + 0 < size / 25 { print "  " $1 " has carried " $2 " bytes only"; bad = 1 }
		$4 + 0 < $2 + 0 { print "  " $1 ": ss saw " $4 " bytes, mptcpinfo before it " $2; bad = 1 }
		END { exit bad }' || die 'the bytes are not as they must be'
}
