// SPDX-License-Identifier: MIT
/*
 * count.c - the instructions and system calls of a program, by ptrace
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL_STOP (SIGTRAP | 0x80) /* as of PTRACE_O_TRACESYSGOOD */

static _Noreturn void become(const char *const argv[], const char *const env[])
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	personality(ADDR_NO_RANDOMIZE);
	dup2(null, STDOUT_FILENO);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(126);
	execve(argv[0], (char *const *)argv, (char *const *)env);
	_exit(127);
}

/* Return: the child, stopped after its execve(); -errno. */
static pid_t start(const char *const argv[], const char *const env[])
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		become(argv, env);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	if (!WIFSTOPPED(status))
		return -ECHILD;
	return ptrace(PTRACE_SETOPTIONS, pid, NULL, options) < 0 ? -errno : pid;
}

/* Run it to its end, and count the stops of @request, by phase. */
static int trace(const char *const argv[], const char *const env[], int request,
		 long stops[COST_PHASES])
{
	const int counted = request == PTRACE_SYSCALL ? SYSCALL_STOP : SIGTRAP;
	int status, stop, sig = 0, phase = 0;
	pid_t pid = start(argv, env);

	memset(stops, 0, COST_PHASES * sizeof(*stops));
	if (pid < 0)
		return pid;
	for (;;) {
		if (ptrace(request, pid, NULL, sig) < 0 || waitpid(pid, &status, 0) < 0)
			return -errno;
		if (!WIFSTOPPED(status))
			break;
		stop = WSTOPSIG(status);
		sig = 0;
		if (stop == counted)
			stops[phase]++;
		else if (stop == COST_MARK && phase < COST_PHASES - 1)
			phase++;
		else if (stop != SIGTRAP)
			sig = stop;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

int count_cost(const char *const argv[], const char *const env[],
	       struct cost ret[COST_PHASES])
{
	long instructions[COST_PHASES], stops[COST_PHASES];
	int r;

	r = trace(argv, env, PTRACE_SINGLESTEP, instructions);
	if (!r)
		r = trace(argv, env, PTRACE_SYSCALL, stops);
	if (r < 0)
		return r;
	for (int i = 0; i < COST_PHASES; i++) {
		ret[i].instructions = instructions[i];
		/* One on the way in, one on the way out. */
		ret[i].syscalls = stops[i] / 2.0;
	}
	return 0;
}
