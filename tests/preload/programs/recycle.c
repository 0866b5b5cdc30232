// SPDX-License-Identifier: MIT
/*
 * recycle.c - reuse descriptor 2 for a file, before or after connecting
 *
 * recycle before|after ADDRESS PORT FILE MARKER. Nothing is printed to that file.
 */
#include "program.h"

static void recycle(const char *path)
{
	close(2);
	if (open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) != 2)
		_exit(3);
}

int main(int argc, char *argv[])
{
	char byte;
	int sock;

	if (argc < 6)
		return 2;
	alarm(PROGRAM_SECONDS);
	if (!strcmp(argv[1], "before"))
		recycle(argv[4]);
	sock = tcp_to(argv[2], argv[3]);
	if (!strcmp(argv[1], "after"))
		recycle(argv[4]);
	echo(sock, "hello");
	mark(argv[5]);
	return read(sock, &byte, 1) < 0;
}
