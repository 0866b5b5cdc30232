// SPDX-License-Identifier: MIT
/*
 * hasty.c - end right after connect(): hasty ADDRESS PORT [nonblock]
 */
#include "program.h"

int main(int argc, char *argv[])
{
	struct sockaddr_storage to;
	socklen_t len;
	int fd;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	len = parse(argv[1], argv[2], &to);
	fd = socket(to.ss_family, SOCK_STREAM | (argc > 3 ? SOCK_NONBLOCK : 0), 0);
	if (fd < 0 ||
	    (connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS))
		_exit(1);
	_exit(0);
}
