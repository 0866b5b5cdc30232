// SPDX-License-Identifier: MIT
/*
 * supervise_programs.c - real programs under the supervisor, and a shell's job control
 */
#include "counter.h"
#include "endpoint.h"
#include "launcher.h"
#include "until.h"

#include <stdio.h>
#include <unistd.h>

#define RUN  "@mptcpaddr", "run"
#define USER "setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups"

static void open_shaped(struct bench *b)
{
	static const char rates[] =
		"for dev in %s; do tc qdisc add dev $dev root tbf rate "
		"40mbit burst 64k latency 100ms; done";
	char command[256];

	bench_open(b);
	/* Slow enough that joins come before the end, whatever else the machine does. */
	for (int i = 0; i < 2; i++) {
		snprintf(command, sizeof(command), rates, i ? "s1 s2 s3" : "c1 c2 c3");
		cr_assert_eq(proc_run(i ? &b->world.server : &b->world.client, NULL,
				      ARGS("/bin/sh", "-c", command)),
			     0);
	}
	shell(b, "mkdir -m 777 /run/www /run/repository /run/me; "
		 "head -c 6000000 /dev/urandom >/run/www/f");
}

static void kernel_announces(const struct host *host)
{
	cr_assert_eq(host_path_manager(host, PM_KERNEL), 0);
	cr_assert_eq(limits_set(host, 8, 8), 0);
	for (int i = 2; i <= 3; i++) {
		struct endpoint_spec e = { .addr = i == 2 ? "10.0.2.1" : "10.0.3.1",
					   .flags = EP_SIGNAL };

		cr_assert_eq(endpoint_add(host, &e), 0);
	}
}

Test(supervise_programs, godebug_keeps_what_it_holds, TIMEOUT)
{
	static const char *const lists[][2] = {
		{ "GODEBUG=", "GODEBUG=multipathtcp=1\n" },
		{ "GODEBUG=netdns=go", "GODEBUG=netdns=go,multipathtcp=1\n" },
		{ "GODEBUG=multipathtcp=0", "GODEBUG=multipathtcp=0\n" },
	};
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	for (int i = 0; i < 3; i++)
		says(&b, ARGS("env", "HOME=/run", lists[i][0], RUN, "caddy", "environ"),
		     0, lists[i][1]);
	bench_close(&b);
}

/* On the server: a Go program with MPTCP, and the kernel's path manager. */
static void serve(const struct host *host, struct proc *p, const char *const argv[],
		  int port)
{
	cr_assert_eq(proc_start(p, host, argv, NULL), 0);
	cr_assert(WAIT_FOR(host_listens(host, port)), "%s", proc_errors(p));
}

/* Two joins are answered while it runs. */
static void succeeds(struct bench *b, bool user, const char *command)
{
	const int64_t before = counter(&b->world.client, "MPJoinSynAckRx");
	static const char *const env[] = { "HOME=/run/me", "RESTIC_PASSWORD=x", NULL };
	char text[512];
	struct said said;

	snprintf(text, sizeof(text), "exec %s%s run %s",
		 user ? "setpriv --reuid 1000 --regid 1000 --clear-groups " : "",
		 path_of("mptcpaddr"), command);
	said = run(b, env, ARGS("/bin/sh", "-c", text));
	cr_expect_eq(said.status, 0, "%s: %s%s", command, said.out, said.err);
	cr_expect(!strstr(said.err, WARNING), "%s: %s", command, said.err);
	cr_expect_geq(counter(&b->world.client, "MPJoinSynAckRx"), before + 2, "%s",
		      command);
	said_free(&said);
}

#define URL	   "http://10.0.1.1:8081/f"
#define REPOSITORY "restic -r rest:http://10.0.1.1:8082/ "

static void transfer(bool user)
{
	struct proc caddy, rclone, broker;
	struct bench b;

	open_shaped(&b);
	user_pool(&b, "default.conf",
		  "[pool]\nendpoint = 10.0.1.2\nendpoint = 10.0.2.2\n"
		  "endpoint = 10.0.3.2\n");
	kernel_announces(&b.world.server);
	if (user)
		start_broker(&b, &broker);
	serve(&b.world.server, &caddy,
	      ARGS(path_of("mptcpaddr"), "run", "caddy", "file-server", "--listen",
		   ":8081", "--root", "/run/www"),
	      8081);
	serve(&b.world.server, &rclone,
	      ARGS(path_of("mptcpaddr"), "run", "rclone", "serve", "restic", "--addr",
		   ":8082", "/run/repository"),
	      8082);
	succeeds(&b, user, "busybox wget -q -O /run/me/got " URL);
	shell(&b, "cmp /run/me/got /run/www/f");
	succeeds(&b, user, "rclone copyurl " URL " /run/me/copied");
	shell(&b, "cmp /run/me/copied /run/www/f");
	succeeds(&b, user, REPOSITORY "init");
	succeeds(&b, user, REPOSITORY "backup /run/www");
	succeeds(&b, user, REPOSITORY "restore latest --target /run/me/restored");
	shell(&b, "cmp /run/me/restored/run/www/f /run/www/f");
	proc_end(&rclone);
	proc_end(&caddy);
	if (user)
		proc_end(&broker);
	bench_close(&b);
}

