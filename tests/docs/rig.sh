# shellcheck shell=bash disable=SC2154,SC2164
# SPDX-License-Identifier: MIT
#
# rig.sh - a laptop with two uplinks, each behind a NAT router, and example.org
#
#	wlan0 10.1.0.2 -- 10.1.0.1 router1 192.0.2.1	-- 192.0.2.254	 server 198.51.100.1
#	wwan0 10.2.0.2 -- 10.2.0.1 router2 203.0.113.1	-- 203.0.113.254	(example.org)
#
# 40 and 20 Mbit/s. The server is an ordinary one: nginx with MPTCP, path manager and limits
# as the kernel has them, nothing announced. The shell that sources this becomes the laptop.

on() { ip netns exec "$@"; }

# A host of its own namespace; its processes end with the sandbox.
make_host() { ip netns add "$1" && ip -n "$1" link set lo up; }

# uplink N DEVICE OUTSIDE RATE
uplink()
{
	make_host "router$1"
	ip link add "$2" netns laptop type veth peer name in netns "router$1"
	ip link add out netns "router$1" type veth peer name "up$1" netns server
	ip -n laptop addr add "10.$1.0.2/24" dev "$2"
	ip -n "router$1" addr add "10.$1.0.1/24" dev in
	ip -n "router$1" addr add "$3.1/24" dev out
	ip -n server addr add "$3.254/24" dev "up$1"
	ip -n laptop link set "$2" up
	ip -n "router$1" link set in up
	ip -n "router$1" link set out up
	ip -n server link set "up$1" up
	ip -n laptop route add default via "10.$1.0.1" dev "$2" metric "$1"00
	ip -n "router$1" route add default via "$3.254"
	on "router$1" sysctl -qw net.ipv4.ip_forward=1
	on "router$1" nft 'table ip home { chain out { type nat hook postrouting priority srcnat; oifname "out" masquerade; }; }'
	tc -n "router$1" qdisc add dev in root tbf rate "$4" burst 64kb latency 50ms
	tc -n "router$1" qdisc add dev out root tbf rate "$4" burst 64kb latency 50ms
}

# private_etc - a copy of /etc, whose changes end with the sandbox; users: root and me
private_etc()
{
	mkdir /run/etc
	cp -r /etc/. /run/etc 2>/dev/null || :	# without what only root of the machine reads
	rm -rf /run/etc/mptcpaddr
	mount --bind /run/etc /etc
	printf 'root:x:0:0:root:/run/root:/bin/bash\nme:x:1:1::/run/me:/bin/bash\n' >/etc/passwd
	printf 'root:x:0:\nme:x:1:\nusers:x:100:me\n' >/etc/group
	printf '127.0.0.1 localhost\n198.51.100.1 example.org\n' >/etc/hosts
	printf 'hosts: files\npasswd: files\ngroup: files\n' >/etc/nsswitch.conf
}

# certificate - of example.org, which programs here trust
certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj /CN=example.org -addext subjectAltName=DNS:example.org \
		-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
	cat "$work/cert.pem" >>/etc/ssl/certs/ca-certificates.crt
}

as_me()
{
	setpriv --reuid 1 --regid 1 --clear-groups --no-new-privs \
		env HOME=/run/me USER=me "$@"
}

