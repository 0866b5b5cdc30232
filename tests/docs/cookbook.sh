# shellcheck shell=bash disable=SC2154,SC2164
# SPDX-License-Identifier: MIT
#
# cookbook.sh - what the recipes of docs/cookbook.md need, and the effects that they must have

broker()
{
	systemctl enable --now mptcpaddrd
	uplinks_idle
}

# two_uplinks FILE - a pool of both
two_uplinks()
{
	mkdir -p "${1%/*}"
	printf '[pool]\nendpoint = dev wlan0 subflow laminar\nendpoint = dev wwan0 subflow laminar\n' >"$1"
	chown -R me: /run/me/.config
}

# joins - how many paths were opened in addition to the first ones
joins() { nstat -asz MPTcpExtMPJoinSynAckRx | awk '/MPJ/ { print $2 }'; }

joined_at_least()
{
	[ "$(joins)" -ge "$1" ] || { echo "$(joins) joins, not $1" >&2; return 1; }
}

# ssh_server - sshd of example.org; its root and me log in with me's key
ssh_server()
{
	mkdir -p /run/sshd /run/keys
	ssh-keygen -q -t ed25519 -N '' -f /run/keys/host
	as_me ssh-keygen -q -t ed25519 -N '' -f /run/me/.ssh/id_ed25519
	cp /run/me/.ssh/id_ed25519.pub /run/keys/authorized
	echo "example.org $(cat /run/keys/host.pub)" >/etc/ssh/ssh_known_hosts
	echo 'sshd:x:1:1::/run/sshd:/usr/sbin/nologin' >>/etc/passwd
	start server env LD_PRELOAD=libmptcpaddr.so MPTCPADDR_CONFIG="$work/server.conf" \
		/usr/sbin/sshd -D -e -f /dev/null -h /run/keys/host -o PidFile=none \
		-o AuthorizedKeysFile=/run/keys/authorized -o StrictModes=no -o UsePAM=no
	wait_until listens server 22
	# OpenSSH takes the home of the user from /etc/passwd.
	cat >/etc/ssh/ssh_config <<-END
		Host *
			IdentityFile /run/me/.ssh/id_ed25519
			GlobalKnownHostsFile /etc/ssh/ssh_known_hosts
	END
}

cookbook_ssh__scp_and_rsync_before()
{
	broker
	ssh_server
	as_me mkdir /run/me/documents /run/me/backup
	as_me cp "$work/www/big.iso" /run/me/documents
}
cookbook_ssh__scp_and_rsync_after()
{
	cmp "$work/www/big.iso" /run/me/backup/big.iso
	joined_at_least 2
}

cookbook_firefox_and_chromium_before()
{
	broker
	# No display here.
	mkdir -p /etc/chromium.d
	# shellcheck disable=SC2016
	echo 'export CHROMIUM_FLAGS="$CHROMIUM_FLAGS --headless --no-sandbox --disable-gpu --dump-dom"' \
		>/etc/chromium.d/docs
	export MOZ_HEADLESS=1
}
cookbook_firefox_and_chromium_after()
{
	wait_until grep -q 'GET /index.html.*Firefox' "$work/access.log"
	wait_until joined_at_least 2
	grep -q 'GET /index.html.*Chrom' "$work/access.log"
}

cookbook_a_whole_desktop_session_before() { broker; }
cookbook_a_whole_desktop_session_after()
{
	local generator=/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator

	as_me "$generator" >"$work/session"
	as_me env "$(grep ^LD_PRELOAD= "$work/session")" \
		curl -sS -o /dev/null https://example.org/big.iso
	both_carried 500000
	uplinks_idle
	as_me env "$(grep ^LD_PRELOAD= "$work/session")" \
		wget -q -O /dev/null https://example.org/big.iso
	[ "$(received wwan0)" -lt 100000 ]
}

