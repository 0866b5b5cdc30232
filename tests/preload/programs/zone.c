// SPDX-License-Identifier: MIT
/*
 * zone.c - set a time zone after the first connection: zone ADDRESS PORT [FILE]
 *
 * With FILE, wait for it before. Prints the hours by which localtime_r() differs from
 * UTC.
 */
#include "program.h"

#include <time.h>

int main(int argc, char *argv[])
{
	const time_t now = time(NULL);
	struct tm tm;
	int fd;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	fd = tcp_to(argv[1], argv[2]);
	echo(fd, "hello");
	while (argc > 3 && access(argv[3], F_OK))
		poll(NULL, 0, 5);
	setenv("TZ", "XYZ-5", 1);
	localtime_r(&now, &tm);
	printf("%ld\n", (tm.tm_hour - now / 3600 % 24 + 24) % 24);
	return close(fd);
}
