// SPDX-License-Identifier: MIT
/*
 * sandbox.c - the broker needs one capability and the system calls of its list
 *
 * Any other system call kills it, so each test in this directory tests the list. These
 * tests make the calls that the others do not.
 */
#include "broker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "slice.h"

static const char *const two[] = { "10.0.2.1", "10.0.3.1", NULL };

static void status_says(const struct lab *lab, const char *name, const char *value)
{
	char path[64], line[256], *said = NULL;
	size_t len = strlen(name);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", lab->broker.pid);
	f = fopen(path, "re");
	cr_assert(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':') {
			said = line + len + 1 + strspn(line + len + 1, " \t");
			said[strcspn(said, "\n")] = '\0';
			cr_expect_str_eq(said, value, "%s is %s", name, said);
		}
	fclose(f);
	cr_expect(said, "no %s", name);
}

Test(sandbox, one_capability_and_a_filter)
{
	struct lab lab;

	NEED_SANDBOX();
	lab_open(&lab, two);
	lab_broker(&lab, "");
	status_says(&lab, "CapEff", "0000000000001000");
	status_says(&lab, "CapPrm", "0000000000001000");
	status_says(&lab, "CapBnd", "0000000000000000");
	status_says(&lab, "CapAmb", "0000000000000000");
	status_says(&lab, "CapInh", "0000000000000000");
	status_says(&lab, "NoNewPrivs", "1");
#ifndef __SANITIZE_ADDRESS__
	status_says(&lab, "Seccomp", "2");
#endif
	status_says(&lab, "Threads", "1");
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(sandbox, short_slice)
{
	struct lab lab;

	NEED_SANDBOX();
	lab_open(&lab, two);
	lab_broker(&lab, "");
	cr_expect_eq(slice_of(lab.broker.pid), slice_expected());
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(sandbox, filter_that_kills_for_a_short_slice_leaves_the_broker_alive)
{
	char strict[PATH_MAX];
	struct lab lab;

	NEED_SANDBOX();
	lab_open(&lab, two);
	lab.under = built("tests/apps/strict", strict, sizeof(strict));
	lab_broker(&lab, "");
	cr_expect_eq(slice_of(lab.broker.pid), slice_of(0));
	lab_broker_end(&lab);
	lab_close(&lab);
}

static int dial(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval timeout = { .tv_sec = EFFECT_MS / 1000 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path + 1, name, strlen(name));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&addr,
		    offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)) < 0)
		return -errno;
	return fd;
}

/* Return: `error` of the answer; -EPIPE: no answer. */
static int ask(int fd, uint16_t op, const char *text)
{
	struct ctl_request request = { .magic = CTL_MAGIC,
				       .version = CTL_VERSION,
				       .op = op };
	static char answer[1 << 20];
	struct ctl_answer head;

	snprintf(request.text, sizeof(request.text), "%s", text);
	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) < 0 ||
	    recv(fd, answer, sizeof(answer), 0) < (ssize_t)sizeof(head))
		return -EPIPE;
	memcpy(&head, answer, sizeof(head));
	return head.error;
}

static int ask_as_stranger(void *arg)
{
	int fd = dial("mptcpaddr/broker.1");

	return fd >= 0 && ask(fd, CTL_OP_MANAGER, "") == -EPIPE ? 0 : 1;
}

Test(sandbox, the_log_may_be_a_pipe)
{
	char path[PATH_MAX];
	struct proc client, broker;
	struct lab lab;
	const char *const argv[] = { "sh",
				     "-c",
				     "\"$0\" -c \"$1\" -s \"$2\" 2>&1 | cat",
				     built("mptcpaddrd", path, sizeof(path)),
				     lab.config,
				     lab.dir,
				     NULL };

	NEED_USERS();
	lab_open(&lab, two);
	put_text(lab.config, "[broker]\nlog = info\n");
	cr_assert_eq(proc_start(&broker, &lab.world.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&broker, "serving programs")));
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_expect(WAIT_FOR(proc_said(&broker, "tcpclient: 2 endpoints")));
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 2));
	proc_end(&client);
	proc_end(&broker);
	lab_close(&lab);
}

static int ask_as_owner(void *arg)
{
	int fd = dial("mptcpaddr/broker.1");

	return fd >= 0 && ask(fd, CTL_OP_MANAGER, "") == 0 ? 0 : 1;
}

