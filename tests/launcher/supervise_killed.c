// SPDX-License-Identifier: MIT
/*
 * supervise_killed.c - supervised programs and processes of the supervisor are killed
 */
#include "launcher.h"
#include "until.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN "@mptcpaddr", "run"

static ino_t bench_net; /* other tests run in the same PID namespace */

static ino_t net_of(const char *pid)
{
	struct stat st = { 0 };
	char path[300];

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	stat(path, &st);
	return st.st_ino;
}

/* A living task of this bench with this name; 0: there is none. */
static pid_t find_task(const char *name)
{
	struct dirent *entry;
	char path[300], text[256], expected[32];
	DIR *dir = opendir("/proc");
	pid_t pid = 0;
	int fd;

	snprintf(expected, sizeof(expected), "(%s) ", name);
	while (!pid && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		fd = atoi(entry->d_name) && net_of(entry->d_name) == bench_net
			     ? open(path, O_RDONLY | O_CLOEXEC)
			     : -1;
		memset(text, 0, sizeof(text));
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
		    strstr(text, expected) && strstr(text, ") ")[2] != 'Z')
			pid = atoi(entry->d_name);
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
	return pid;
}

static const char *number(pid_t pid)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return text;
}

static const char *const roles[] = { "mptcpaddr-keep", "mptcpaddr", "socket-guard" };

static bool all_roles(void)
{
	return find_task(roles[0]) && find_task(roles[1]) && find_task(roles[2]);
}

static bool no_role(void)
{
	return !find_task(roles[0]) && !find_task(roles[1]) && !find_task(roles[2]);
}

static void tick(struct proc *p, int *ticks, const char *words)
{
	char expected[2048] = "", *said;
	int i;

	cr_assert_eq(proc_tell(p, "go"), 0);
	++*ticks;
	cr_assert(WAIT_FOR(({
		said = proc_output(p);
		int n = count(said, "\n");
		free(said);
		n == *ticks;
	})));
	said = proc_output(p);
	for (i = strlen(said) - 1; i > 0 && said[i - 1] != '\n'; i--)
		;
	snprintf(expected, sizeof(expected), "protocol %s\n", words);
	cr_assert_str_eq(said + i, expected);
	free(said);
}

static pid_t kill_role(int i, int sig)
{
	const pid_t pid = find_task(roles[i]);

	if (pid)
		kill(pid, sig);
	return pid;
}

/* The first @n roles. Return: whether there was none. */
static bool kill_roles(int n)
{
	bool none = true;
	int i;

	for (i = 0; i < n; i++)
		none &= !kill_role(i, SIGKILL);
	return none;
}

/* A stand-in is replaced for the next socket. */
static bool revived(struct proc *program, int *ticks)
{
	tick(program, ticks, "262");
	return all_roles();
}

/* Whichever process of the supervisor is killed, another one replaces it. */
Test(supervise_killed, program_survives_each_of_its_processes, TIMEOUT)
{
	int ticks = 0, round;
	pid_t killed;
	struct proc program;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "default.conf", "[pool]\nendpoint = 10.0.1.2\n");
	start(&b, &program, NULL, ARGS(RUN, "@@supervised", "tick"));
	bench_net = net_of(number(program.pid));
	tick(&program, &ticks, "262");
	for (round = 0; round < 12; round++) {
		cr_assert(WAIT_FOR(revived(&program, &ticks)));
		killed = kill_role(round % 3, SIGKILL);
		tick(&program, &ticks, "262");
		cr_assert(WAIT_FOR(net_of(number(killed)) != bench_net));
	}
	/* All that "pkill -f mptcpaddr" finds, before one of them can replace another. */
	cr_assert(WAIT_FOR(revived(&program, &ticks)));
	shell(&b, "! pgrep -f mptcpaddr | grep -qx $(pgrep -x socket-guard)");
	kill_role(2, SIGSTOP);
	cr_assert(WAIT_FOR(kill_roles(2)));
	kill_role(2, SIGCONT);
	cr_assert(WAIT_FOR(revived(&program, &ticks)));
	/* The keeper's process group. */
	kill(-getpgid(find_task(roles[0])), SIGKILL);
	tick(&program, &ticks, "262");
	cr_assert(WAIT_FOR(revived(&program, &ticks)));
	/* Nobody is left to answer: the kernel does, with ENOSYS. */
	kill_role(0, SIGSTOP);
	cr_assert(WAIT_FOR(kill_roles(3)));
	tick(&program, &ticks, "-38");
	proc_eof(&program);
	cr_expect_eq(proc_wait(&program, EFFECT_MS), 0);
	bench_close(&b);
}

Test(supervise_killed, flood_survives_killed_keepers, TIMEOUT)
{
	struct proc program;
	struct bench b;
	char *said;
	int i;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "default.conf", "[pool]\nendpoint = 10.0.1.2\n");
	start(&b, &program, NULL, ARGS(RUN, "@@supervised", "flood", "8", "2000"));
	bench_net = net_of(number(program.pid));
	for (i = 0; i < 10 && proc_wait(&program, 20) == -ETIMEDOUT; i++)
		if (all_roles())
			kill_role(0, SIGKILL);
	cr_expect_eq(proc_wait(&program, EFFECT_MS), 0);
	said = proc_output(&program);
	cr_expect(!strncmp(said, "failed 0 ", 9), "%s", said);
	free(said);
	bench_close(&b);
}

/* Signals and job control are between the shell and the program. */
Test(supervise_killed, supervisor_ends_with_its_program, TIMEOUT)
{
	struct proc program;
	struct bench b;
	int ticks = 0;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "default.conf", "[pool]\nendpoint = 10.0.1.2\n");
	start(&b, &program, NULL, ARGS(RUN, "@@supervised", "tick"));
	bench_net = net_of(number(program.pid));
	tick(&program, &ticks, "262");
	cr_expect_eq(kill(program.pid, SIGSTOP), 0);
	cr_expect_eq(proc_tell(&program, "go"), 0);
	nap_ms(50);
	cr_expect_eq(kill(program.pid, SIGCONT), 0);
	ticks++;
	tick(&program, &ticks, "262");
	cr_assert(WAIT_FOR(all_roles()));
	cr_expect_neq(getsid(find_task(roles[0])), getsid(program.pid));
	kill(program.pid, SIGKILL);
	cr_expect_eq(proc_wait(&program, EFFECT_MS), 128 + SIGKILL);
	cr_expect(WAIT_FOR(no_role()));
	bench_close(&b);
}