# network_manager - it and its D-Bus, with two connections; no udev here
network_manager()
{
	mount -t tmpfs tmpfs /var/lib/NetworkManager
	mount -t sysfs -o ro sysfs /sys
	rm -rf /etc/NetworkManager
	mkdir -p /etc/NetworkManager/dispatcher.d /run/dbus
	printf '[main]\nplugins=keyfile\nauth-polkit=false\ndns=none\n' \
		>/etc/NetworkManager/NetworkManager.conf
	# After the others, by name.
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho "$2" >>%s\n' "$work/dispatched" >/etc/NetworkManager/dispatcher.d/99-done
	chmod 755 /etc/NetworkManager/dispatcher.d/99-done
	cat >"$work/bus.conf" <<-END
		<busconfig><type>system</type><auth>EXTERNAL</auth>
		<listen>unix:path=/run/dbus/system_bus_socket</listen>
		<policy context="default"><allow own="*"/><allow send_type="method_call"/>
		<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
	END
	dbus-daemon --config-file="$work/bus.conf" --nofork 2>>"$work/nm.log" &
	wait_until test -S /run/dbus/system_bus_socket
	PATH=/usr/libexec:/usr/lib/NetworkManager:$PATH nm-dispatcher --persist 2>>"$work/nm.log" &
	NetworkManager --no-daemon 2>>"$work/nm.log" &
	wait_until nmcli device
	connection home 1 wlan0
	connection lte 2 wwan0
}

# connection NAME N DEVICE
connection()
{
	nmcli connection add type ethernet con-name "$1" ifname "$3" ipv6.method disabled \
		ipv4.method manual ipv4.addresses "10.$2.0.2/24" ipv4.gateway "10.$2.0.1" \
		ipv4.route-metric "$2"00 >/dev/null
}

# dispatched EVENT TIMES - that the scripts have run
dispatched() { [ "$(grep -cx "$1" "$work/dispatched")" -ge "$2" ]; }

default_pool_is() { [ "$(tail -n +2 /etc/mptcpaddr/default.conf)" = "$1" ]; }

cookbook_networkmanager_before()
{
	broker
	network_manager
}
cookbook_networkmanager_after()
{
	local pool=$'[pool]\nendpoint = dev wlan0 subflow laminar\nendpoint = dev wwan0 subflow laminar'

	wait_until default_pool_is "$pool metered"
	nmcli connection modify lte connection.metered no
	nmcli device reapply wwan0
	wait_until default_pool_is "$pool"
	uplinks_idle
	as_me env LD_PRELOAD=libmptcpaddr.so curl -sS -o /dev/null https://example.org/big.iso
	both_carried 500000
	# A device that is away for a while keeps its line; a file of the user's is kept.
	nmcli connection down lte
	nmcli device reapply wlan0
	wait_until dispatched reapply 2
	default_pool_is "$pool"
	sed -i '1d; $d' /etc/mptcpaddr/default.conf
	nmcli connection up lte
	wait_until dispatched up 3
	default_pool_is 'endpoint = dev wlan0 subflow laminar'
}

# nginx_config TEXT - in its http section
nginx_config()
{
	mkdir -p /run/nginx
	cat >/etc/nginx/nginx.conf <<-END
		user root; pid /run/nginx.pid; error_log stderr;
		events {}
		http { access_log off; client_body_temp_path /run/nginx/b;
			proxy_temp_path /run/nginx/p; fastcgi_temp_path /run/nginx/f;
			uwsgi_temp_path /run/nginx/u; scgi_temp_path /run/nginx/s;
			$1 }
	END
}

cookbook_nginx_as_a_server_before()
{
	broker
	server_of_two_addresses
	ip rule del from 10.2.0.2	# the text adds it
	nginx_config "server { listen 8000; root $work/www; }"
}
cookbook_nginx_as_a_server_after()
{
	local joins

	wait_until listens laptop 8000
	printf '[pool]\nendpoint = dev up1 laminar\nendpoint = dev up2 laminar\n' \
		>"$work/client.conf"
	on server env LD_PRELOAD=libmptcpaddr.so MPTCPADDR_CONFIG="$work/client.conf" \
		curl -sS -o "$work/got" http://10.1.0.2:8000/big.iso
	cmp "$work/got" "$work/www/big.iso"
	joins=$(on server nstat -asz MPTcpExtMPJoinSynAckRx | awk '/MPJ/ { print $2 }')
	[ "$joins" = 1 ] || { echo "$joins joins, not 1" >&2; return 1; }
}

cookbook_haproxy_as_a_proxy_before()
{
	broker
	cat >/etc/haproxy/haproxy.cfg <<-END
		defaults
			mode http
			timeout connect 5s
			timeout client 50s
			timeout server 50s
		frontend f
			bind :8088
			default_backend b
		backend b
			server s 198.51.100.1:80
	END
}
cookbook_haproxy_as_a_proxy_after() { proxied 8088; }