Test(sandbox, all_requests_and_edits_are_answered)
{
	struct proc client;
	struct lab lab;
	int fd, op;

	NEED_USERS();
	lab_open(&lab, two);
	lab_broker(&lab, "[broker]\nlog = debug\n");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 2));
	fd = dial("mptcpaddr/broker.1");
	cr_assert_geq(fd, 0, "%s", strerror(-fd));
	for (op = CTL_OP_MANAGER; op <= CTL_OP_CONFIGURED; op++)
		if (op != CTL_OP_FOLLOW && op != CTL_OP_EDIT)
			cr_expect_eq(ask(fd, op, ""), 0, "request %u", op);
	cr_expect_eq(ask(fd, CTL_OP_EDIT, "endpoint del 10.0.3.2"), 0);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1));
	cr_expect_eq(ask(fd, CTL_OP_EDIT, "endpoint add 10.0.4.2 laminar"), 0);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 2));
	cr_expect_eq(ask(fd, CTL_OP_EDIT, "nonsense"), -EINVAL);
	cr_expect_eq(ask(fd, CTL_OP_FOLLOW, ""), 0);
	cr_expect_eq(as_user(BOB, ask_as_stranger, NULL), 0, "another user was answered");
	cr_expect_eq(as_user(ALICE, ask_as_owner, NULL), 0, "its user was not answered");
	close(fd);
	/* Changed addresses are read again. */
	cr_assert_eq(host_ip(&lab.world.client, "addr add 10.7.7.7/24 dev c4\n"
						"addr del 10.0.2.2/24 dev c2\n"),
		     0);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) <= 1));
	cr_expect(tcp_gone_from(&lab.world.client, "10.0.2.2"));
	cr_assert_eq(host_ip(&lab.world.client, "addr add 10.0.2.2/24 dev c2\n"), 0);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

static bool broker_said(const struct lab *lab, const char *text)
{
	char *said = proc_errors(&lab->broker);
	bool yes = strstr(said, text);

	free(said);
	return yes;
}

Test(sandbox, sighup_reloads_the_configuration)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, two);
	lab_broker(&lab, "");
	put_text(lab.config, "[users]\nusers = root daemon\ngroups = daemon\n"
			     "addresses = 10.0.3.0/24\ndevices = c3\n");
	kill(lab.broker.pid, SIGHUP);
	cr_assert(WAIT_FOR(broker_said(&lab, "reloaded")));
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(proc_said(&client, "connected 1\n")));
	cr_expect(WAIT_FOR(broker_said(&lab, "does not admit")));
	proc_end(&client);
	put_text(lab.config, "[users]\nsubflows = many\n");
	kill(lab.broker.pid, SIGHUP);
	cr_expect(WAIT_FOR(broker_said(&lab, "broker.conf:2: subflows \"many\"")));
	/* root is admitted, with the allowed endpoints of its pool */
	lab_start(&lab, &client, 0, lab.pool, tcpclient_argv);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1));
	nap_ms(200);
	cr_expect_eq(joined_count(&lab.world.client), 1);
	cr_expect(broker_said(&lab, "does not allow 10.0.2.2"));
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

static void path_manager_is(struct lab *lab, const char *value)
{
	char text[32] = "";
	FILE *f;

	cr_assert_eq(host_enter(&lab->world.client), 0);
	f = fopen("/proc/sys/net/mptcp/path_manager", "re");
	if (!f)
		SKIP("this kernel has no net.mptcp.path_manager");
	cr_assert(fgets(text, sizeof(text), f));
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	cr_expect_str_eq(text, value);
}

/* Even if the broker is killed in between. */
Test(sandbox, the_path_manager_is_set_and_restored)
{
	struct lab lab;

	NEED_SANDBOX();
	lab_open(&lab, two);
	cr_assert_eq(host_path_manager(&lab.world.client, PM_KERNEL), 0);
	lab_broker(&lab, "");
	path_manager_is(&lab, "kernel");
	cr_expect(broker_said(&lab, "the path manager is the kernel's"));
	lab_broker_end(&lab);
	lab_broker(&lab, "[broker]\npath_manager = userspace\n");
	path_manager_is(&lab, "userspace");
	kill(lab.broker.pid, SIGKILL);
	proc_wait(&lab.broker, EFFECT_MS);
	proc_end(&lab.broker);
	path_manager_is(&lab, "userspace");
	lab_broker(&lab, "[broker]\npath_manager = userspace\n");
	lab_broker_end(&lab);
	path_manager_is(&lab, "kernel");
	lab_close(&lab);
}

