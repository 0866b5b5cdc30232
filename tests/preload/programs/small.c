// SPDX-License-Identifier: MIT
/*
 * small.c - connect with little stack: small ADDRESS PORT
 *
 * In a thread of the smallest size, then in a signal handler on its own stack, each in a
 * process that has not connected before.
 */
#include "program.h"

#include <pthread.h>

#define HANDLER_STACK (16 * 1024)

static const char *address, *port;

static void *connect_and_close(void *arg)
{
	int fd = tcp_to(address, port);

	if (write(fd, "x", 1) != 1)
		die("write");
	close(fd);
	return NULL;
}

static void on_signal(int number)
{
	connect_and_close(NULL);
}

static void in_thread(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	if (pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN) ||
	    pthread_create(&thread, &attr, connect_and_close, NULL))
		die("thread");
	pthread_join(thread, NULL);
}

static void in_handler(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	stack_t stack = { .ss_sp = malloc(HANDLER_STACK), .ss_size = HANDLER_STACK };

	if (!stack.ss_sp || sigaltstack(&stack, NULL) < 0)
		die("sigaltstack");
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

static void in_child(void (*how)(void), const char *name)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		how();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	printf("%s: status %#x\n", name, status);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	if (argc < 3)
		return 2;
	alarm(PROGRAM_SECONDS);
	address = argv[1];
	port = argv[2];
	in_child(in_thread, "thread");
	in_child(in_handler, "handler");
	return 0;
}
