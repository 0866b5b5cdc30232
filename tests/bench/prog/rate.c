// SPDX-License-Identifier: MIT
/*
 * rate.c - print what a pair of socket() and close() takes, in us
 *
 * Arguments: pairs of each thread, threads. Exit status 1 if a socket() fails.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64

static int pairs;

static void *open_and_close(void *arg)
{
	bool failed = false;
	int i, fd;

	for (i = 0; i < pairs; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		failed |= fd < 0;
		close(fd);
	}
	return failed ? arg : NULL;
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

int main(int argc, char *argv[])
{
	const int threads = argc > 2 ? atoi(argv[2]) : 1;
	pthread_t thread[THREADS_MAX];
	void *failed, *any = NULL;
	double from;
	int i;

	pairs = argc > 1 ? atoi(argv[1]) : 1;
	if (threads < 1 || threads > THREADS_MAX)
		return 2;
	close(socket(AF_INET, SOCK_STREAM, 0)); /* the first one costs more */
	from = now_us();
	for (i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, open_and_close, argv);
	for (i = 0; i < threads; i++) {
		pthread_join(thread[i], &failed);
		any = failed ?: any;
	}
	printf("%.2f\n", (now_us() - from) / pairs / threads);
	return any != NULL;
}
