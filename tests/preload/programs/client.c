// SPDX-License-Identifier: MIT
/*
 * client.c - a minimal TCP client: client ADDRESS PORT [TEXT]
 */
#include "program.h"

int main(int argc, char *argv[])
{
	int fd;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	fd = tcp_to(argv[1], argv[2]);
	echo(fd, argc > 3 ? argv[3] : "hello");
	close(fd);
	return 0;
}
