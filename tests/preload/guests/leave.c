// SPDX-License-Identifier: MIT
/*
 * leave.c - a program whose main thread ends before another, which ends the process
 *
 * leave ADDRESS PORT
 *
 * What it prints stays in the buffer of stdio until the exit() of the last thread.
 */
#include "guest.h"

#include <pthread.h>

static void at_exit(void)
{
	printf("exit, open descriptors:\n");
	show_fds("exit");
}

static void *stay(void *arg)
{
	usleep(200000);
	printf("the last thread ends\n");
	return NULL;
}

int main(int argc, char *argv[])
{
	pthread_t thread;

	if (argc < 3)
		return 2;
	alarm(GUEST_SECONDS);
	atexit(at_exit);
	echo(tcp_to(argv[1], argv[2]), "hello");
	if (pthread_create(&thread, NULL, stay, NULL))
		return 1;
	pthread_exit(NULL);
}
