// SPDX-License-Identifier: MIT
/*
 * latch.c - retry a first socket() that found no free descriptor: latch ADDRESS PORT
 */
#include "program.h"

#include <sys/resource.h>

int main(int argc, char *argv[])
{
	struct rlimit limit = { 32, 32 };

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	setrlimit(RLIMIT_NOFILE, &limit);
	while (dup(0) >= 0)
		;
	printf("socket %d", socket(AF_INET, SOCK_STREAM, 0));
	printf(" %s\n", error_name(errno));
	closefrom(3);
	echo(tcp_to(argv[1], argv[2]), "hello");
	return 0;
}
