// SPDX-License-Identifier: MIT
/*
 * slice.c - a short scheduling slice for the thread that answers an ADD_ADDR
 *
 * The kernel's wake-up carries the scheduler's sync hint, so the manager would wait until
 * the program that runs there has used its slice. Since Linux 6.12 (EEVDF), a thread that
 * asks for a shorter one preempts it; earlier kernels ignore the request. It applies to
 * the calling thread alone, whose policy and nice value stay.
 */
#include "slice.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLICE_NS    100000 /* the shortest (kernel/sched/syscalls.c) */
#define STATUS_SIZE 4096

/* sched_setattr(2), SCHED_ATTR_SIZE_VER0; glibc has it since 2.41 */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

/* By a file: a filter may kill for prctl(PR_GET_SECCOMP), too. */
static bool seccomp_is_off(void)
{
	static const char line[] = "\nSeccomp:\t";
	const int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
	const char *mode;
	char text[STATUS_SIZE];
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n < 0)
		return false;
	text[n] = '\0';
	mode = strstr(text, line);
	/* A kernel without seccomp has no such line. */
	return mode ? mode[sizeof(line) - 1] == '0' : n < STATUS_SIZE - 1;
}

void slice_shorten(void)
{
	struct attr attr;

	if (!seccomp_is_off() ||
	    syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0 ||
	    attr.policy != SCHED_OTHER)
		return;
	attr.runtime = SLICE_NS;
	syscall(SYS_sched_setattr, 0, &attr, 0);
}
