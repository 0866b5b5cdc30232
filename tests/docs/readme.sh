# shellcheck shell=bash disable=SC2154,SC2164
# SPDX-License-Identifier: MIT
#
# readme.sh - what the sections of README.md need, and the effects that they must have

readme_try_it_before() { :; }
readme_try_it_after() { :; }

readme_install_before()
{
	rm -rf /usr/local/bin /usr/local/lib /etc/mptcpaddr
	cd "$top"
}
readme_install_after()
{
	broker_answers
	[ -x /usr/local/bin/mptcpaddr ] && [ -e /etc/mptcpaddr/default.conf ]
}

readme_wi_fi_and_lte_in_five_lines_before()
{
	systemctl enable --now mptcpaddrd
	uplinks_idle
}
readme_wi_fi_and_lte_in_five_lines_after()
{
	both_carried 500000
	cmp "$work/www/big.iso" /run/me/big.iso
}

readme_when_servers_announce_addresses_before()
{
	server_of_two_addresses
}
readme_when_servers_announce_addresses_after()
{
	printf '[app]\nmptcp = yes\n' >"$work/echo.conf"
	start laptop env LD_PRELOAD=libmptcpaddr.so MPTCPADDR_CONFIG="$work/echo.conf" \
		socat TCP4-LISTEN:8000,fork,reuseaddr "OPEN:$work/www/big.iso"
	wait_until listens laptop 8000
	client_joins 8000
}

readme_programs_without_root_before()
{
	systemctl enable --now mptcpaddrd
	uplinks_idle
}
readme_programs_without_root_after()
{
	not broker_answers
	both_carried 500000
}
