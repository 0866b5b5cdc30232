// SPDX-License-Identifier: MIT
/*
 * year.c - a client that allocates memory and prints the year: year ADDRESS PORT [MARKER]
 */
#include "program.h"

#include <time.h>

int main(int argc, char *argv[])
{
	char *blocks[100], byte;
	time_t now = time(NULL);
	struct tm tm;
	int fd;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	for (int i = 0; i < 100; i++)
		blocks[i] = calloc(1, 1 << (i % 16));
	fd = tcp_to(argv[1], argv[2]);
	echo(fd, "hello");
	for (int i = 0; i < 100; i++)
		free(blocks[i]);
	printf("year %d\n", localtime_r(&now, &tm)->tm_year + 1900);
	fflush(stdout);
	if (argc > 3) {
		mark(argv[3]);
		return read(fd, &byte, 1) < 0;
	}
	return 0;
}
