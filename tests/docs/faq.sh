# shellcheck shell=bash disable=SC2154,SC2164
# SPDX-License-Identifier: MIT
#
# faq.sh - what the answers of docs/faq.md need, and the effects that they must have

faq_pool()
{
	mkdir -p /run/me/.config/mptcpaddr
	printf '[pool]\nendpoint = dev wlan0 subflow laminar\nendpoint = dev wwan0 subflow laminar\n' \
		>/run/me/.config/mptcpaddr/default.conf
	chown -R me: /run/me/.config
	systemctl enable --now mptcpaddrd
	uplinks_idle
}

faq_do_i_need_policy_routing__before() { faq_pool; }
faq_do_i_need_policy_routing__after()
{
	ip route get 198.51.100.1 from 10.2.0.2 | grep -q 'dev wwan0'
}

faq_which_uplink_does_a_connection_start_over__before() { :; }
faq_which_uplink_does_a_connection_start_over__after()
{
	ip route get 198.51.100.1 | grep -q 'dev wlan0'
}

faq_what_happens_with_servers_that_only_speak_tcp__before() { faq_pool; }
faq_what_happens_with_servers_that_only_speak_tcp__after() { both_carried 500000; }

faq_and_through_firewalls__before() { faq_pool; }
faq_and_through_firewalls__after() { mptcpaddr doctor; }

faq_why_is_everything_plain_tcp_all_of_a_sudden__before() { :; }
faq_why_is_everything_plain_tcp_all_of_a_sudden__after()
{
	[ "$(sysctl -n net.mptcp.blackhole_timeout)" = 0 ]
}

faq_do_kernel_endpoints_and_networkmanager_still_work__before() { faq_pool; }
faq_do_kernel_endpoints_and_networkmanager_still_work__after()
{
	[ "$(sysctl -n net.mptcp.path_manager)" = kernel ]
}

faq_how_do_i_uninstall_it__before()
{
	systemctl enable --now mptcpaddrd
	cd "$top"
}
faq_how_do_i_uninstall_it__after()
{
	local left

	left=$(find /usr/local /etc -name '*mptcpaddr*')
	[ -z "$left" ] || { echo "left: $left" >&2; return 1; }
	not broker_answers
}
