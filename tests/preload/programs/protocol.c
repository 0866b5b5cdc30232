// SPDX-License-Identifier: MIT
/*
 * protocol.c - a client that shows whether it runs in secure-execution mode
 *
 * protocol ADDRESS PORT: connects, echoes, then waits for the end of standard input.
 */
#include "program.h"

#include <sys/auxv.h>

int main(int argc, char *argv[])
{
	char byte;
	int fd;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	printf("AT_SECURE %lu\n", getauxval(AT_SECURE));
	fd = tcp_to(argv[1], argv[2]);
	echo(fd, "hello");
	printf("threads %d\n", threads());
	printf("done\n");
	fflush(stdout);
	return read(0, &byte, 1) < 0;
}
