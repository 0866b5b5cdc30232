// SPDX-License-Identifier: MIT
/*
 * twice.c - connect, load LIBRARY once more, and connect through that copy, too:
 * twice HOW LIBRARY ADDRESS PORT
 *
 * Prints the number of threads. Ends when its standard input does.
 */
#include "program.h"

#include <dlfcn.h>

int main(int argc, char *argv[])
{
	typedef int (*socket_fn)(int, int, int);
	typedef int (*connect_fn)(int, const struct sockaddr *, socklen_t);
	struct sockaddr_storage to;
	void *library;
	socklen_t len;
	char byte;
	int fd;

	if (argc < 5)
		return 2;
	alarm(PROGRAM_SECONDS);
	echo(tcp_to(argv[3], argv[4]), "first");
	library = !strcmp(argv[1], "dlmopen") ? dlmopen(LM_ID_NEWLM, argv[2], RTLD_NOW)
					      : dlopen(argv[2], RTLD_NOW);
	if (!library)
		die(dlerror());
	len = parse(argv[3], argv[4], &to);
	fd = ((socket_fn)dlsym(library, "socket"))(to.ss_family, SOCK_STREAM, 0);
	if (fd < 0 || ((connect_fn)dlsym(library, "connect"))(fd, (void *)&to, len) < 0)
		die("connect");
	echo(fd, "second");
	printf("threads %d\n", threads());
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
