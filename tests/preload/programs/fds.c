// SPDX-License-Identifier: MIT
/*
 * fds.c - show the descriptors before, while and after connecting: fds ADDRESS PORT
 */
#include "program.h"

int main(int argc, char *argv[])
{
	int socks[3], low;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	show_fds("before");
	for (int i = 0; i < 3; i++) {
		socks[i] = tcp_to(argv[1], argv[2]);
		echo(socks[i], "hello");
		show_fds("connected");
		low = open("/dev/null", O_RDONLY);
		printf("next %d\n", low);
		close(low);
	}
	usleep(200000); /* a manager would have started */
	show_fds("later");
	for (int i = 0; i < 3; i++)
		close(socks[i]);
	show_fds("closed");
	return 0;
}
