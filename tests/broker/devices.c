// SPDX-License-Identifier: MIT
/*
 * devices.c - `devices =` of broker.conf: the interfaces that must have a user's
 * addresses
 */
#include "broker.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static bool broker_said(const struct lab *lab, const char *text)
{
	char *said = proc_errors(&lab->broker);
	bool yes = strstr(said, text);

	free(said);
	return yes;
}

/* Subflows, pending ones too, from other addresses than the first path's and c2's. */
static unsigned int foreign_subflows(const struct lab *lab)
{
	struct subflows s = { 0 };
	char text[ADDRESS_TEXT_MAX];
	unsigned int n = 0;

	cr_assert_eq(subflows_read(&lab->world.client, &s), 0);
	for (size_t i = 0; i < s.count; i++) {
		address_text(&s.at[i].local, text);
		n += strcmp(text, "10.0.1.2") != 0 && strcmp(text, "10.0.2.2") != 0;
	}
	subflows_free(&s);
	return n;
}

/* Alice's program with @pool has only subflows from 10.0.2.2, which is on c2. */
static void only_c2_is_used(struct lab *lab, const char *pool)
{
	struct proc client;

	put_text(lab->pool, pool);
	lab_start(lab, &client, ALICE, lab->pool, tcpclient_argv);
	cr_expect(WAIT_FOR(joined_count(&lab->world.client) > 0), "%s", pool);
	nap_ms(200); /* for unwanted ones */
	cr_expect_eq(foreign_subflows(lab), 0, "%s", pool);
	proc_end(&client);
	cr_expect(WAIT_FOR(joined_count(&lab->world.client) == 0));
}

static void lab_with_devices(struct lab *lab)
{
	const char *const three[] = { "10.0.2.1", "10.0.3.1", "10.0.4.1", NULL };

	lab_open(lab, three);
	lab_broker(lab, "[users]\ndevices = c2 c4\n");
}

Test(devices, the_word_dev_does_not_move_an_address)
{
	struct lab lab;

	NEED_USERS();
	lab_with_devices(&lab);
	only_c2_is_used(&lab, "[pool]\nendpoint = 10.0.3.2 dev c2 laminar\n"
			      "endpoint = 10.0.2.2 dev c2 laminar\n");
	cr_expect(broker_said(&lab, "user 1000: "));
	cr_expect(broker_said(&lab, "does not allow 10.0.3.2"));
	only_c2_is_used(&lab, "[pool]\nendpoint = 10.0.3.2 laminar\n"
			      "endpoint = 10.0.3.2 dev c3 laminar\n"
			      "endpoint = dev c3 laminar\n"
			      "endpoint = 10.0.2.2 laminar\n");
	/* Routing would choose the interface. */
	cr_assert_eq(host_ip(&lab.world.client, "addr add 10.0.4.2/32 dev c3\n"), 0);
	only_c2_is_used(&lab, "[pool]\nendpoint = 10.0.4.2 laminar\n"
			      "endpoint = 10.0.2.2 laminar\n");
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* The rejected line, and whose it is. */
Test(devices, doctor_and_mptcpinfo_name_it, .timeout = 120)
{
	char path[PATH_MAX], path_info[PATH_MAX];
	const char *const info[] = { built("mptcpinfo", path_info, sizeof(path_info)),
				     NULL };
	const char *const argv[] = { built("mptcpaddr", path, sizeof(path)), "doctor",
				     NULL };
	struct proc client, doctor;
	struct lab lab;

	NEED_USERS();
	lab_with_devices(&lab);
	put_text(lab.pool, "[pool]\nendpoint = 10.0.2.2\nendpoint = 10.0.3.2 dev c2\n");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1));
	cr_assert_eq(proc_start(&doctor, &lab.world.client, argv, NULL), 0);
	cr_expect_eq(proc_wait(&doctor, EFFECT_MS), 1);
	cr_expect(proc_said(&doctor, "tcpclient of user 1000: "), "%s",
		  proc_output(&doctor));
	cr_expect(proc_said(&doctor, "pool.conf:3: the broker does not allow 10.0.3.2"),
		  "%s", proc_output(&doctor));
	proc_end(&doctor);
	cr_assert_eq(proc_start(&doctor, &lab.world.client, info, NULL), 0);
	cr_expect_eq(proc_wait(&doctor, EFFECT_MS), 0);
	cr_expect(proc_said(&doctor, "pool.conf:3: the broker does not allow 10.0.3.2"),
		  "%s", proc_output(&doctor));
	proc_end(&doctor);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(devices, an_address_that_moves_away_ends_its_subflow)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_with_devices(&lab);
	put_text(lab.pool, "[pool]\nendpoint = 10.0.2.2 dev c2 laminar\n");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1));
	cr_assert_eq(host_ip(&lab.world.client, "addr add 10.0.2.2/32 dev c3\n"
						"addr del 10.0.2.2/24 dev c2\n"),
		     0);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 0));
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Although an interface that is set down loses its IPv6 addresses. */
Test(devices, a_link_that_is_down_keeps_its_subflow)
{
	const char *const argv[] = { "@tests/apps/tcpclient", "dead:beef:1::1", LAB_PORT,
				     NULL };
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, (const char *const[]){ "dead:beef:2::1", NULL });
	lab_broker(&lab, "[users]\ndevices = c2 c4\n");
	put_text(lab.pool, "[pool]\nendpoint = dead:beef:2::2 dev c2 laminar\n");
	lab_start(&lab, &client, ALICE, lab.pool, argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1));
	cr_assert_eq(host_ip(&lab.world.client, "link set c2 down\n"), 0);
	nap_ms(500);
	cr_expect_eq(joined_count(&lab.world.client), 1);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(devices, an_unknown_interface_is_reported)
{
	struct lab lab;

	NEED_SANDBOX();
	lab_open(&lab, (const char *const[]){ NULL });
	lab_broker(&lab, "[users]\ndevices = c2 nosuch0\n");
	cr_expect(broker_said(&lab, "no interface nosuch0"), "%s",
		  proc_errors(&lab.broker));
	cr_expect_not(broker_said(&lab, "no interface c2"));
	put_text(lab.config, "[users]\ndevices = nosuch1\n");
	kill(lab.broker.pid, SIGHUP);
	cr_expect(WAIT_FOR(broker_said(&lab, "no interface nosuch1")));
	lab_broker_end(&lab);
	lab_close(&lab);
}