/* Readiness and the watchdog. */
Test(sandbox, systemd_is_notified)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char text[256], path[PATH_MAX], env[128];
	static const char script[] = "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) "
				     "exec \"$@\"";
	bool ready = false, alive = false;
	struct lab lab;
	ssize_t n;
	int fd;

	NEED_SANDBOX();
	lab_open(&lab, two);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/notify", lab.dir);
	snprintf(env, sizeof(env), "NOTIFY_SOCKET=%s", addr.sun_path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	put_text(lab.config, "");
	cr_assert_eq(proc_start(&lab.broker, &lab.world.client,
				(const char *[]){ "sh", "-c", script, "sh",
						  built("mptcpaddrd", path, sizeof(path)),
						  "-c", lab.config, "-s", lab.dir, NULL },
				(const char *[]){ env, "WATCHDOG_USEC=300000", NULL }),
		     0);
	for (int64_t until = now_ms() + EFFECT_MS;
	     now_ms() < until && !(ready && alive);) {
		struct pollfd pfd = { fd, POLLIN, 0 };

		if (poll(&pfd, 1, 500) <= 0)
			continue;
		n = recv(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		ready |= strstr(text, "READY=1") != NULL;
		alive |= !strcmp(text, "WATCHDOG=1");
	}
	cr_expect(ready && alive);
	cr_expect(broker_said(&lab, "<6>serving"));
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* systemd's variable is inherited by what has redirected its standard error since. */
Test(sandbox, redirected_log_has_no_prefix_of_the_journal)
{
	char path[PATH_MAX];
	struct lab lab;

	NEED_SANDBOX();
	lab_open(&lab, two);
	put_text(lab.config, "");
	cr_assert_eq(proc_start(&lab.broker, &lab.world.client,
				(const char *[]){ built("mptcpaddrd", path, sizeof(path)),
						  "-c", lab.config, "-s", lab.dir, NULL },
				(const char *[]){ "JOURNAL_STREAM=1:2", NULL }),
		     0);
	cr_expect(WAIT_FOR(broker_said(&lab, "mptcpaddrd: info: serving")), "%s",
		  proc_errors(&lab.broker));
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* 78, after which the unit is not started again. */
Test(sandbox, error_in_its_file_has_an_exit_status_of_its_own)
{
	static const char *const faults[] = { "[users]\nsubflows = many\n", "nonsense\n",
					      NULL };
	char path[PATH_MAX], unit[PATH_MAX];
	const char *const show[] = {
		"grep", "-qx", "RestartPreventExitStatus=78",
		built("tests/mptcpaddrd.service", unit, sizeof(unit)), NULL
	};
	struct lab lab;
	int r;

	NEED_SANDBOX();
	lab_open(&lab, two);
	for (int i = 0; i < 3; i++) {
		if (faults[i])
			put_text(lab.config, faults[i]);
		else
			unlink(lab.config);
		cr_assert_eq(proc_start(&lab.broker, &lab.world.client,
					(const char *[]){
						built("mptcpaddrd", path, sizeof(path)),
						"-c", lab.config, "-s", lab.dir, NULL },
					NULL),
			     0);
		r = proc_wait(&lab.broker, EFFECT_MS);
		cr_expect_eq(r, 78, "%d: %d: %s", i, r, proc_errors(&lab.broker));
		proc_end(&lab.broker);
	}
	cr_expect_eq(proc_run(NULL, NULL, show), 0);
	lab_close(&lab);
}

/* systemd-analyze security: 1.6 or less of 10. */
Test(sandbox, systemd_rates_the_unit_below_2)
{
	char path[PATH_MAX];
	const char *const argv[] = { "systemd-analyze",
				     "security",
				     "--offline=true",
				     "--threshold=16",
				     "--no-pager",
				     built("tests/mptcpaddrd.service", path,
					   sizeof(path)),
				     NULL };

	if (access("/usr/bin/systemd-analyze", X_OK) < 0)
		SKIP("no systemd-analyze");
	cr_expect_eq(proc_run(NULL, NULL, argv), 0);
}

/* Like the unit: the bounding set has nothing else, and capset(2) is not needed. */
Test(sandbox, it_starts_with_the_capability_that_the_unit_leaves)
{
	char path[PATH_MAX];
	struct lab lab;

	NEED_SANDBOX();
	lab_open(&lab, two);
	put_text(lab.config, "");
	cr_assert_eq(proc_start(&lab.broker, &lab.world.client,
				(const char *[]){
					"setpriv", "--bounding-set", "-all,+net_admin",
					"--inh-caps", "-all", "--",
					built("mptcpaddrd", path, sizeof(path)), "-u",
					"-c", lab.config, "-s", lab.dir, NULL },
				NULL),
		     0);
	cr_assert(WAIT_FOR(broker_said(&lab, "serving programs")), "%s",
		  proc_errors(&lab.broker));
	status_says(&lab, "CapEff", "0000000000001000");
	status_says(&lab, "CapBnd", "0000000000001000");
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* An /etc of this test alone, with users and groups. */
static void own_etc(void)
{
	static const char *const names[] = { "passwd", "group" };
	char from[32], command[128];

	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "/run/etc-%s", names[i]);
		snprintf(command, sizeof(command), "/etc/%s", names[i]);
		cr_assert_eq(proc_run(NULL, NULL,
				      (const char *[]){ "cp", command, from, NULL }),
			     0);
	}
	cr_assert_eq(mount("tmpfs", "/etc", "tmpfs", 0, "mode=0755"), 0);
	snprintf(command, sizeof(command),
		 "cp /run/etc-passwd /etc/passwd; cp /run/etc-group /etc/group; "
		 "mkdir -m 755 /etc/mptcpaddr");
	cr_assert_eq(proc_run(NULL, NULL, (const char *[]){ "sh", "-c", command, NULL }),
		     0);
}

Test(sandbox, pools_no_means_the_administrators_pools)
{
	struct proc client;
	struct lab lab;
	char *pairs;

	NEED_USERS();
	lab_open(&lab, two);
	own_etc();
	put_text("/etc/mptcpaddr/tcpclient.conf",
		 "[pool]\nendpoint = 10.0.4.2 laminar\n");
	put_text("/etc/mptcpaddr/default.conf", "[pool]\nendpoint = 10.0.9.9 laminar\n");
	lab_broker(&lab, "[users]\npools = no\n");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1));
	nap_ms(200);
	pairs = pairs_text(&lab.world.client, 0, false);
	cr_expect(!strncmp(pairs, "10.0.4.2-", 9) && !strchr(pairs, ' '), "%s", pairs);
	free(pairs);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

static size_t subflows_left(const struct lab *lab)
{
	struct subflows s = { 0 };
	size_t n;

	cr_assert_eq(subflows_read(&lab->world.client, &s), 0);
	n = s.count;
	subflows_free(&s);
	return n;
}

Test(sandbox, limits_of_a_connection_and_of_a_user)
{
	struct proc clients[3];
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, two);
	lab_broker(&lab, "[users]\nsubflows = 1\nsubflows_per_user = 2\n");
	for (int i = 0; i < 3; i++) {
		lab_start(&lab, &clients[i], ALICE, lab.pool, tcpclient_argv);
		cr_assert(WAIT_FOR(proc_said(&clients[i], "connected 1\n")));
		/* one each, two in total */
		WAIT_FOR(joined_count(&lab.world.client) == (i < 2 ? i + 1 : 2));
		nap_ms(200);
		cr_expect_eq(joined_count(&lab.world.client), i < 2 ? i + 1 : 2,
			     "%d joins of %d connections",
			     joined_count(&lab.world.client), i + 1);
	}
	/* The third one gets the subflow of the first at its next try. */
	proc_end(&clients[0]);
	cr_expect(WAIT_FOR(subflows_left(&lab) == 4 &&
			   joined_count(&lab.world.client) == 2));
	for (int i = 1; i < 3; i++)
		proc_end(&clients[i]);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Routing picks the first subflow's address, which has local ID 0. */
Test(sandbox, quota_is_given_back_by_joins_of_local_id_0)
{
	const struct endpoint_spec e = { "10.0.1.9", .flags = EP_SIGNAL };
	const char *const none[] = { NULL };
	struct proc client;
	struct lab lab;
	char *pairs;

	NEED_USERS();
	lab_open(&lab, none);
	cr_assert_eq(host_ip(&lab.world.server, "address add 10.0.1.9/24 dev s1\n"), 0);
	put_text(lab.pool, "[pool]\n");
	lab_broker(&lab, "[users]\nsubflows_per_user = 1\n");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(proc_said(&client, "connected 1\n")));
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(endpoint_add(&lab.world.server, &e), 0);
		cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1), "join %d", i);
		pairs = pairs_text(&lab.world.client, 0, false);
		cr_expect_str_eq(pairs, "10.0.1.2-10.0.1.9");
		free(pairs);
		cr_assert_eq(endpoint_del(&lab.world.server, e.addr), 0);
		cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 0));
	}
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}
