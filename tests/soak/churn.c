// SPDX-License-Identifier: MIT
/*
 * churn.c - connections that come and go, with checked contents
 *
 * churn serve ADDRESS PORT: an MPTCP server that sends what a request names.
 * churn call ADDRESS PORT THREADS PAUSE FORKS FILE: each thread opens a connection,
 * compares what it gets, closes it and starts again after PAUSE ms; FORKS times a second
 * a child does that once. FILE gets the counts every second. SIGTERM ends it; the exit
 * status is 1 if any content was wrong or any connection failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROTOCOL_MPTCP	262
#define CHUNK		8192
#define PAUSE_US	50000 /* between the halves: time for joins */
#define TIMEOUT_S	30
#define LOW_DESCRIPTORS 63

struct request {
	uint32_t size, seed;
};

static struct sockaddr_in server = { .sin_family = AF_INET };
static atomic_uint connections, wrong, failed, children;
static unsigned int pause_us;
static atomic_bool stop;

static void on_signal(int number)
{
	(void)number;
	stop = true;
}

/* The same bytes at both ends: a linear congruential generator. */
static void fill_chunk(char *data, size_t size, uint32_t *seed)
{
	for (size_t i = 0; i < size; i++) {
		*seed = *seed * 1103515245 + 12345;
		data[i] = *seed >> 16;
	}
}

static bool send_content(int fd, const struct request *request)
{
	uint32_t seed = request->seed, left = request->size, half = left / 2;
	char data[CHUNK];

	while (left) {
		const size_t n = left < sizeof(data) ? left : sizeof(data);

		fill_chunk(data, n, &seed);
		if (send(fd, data, n, MSG_NOSIGNAL) != (ssize_t)n)
			return false;
		if (left > half && left - n <= half)
			usleep(PAUSE_US);
		left -= n;
	}
	return true;
}

static void *serve_one(void *arg)
{
	const int fd = (intptr_t)arg;
	struct request request;

	ssize_t n;

	n = recv(fd, &request, sizeof(request), MSG_WAITALL);
	if (n == sizeof(request) ? !send_content(fd, &request) : n)
		fprintf(stderr, "churn: serving: %s\n",
			n > 0 ? "a part" : strerror(errno));
	close(fd);
	return NULL;
}

static int serve(void)
{
	int listener = socket(AF_INET, SOCK_STREAM, PROTOCOL_MPTCP), fd, on = 1;
	pthread_attr_t detached;
	pthread_t thread;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (void *)&server, sizeof(server)) < 0 ||
	    listen(listener, 1024) < 0) {
		perror("churn: listen");
		return 1;
	}
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	while (!stop) {
		fd = accept(listener, NULL, NULL);
		if (fd >= 0 &&
		    pthread_create(&thread, &detached, serve_one, (void *)(intptr_t)fd))
			close(fd);
	}
	return 0;
}

/* Return: 0; -ENODATA: the server has closed; -EAGAIN: nothing came for TIMEOUT_S;
 * -errno. */
static int receive_all(int fd, char *data, size_t size)
{
	ssize_t n;

	for (; size; data += n, size -= n) {
		n = recv(fd, data, size, 0);
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
	}
	return 0;
}

/* Return: 0; 1: other content; -errno. */
static int call_once(uint32_t seed)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct request request = { 1 + seed % 7 * 40000, seed };
	char data[CHUNK], expected[CHUNK];
	int fd = socket(AF_INET, SOCK_STREAM, 0), r = 0;
	uint32_t left = request.size;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (void *)&server, sizeof(server)) < 0 ||
	    send(fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
		r = -errno;
	while (left && !r) {
		const size_t n = left < sizeof(data) ? left : sizeof(data);

		r = receive_all(fd, data, n);
		if (r)
			break;
		fill_chunk(expected, n, &seed);
		r = memcmp(data, expected, n) != 0;
		left -= n;
	}
	close(fd);
	return r;
}

static void count_result(int r)
{
	connections++;
	wrong += r > 0;
	failed += r < 0;
	if (r < 0)
		fprintf(stderr, "churn: connection %u: %s\n", connections, strerror(-r));
}

static void *call_often(void *arg)
{
	uint32_t seed = (uintptr_t)arg * 7919;

	for (; !stop; usleep(pause_us))
		count_result(call_once(seed++));
	return NULL;
}

/* A child's status is 0, or its result with failures as 255. */
static void call_in_child(uint32_t seed)
{
	int status = 0, r;
	pid_t pid = fork();

	if (!pid) {
		r = call_once(seed);
		_exit(r < 0 ? 255 : r);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		count_result(-errno);
	else
		count_result(!WIFEXITED(status)		  ? -EIO
			     : WEXITSTATUS(status) == 255 ? -ECONNABORTED
							  : WEXITSTATUS(status));
	children++;
}

static void write_counts(int fd)
{
	char line[128];
	int n = snprintf(line, sizeof(line),
			 "connections %u wrong %u failed %u children %u\n", connections,
			 wrong, failed, children);

	if (pwrite(fd, line, n, 0) != n)
		perror("churn: counts");
}

static int call_all(unsigned int threads, unsigned int forks, const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	pthread_t *all = calloc(threads, sizeof(*all));
	unsigned int i, round;

	for (i = 0; i < threads; i++)
		if (pthread_create(&all[i], NULL, call_often, (void *)(uintptr_t)i))
			return 1;
	for (round = 0; !stop; round++) {
		for (i = 0; i < forks && !stop; i++)
			call_in_child(round * 31 + i);
		usleep(1000000 / (forks + 1));
		write_counts(fd);
	}
	for (i = 0; i < threads; i++)
		pthread_join(all[i], NULL);
	write_counts(fd);
	free(all);
	return wrong || failed;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal,
					  .sa_flags = SA_RESTART };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (argc < 4 || inet_pton(AF_INET, argv[2], &server.sin_addr) != 1)
		return 2;
	server.sin_port = htons(atoi(argv[3]));
	if (!strcmp(argv[1], "serve"))
		return serve();
	if (argc != 8)
		return 2;
	pause_us = atoi(argv[5]) * 1000;
	/* ThreadSanitizer takes the manager's descriptors, which are in a table of its
	 * own, for ours of the same numbers. */
	while (dup(0) < LOW_DESCRIPTORS)
		;
	return call_all(atoi(argv[4]), atoi(argv[6]), argv[7]);
}