Test(supervise_programs, transfers_have_three_paths, .timeout = 120)
{
	NEED_SANDBOX();
	transfer(false);
}

Test(supervise_programs, users_transfers_have_them_with_the_broker, .timeout = 120)
{
	NEED_USERS();
	transfer(true);
}

/* caddy with a pool that announces; its client leaves all to its kernel. */
static void serve_files(bool user)
{
	const char *as[] = { USER, "env", "HOME=/run/me", NULL };
	const char *argv[20], **arg = argv;
	struct proc caddy, broker;
	struct bench b;

	open_shaped(&b);
	user_pool(&b, "caddy.conf",
		  "[pool]\nendpoint = 10.0.2.2 signal\nendpoint = 10.0.3.2 signal\n");
	cr_assert_eq(host_path_manager(&b.world.server, PM_KERNEL), 0);
	cr_assert_eq(limits_set(&b.world.server, 8, 8), 0);
	if (user)
		start_broker(&b, &broker);
	for (int i = user ? 0 : 6; as[i]; i++)
		*arg++ = as[i];
	memcpy(arg,
	       ARGS(RUN, "caddy", "file-server", "--listen", ":8081", "--root",
		    "/run/www"),
	       9 * sizeof(*arg));
	start(&b, &caddy, NULL, argv);
	cr_assert(WAIT_FOR(host_listens(&b.world.client, 8081)), "%s",
		  proc_errors(&caddy));
	cr_expect_eq(proc_run(&b.world.server, NULL,
			      ARGS("mptcpize", "run", "curl", "-sSo", "/run/me/got",
				   "http://10.0.1.2:8081/f")),
		     0);
	shell(&b, "cmp /run/me/got /run/www/f");
	cr_expect_geq(counter(&b.world.server, "MPJoinSynAckRx"), 2);
	proc_end(&caddy);
	if (user)
		proc_end(&broker);
	bench_close(&b);
}

Test(supervise_programs, server_announces_its_pool, TIMEOUT)
{
	NEED_SANDBOX();
	serve_files(false);
}

Test(supervise_programs, users_server_announces_it_with_the_broker, TIMEOUT)
{
	NEED_USERS();
	serve_files(true);
}

/* Type @keys, and wait until the terminal has shown @words @times times in all. */
static void type(struct proc *terminal, const char *keys, const char *words, int times)
{
	char *said;

	cr_assert_eq(proc_tell(terminal, keys), 0);
	cr_assert(WAIT_FOR(({
			  int n;

			  said = proc_output(terminal);
			  n = count(said, words);
			  free(said);
			  n >= times;
		  })),
		  "after \"%s\", not %d times \"%s\": %s", keys, times, words,
		  proc_output(terminal));
}

#define CTRL_C "\003"
#define CTRL_Z "\032"

static void control_jobs(struct bench *b, const char *program, const char *protocol)
{
	struct proc terminal;

	start(b, &terminal, ARGS("TERM=dumb"),
	      ARGS("script", "-qc", "bash --norc -i", "/dev/null"));
	type(&terminal, "stty -echo; PS1='<$?>'", "<0>", 1);
	cr_assert_eq(proc_tell(&terminal, program), 0);
	type(&terminal, "go", protocol, 1);
	type(&terminal, CTRL_Z, "Stopped", 1);
	type(&terminal, "fg", "tick", 2);
	type(&terminal, "go", protocol, 2);
	type(&terminal, CTRL_Z, "Stopped", 2);
	/* It reads from the terminal: SIGTTIN. */
	type(&terminal, "bg; sleep 0.2; jobs; kill -CONT %1", "Stopped", 3);
	type(&terminal, "fg", "tick", 4);
	type(&terminal, "go", protocol, 3);
	type(&terminal, CTRL_C, "<130>", 1);
	proc_end(&terminal);
}

Test(supervise_programs, job_control_is_native, TIMEOUT)
{
	char command[2 * PATH_MAX];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	snprintf(command, sizeof(command), "%s tick",
		 path_of("tests/launcher-progs/supervised"));
	control_jobs(&b, command, "protocol 6");
	snprintf(command, sizeof(command), "%s run %s tick", path_of("mptcpaddr"),
		 path_of("tests/launcher-progs/supervised"));
	control_jobs(&b, command, "protocol 262");
	bench_close(&b);
}
