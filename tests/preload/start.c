// SPDX-License-Identifier: MIT
/*
 * start.c - checklist 25: name, pool file and opt-out are those of the start, whatever
 * the program does to itself before it connects
 */
#include "preload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint.h"
#include "subflow.h"

/* By name, or by MPTCPADDR_CONFIG. */
static enum lab_mode lab_find_pool(struct lab *lab, bool by_name, const char *text)
{
	char path[128];

	if (!by_name) {
		lab_pool(lab, text);
		return POOL;
	}
	snprintf(path, sizeof(path), "%s/mptcpaddr", lab->home);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/mptcpaddr/changes.conf", lab->home);
	put_file(path, text, 0644);
	return NO_POOL;
}

#define TWO "[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n"
#define OFF "[app]\nmptcp = no\n"

static void has_its_pool(const char *how)
{
	const struct endpoint_spec e = { .addr = "10.0.2.1", .flags = EP_SIGNAL };
	const struct program g = { .argv = { "changes", how, LAB_ADDRESS, LAB_PORT } };
	struct proc p;
	struct lab lab;

	for (int by_name = 0; by_name < 2; by_name++) {
		lab_open(&lab);
		cr_assert_eq(endpoint_add(&lab.world.server, &e), 0);
		program_start(&lab, &g, lab_find_pool(&lab, by_name, TWO), &p);
		cr_expect(WAIT_FOR(joined_count(&lab.world.server) == 1),
			  "%s, by name %d: not joined: %s", how, by_name,
			  proc_errors(&p));
		proc_end(&p);
		lab_close(&lab);
	}
}

static void stays_plain(const char *how)
{
	struct program g = { .argv = { "changes", how, LAB_ADDRESS, LAB_PORT } };
	struct lab lab;

	for (int by_name = 0; by_name < 2; by_name++) {
		lab_open(&lab);
		same_as_native(&lab, &g, lab_find_pool(&lab, by_name, OFF), TCP);
		lab_close(&lab);
	}
	lab_open(&lab);
	g.preload_env[0] = "MPTCPADDR_DISABLE=1";
	same_as_native(&lab, &g, POOL, TCP);
	lab_close(&lab);
}

/* The file is the one outside of the new root directory. */
static void logs(const char *how)
{
	const struct program g = { .argv = { "changes", how, LAB_ADDRESS, LAB_PORT },
				   .preload_env = { "MPTCPADDR_LOG=info:/run/log" } };
	struct lab lab;
	char *text;

	lab_open(&lab);
	free(program_run(&lab, &g, POOL));
	text = get_file("/run/log");
	cr_expect(text && strstr(text, "2 endpoints from /run/pool.conf"), "%s: %s", how,
		  text ?: "no log");
	free(text);
	lab_close(&lab);
}

Test(start, log_holds, TIMEOUT)
{
	logs("title,empty");
	logs("socket,chroot-copy");
	logs("socket,empty,child,chroot");
}

#define AFTER(name, how)                           \
	Test(start, pool_holds_##name, TIMEOUT)    \
	{                                          \
		has_its_pool(how);                 \
	}                                          \
	Test(start, opt_out_holds_##name, TIMEOUT) \
	{                                          \
		stays_plain(how);                  \
	}

AFTER(after_nothing, "socket")
AFTER(as_proc_self_exe, "exe,title")
AFTER(after_a_title, "title")
AFTER(after_an_emptied_environment, "empty")
AFTER(after_both, "title,empty")
AFTER(after_both_in_a_child, "title,empty,child")

AFTER(after_a_chroot, "chroot")
AFTER(after_a_chroot_with_a_socket_before_it, "socket,chroot")
AFTER(after_a_chroot_in_a_child, "socket,title,empty,child,chroot")
AFTER(after_a_chroot_with_other_files, "socket,chroot-copy")
AFTER(in_another_mount_namespace, "socket,hide")
