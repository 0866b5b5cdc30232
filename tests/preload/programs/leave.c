// SPDX-License-Identifier: MIT
/*
 * leave.c - end the main thread first; another thread then ends the process
 *
 * leave ADDRESS PORT [late|cancel|raw]: the main thread connects and ends; it ends, and
 * the other connects; it connects, and the other cancels it; it connects, and ends
 * without libc, the only thread. stdio keeps the output until the exit() of the last
 * thread.
 */
#include "program.h"

#include <pthread.h>
#include <sys/syscall.h>

#define IDLE_SECONDS 7 /* until the manager has checked the main thread */

static pthread_t first;
static char **args;
static bool late, cancel;

static void at_exit(void)
{
	printf("exit, open descriptors:\n");
	show_fds("exit");
}

static void *stay(void *arg)
{
	usleep(200000);
	if (cancel)
		pthread_cancel(first);
	if (cancel)
		sleep(IDLE_SECONDS);
	if (late)
		echo(tcp_to(args[1], args[2]), "hello");
	printf("the last thread ends\n");
	return NULL;
}

int main(int argc, char *argv[])
{
	pthread_t thread;

	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	atexit(at_exit);
	args = argv;
	first = pthread_self();
	late = argc > 3 && !strcmp(argv[3], "late");
	cancel = argc > 3 && !strcmp(argv[3], "cancel");
	if (!late)
		echo(tcp_to(argv[1], argv[2]), "hello");
	if (argc > 3 && !strcmp(argv[3], "raw"))
		syscall(SYS_exit, 5);
	if (pthread_create(&thread, NULL, stay, NULL))
		return 1;
	while (cancel)
		pause();
	pthread_exit(NULL);
}
