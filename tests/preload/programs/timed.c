// SPDX-License-Identifier: MIT
/*
 * timed.c - how long connect() takes: timed ADDRESS PORT COUNT
 *
 * Prints the microseconds of the first one and of the slowest later one, then stays.
 */
#include "program.h"

#include <time.h>

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int main(int argc, char *argv[])
{
	long first = 0, slowest = 0, took;
	int i, fd;

	if (argc < 4)
		return 2;
	alarm(PROGRAM_SECONDS);
	for (i = 0; i < atoi(argv[3]); i++) {
		took = -now_us();
		fd = tcp_to(argv[1], argv[2]);
		took += now_us();
		echo(fd, "hello");
		if (!i)
			first = took;
		else if (took > slowest)
			slowest = took;
	}
	printf("first %ld later %ld\n", first, slowest);
	fflush(stdout);
	pause();
	return 0;
}