# proxied PORT - a client of the proxy gets the file of the server, over both uplinks
proxied()
{
	wait_until listens laptop "$1"
	as_me curl -sS -o /run/me/got "http://127.0.0.1:$1/big.iso"
	cmp /run/me/got "$work/www/big.iso"
	both_carried 500000
}

cookbook_nginx_as_a_proxy_before()
{
	broker
	nginx_config "upstream s { server 198.51.100.1; keepalive 4; }
		server { listen 8000; location / { proxy_pass http://s; } }"
}
cookbook_nginx_as_a_proxy_after() { proxied 8000; }

cookbook_containers_before()
{
	install "$here/podman" /usr/local/sbin/podman
	two_uplinks /run/me/.config/mptcpaddr/default.conf
	broker
}
cookbook_containers_after() { both_carried 500000; }

cookbook_32_bit_programs_before()
{
	cp -r "$top/Makefile" "$top/shim" "$top/include" "$top/tools" "$top/tests" "$top/debian" \
		"$top/config" /run/me
	cat >"$work/program.c" <<-END
		#include <netdb.h>
		#include <sys/socket.h>
		#include <netinet/in.h>
		#include <arpa/inet.h>
		#include <string.h>
		#include <unistd.h>
		int main(void)
		{
			struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80) };
			static const char get[] = "GET /big.iso HTTP/1.0\\r\\n\\r\\n";
			char buf[65536];
			int fd = socket(AF_INET, SOCK_STREAM, 0);

			inet_pton(AF_INET, "198.51.100.1", &a.sin_addr);
			if (connect(fd, (void *)&a, sizeof(a)) < 0)
				return 1;
			if (write(fd, get, strlen(get)) < 0)
				return 1;
			while (read(fd, buf, sizeof(buf)) > 0)
				;
			return 0;
		}
	END
	gcc -m32 -idirafter /usr/include/x86_64-linux-gnu -o /run/me/program32 "$work/program.c"
	two_uplinks /run/me/.config/mptcpaddr/program32.conf
	chown -R me: /run/me
	broker
}
cookbook_32_bit_programs_after()
{
	both_carried 500000
	rm -rf /tmp/build32
}

cookbook_one_pool_for_each_destination_before() { broker; }
cookbook_one_pool_for_each_destination_after() { both_carried 500000; }

cookbook_a_metered_uplink_before()
{
	mount -t tmpfs tmpfs /var/lib
	broker
}
cookbook_a_metered_uplink_after()
{
	joined_at_least 3
	grep -Eqx '[0-9]{8} [0-9]{20} [0-9]{20}' /var/lib/mptcpaddr/metered.1
	[ "$(nstat -asz MPTcpExtMPPrioTx | awk '/MPP/ { print $2 }')" -ge 1 ]
	# The change lasts until the file changes: then LTE carries nothing but handshakes.
	echo '# changed' >>/run/me/.config/mptcpaddr/curl.conf
	wait_until lte_is_backup
	uplinks_idle
	as_me mptcpaddr run curl -sS -o /dev/null https://example.org/big.iso
	joined_at_least 4
	[ "$(received wwan0)" -lt 200000 ]
	uplinks_idle
	as_me mptcpaddr run wget -q -O /dev/null https://example.org/big.iso
	joined_at_least 5
	[ "$(received wwan0)" -lt 200000 ]
}

# lte_is_backup - the broker has read the file again, which a connection makes it do
lte_is_backup()
{
	as_me mptcpaddr run curl -sS -o /dev/null https://example.org/index.html
	mptcpaddr endpoint | grep -q 'wwan0.* metered'
}

cookbook_a_fleet_before()
{
	ssh_server
	broker
}
cookbook_a_fleet_after()
{
	grep -q 'wwan0 subflow laminar backup' /etc/mptcpaddr/default.conf
	wait_until grep -q 'reloaded .*broker.conf' /run/docs/units/mptcpaddrd.service.log
}

cookbook_prometheus_before()
{
	broker
	mkdir -p /etc/prometheus /run/prometheus
	mount --bind /run/prometheus /var/lib/prometheus
}
cookbook_prometheus_after()
{
	local name

	promtool check metrics </run/prometheus/mptcp.prom
	grep -o 'mptcpaddr_[a-z_]*' /etc/prometheus/mptcp-rules.yml | while read -r name; do
		grep -q "^# TYPE $name " /run/prometheus/mptcp.prom || {
			echo "no metric $name" >&2
			return 1
		}
	done
}
