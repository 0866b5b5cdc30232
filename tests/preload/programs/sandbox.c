// SPDX-License-Identifier: MIT
/*
 * sandbox.c - connect under a filter that kills for each call which this program does not
 * make itself, as `chronyd -F 1` does: sandbox ADDRESS PORT
 */
#include "program.h"

#include <seccomp.h>

static const int calls[] = {
	SCMP_SYS(alarm),      SCMP_SYS(brk),	    SCMP_SYS(close),
	SCMP_SYS(connect),    SCMP_SYS(read),	    SCMP_SYS(write),
	SCMP_SYS(newfstatat), SCMP_SYS(getsockopt), SCMP_SYS(mmap),
	SCMP_SYS(munmap),     SCMP_SYS(openat),	    SCMP_SYS(socket),
	SCMP_SYS(exit_group),
};

int main(int argc, char *argv[])
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	char got = 0;
	int fd;

	alarm(PROGRAM_SECONDS);
	if (argc != 3 || !filter)
		return 2;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	errno = PRESET_ERRNO;
	printf("load %d", seccomp_load(filter));
	printf(" errno %d\n", errno);
	fd = tcp_to(argv[1], argv[2]);
	if (write(fd, "x", 1) != 1 || read(fd, &got, 1) != 1)
		die("echo");
	printf("%c\n", got);
	return 0;
}
