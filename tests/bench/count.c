// SPDX-License-Identifier: MIT
/*
 * count.c - the instructions and system calls of a program, by ptrace
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

#define SYSCALL_STOP (SIGTRAP | 0x80) /* as of PTRACE_O_TRACESYSGOOD */

/* The executable part of an object: without randomisation, in each run at one place. */
struct range {
	unsigned long from, to;
};

static _Noreturn void become(const struct cost_run *run)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	personality(ADDR_NO_RANDOMIZE);
	dup2(null, STDOUT_FILENO);
	if ((run->host && host_enter(run->host) < 0) ||
	    ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(126);
	execve(run->argv[0], (char *const *)run->argv, (char *const *)run->env);
	_exit(127);
}

/* Return: the child, stopped after its execve(); -errno. */
static pid_t start(const struct cost_run *run)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		become(run);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	if (!WIFSTOPPED(status))
		return -ECHILD;
	return ptrace(PTRACE_SETOPTIONS, pid, NULL, options) < 0 ? -errno : pid;
}

static void find_range(pid_t pid, const char *object, struct range *range)
{
	char path[64], line[4096 + 128], *end;
	FILE *f;

	if (!object || range->to)
		return;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		end = strchr(line, '/');
		if (!end || !strstr(line, " r-xp ") ||
		    strcspn(end, "\n") != strlen(object) ||
		    strncmp(end, object, strlen(object)) != 0)
			continue;
		sscanf(line, "%lx-%lx", &range->from, &range->to);
		break;
	}
	if (f)
		fclose(f);
}

static bool is_within(pid_t pid, const struct range *range)
{
	unsigned long at = 0;

#ifdef __x86_64__ /* elsewhere nobody asks */
	at = ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), NULL);
#endif
	return at && at >= range->from && at < range->to;
}

/*
 * Run it to its end, and count the stops of @request, by phase: system calls, while the
 * range of the object is looked for, or steps, in @own those within that range.
 */
static int trace(const struct cost_run *run, int request, struct range *range,
		 long stops[COST_PHASES], long own[COST_PHASES])
{
	const bool steps = request == PTRACE_SINGLESTEP;
	const int counted = steps ? SIGTRAP : SYSCALL_STOP;
	int status, stop, sig = 0, phase = 0;
	pid_t pid = start(run);
	bool skip;

	if (pid < 0)
		return pid;
	for (;;) {
		skip = steps && phase < run->from;
		if (ptrace(skip ? PTRACE_CONT : request, pid, NULL, sig) < 0 ||
		    waitpid(pid, &status, 0) < 0)
			return -errno;
		if (!WIFSTOPPED(status))
			break;
		stop = WSTOPSIG(status);
		sig = 0;
		if (!steps)
			find_range(pid, run->object, range);
		if (stop == counted) {
			stops[phase]++;
			own[phase] += steps && range->to && is_within(pid, range);
		} else if (stop == COST_MARK && phase < COST_PHASES - 1) {
			phase++;
		} else if (stop != SIGTRAP) {
			sig = stop;
		}
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

int count_cost(const struct cost_run *run, struct cost ret[COST_PHASES])
{
	long instructions[COST_PHASES] = { 0 }, stops[COST_PHASES] = { 0 };
	long own[COST_PHASES] = { 0 };
	struct range range = { 0 };
	cpu_set_t before, here;
	int r;

	/* Each step switches between two processes: fastest on one processor. */
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_getaffinity(0, sizeof(before), &before) < 0 ||
	    sched_setaffinity(0, sizeof(here), &here) < 0)
		return -errno;
	r = trace(run, PTRACE_SYSCALL, &range, stops, own);
	if (!r && run->object && !range.to)
		r = -ENOENT;
	if (!r)
		r = trace(run, PTRACE_SINGLESTEP, &range, instructions, own);
	sched_setaffinity(0, sizeof(before), &before);
	if (r < 0)
		return r;
	for (int i = 0; i < COST_PHASES; i++) {
		ret[i].instructions = instructions[i];
		ret[i].own = own[i];
		/* One on the way in, one on the way out. */
		ret[i].syscalls = stops[i] / 2.0;
	}
	return 0;
}