# wait_until COMMAND... - it must succeed within a minute
wait_until()
{
	local i

	for ((i = 0; i < 600; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "not within a minute: $*" >&2
	return 1
}

broker_answers() { grep -q '@mptcpaddr/broker$' /proc/net/unix; }

# not COMMAND... - as "!", which set -e ignores
not()
{
	if "$@"; then
		echo "unexpected: $*" >&2
		return 1
	fi
}

listens() { on "$1" ss -Htln "sport = :$2" | grep -q .; }

# start HOST COMMAND... - in the background
start() { ip netns exec "$@" </dev/null >>"$work/$1.log" 2>&1 & }

# serve - example.org
serve()
{
	mkdir -p "$work/www"
	head -c 12000000 /dev/urandom >"$work/www/big.iso"
	echo '<title>loaded</title>' >"$work/www/index.html"
	cat >"$work/nginx.conf" <<-END
		user root; daemon off; pid $work/nginx.pid; error_log stderr; worker_processes 1;
		events {}
		http { access_log $work/access.log; sendfile on; server {
			listen 80; listen 443 ssl; root $work/www;
			ssl_certificate $work/cert.pem; ssl_certificate_key $work/key.pem;
			client_body_temp_path $work/body; proxy_temp_path $work/proxy;
			fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s; } }
	END
	printf '[app]\nmptcp = yes\n' >"$work/server.conf"
	start server env LD_PRELOAD=libmptcpaddr.so MPTCPADDR_CONFIG="$work/server.conf" \
		nginx -p "$work" -e stderr -c "$work/nginx.conf"
	wait_until listens server 443
}

# received DEVICE - bytes since the last uplinks_idle
received() { echo $(($(ip -s -j link show "$1" | jq '.[].stats64.rx.bytes') - ${before[$1]:-0})); }

declare -A before
uplinks_idle()
{
	local dev

	for dev in wlan0 wwan0; do
		before[$dev]=0
		before[$dev]=$(received "$dev")
	done
}

# both_carried BYTES - each uplink received as many
both_carried()
{
	local dev

	for dev in wlan0 wwan0; do
		[ "$(received "$dev")" -ge "$1" ] || {
			echo "$dev received $(received "$dev") bytes only" >&2
			return 1
		}
	done
}

# rig_open STAGE
rig_open()
{
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p "$work" /run/me/.config /run/me/.ssh /run/root
	chmod 755 "$work"
	chmod 700 /run/me/.ssh
	mount -t tmpfs tmpfs /usr/local
	cp -r "$1/usr/local/." /usr/local
	install -D "$here/systemctl" /usr/local/sbin/systemctl
	private_etc
	cp -r "$1/etc/." /etc
	echo /usr/local/lib >/etc/ld.so.conf.d/local.conf
	/sbin/ldconfig 2>/dev/null
	ip netns attach laptop $$
	ip link set lo up
	make_host server
	uplink 1 wlan0 192.0.2 40mbit
	uplink 2 wwan0 203.0.113 20mbit
	ip -n server addr add 198.51.100.1/32 dev lo
	certificate
	serve
	chown -R me: /run/me
	export HOME=/run/me PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin
	unset MPTCPADDR_CONFIG MPTCPADDR_LOG XDG_CONFIG_HOME LD_PRELOAD
	cd /run/me
}

# server_of_two_addresses - the laptop becomes a server, eth1 10.1.0.2 and eth2 10.2.0.2,
# which the other host reaches without NAT
server_of_two_addresses()
{
	local i

	ip link set wlan0 name eth1
	ip link set wwan0 name eth2
	for i in 1 2; do
		on "router$i" nft flush ruleset
	done
	ip -n server route add 10.1.0.0/24 via 192.0.2.1
	ip -n server route add 10.2.0.0/24 via 203.0.113.1
	# Answers leave where the question came in.
	ip rule add from 10.2.0.2 table 2
	ip route add default via 10.2.0.1 table 2
	on server sysctl -qw net.mptcp.path_manager=userspace
}

# client_joins PORT - a client of that server gets data, over two paths
client_joins()
{
	local joins

	printf '[pool]\nendpoint = dev up1 laminar\nendpoint = dev up2 laminar\n' \
		>"$work/client.conf"
	on server env LD_PRELOAD=libmptcpaddr.so MPTCPADDR_CONFIG="$work/client.conf" \
		socat -u "TCP4:10.1.0.2:$1" "OPEN:$work/got,creat"
	cmp "$work/got" "$work/www/big.iso"
	joins=$(on server nstat -asz MPTcpExtMPJoinSynAckRx | awk '/MPJ/ { print $2 }')
	[ "$joins" = 1 ] || { echo "$joins joins, not 1" >&2; return 1; }
}
