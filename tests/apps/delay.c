// SPDX-License-Identifier: MIT
/*
 * delay.c - pass frames between two interfaces, each after so many milliseconds
 *
 * "delay MS DEVICE DEVICE [MS DEVICE DEVICE]..." prints "ready". A line "MS" on standard
 * input changes the first pair's: -1 drops its frames. Its end ends the program.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS_MAX   4
#define FRAME_MAX   (1 << 17)
#define QUEUE_MAX   4096
#define RECEIVE_BUF (8 << 20)

struct frame {
	double due;
	size_t len;
	char *data; /* after its struct virtio_net_hdr, so that it may be a GSO frame */
};

/* Frames of one direction */
struct way {
	int from, to;
	double *ms;
	struct frame queue[QUEUE_MAX];
	unsigned int first, n;
};

static struct way ways[2 * PAIRS_MAX];
static double delays[PAIRS_MAX];
static int n_ways;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static int open_device(const char *name)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(ETH_P_ALL),
				    .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), one = 1;
	int size = RECEIVE_BUF;

	if (fd < 0 || !addr.sll_ifindex ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die(name);
	return fd;
}

static void receive_all(struct way *way)
{
	static char buf[FRAME_MAX];
	struct frame *frame;
	ssize_t len;

	while ((len = recv(way->from, buf, sizeof(buf), 0)) > 0) {
		if (way->n == QUEUE_MAX || *way->ms < 0)
			continue; /* as a full queue does */
		frame = &way->queue[(way->first + way->n++) % QUEUE_MAX];
		*frame = (struct frame){ now() + *way->ms, len, malloc(len) };
		if (!frame->data)
			die("malloc");
		memcpy(frame->data, buf, len);
	}
}

/* Return: milliseconds until the next one is due; -1: there is none. */
static double send_due(struct way *way)
{
	struct frame *frame;

	for (; way->n; way->n--, way->first = (way->first + 1) % QUEUE_MAX) {
		frame = &way->queue[way->first];
		if (frame->due > now())
			return frame->due - now();
		/* A device that is down, or a full queue, drops it. */
		if (send(way->to, frame->data, frame->len, 0) < 0 && errno == EBADF)
			die("send");
		free(frame->data);
	}
	return -1;
}

/* Return: false at the end of standard input. */
static bool read_change(void)
{
	char line[32];
	ssize_t n = read(0, line, sizeof(line) - 1);

	if (n <= 0)
		return false;
	line[n] = '\0';
	delays[0] = atof(line);
	return true;
}

static void pass(void)
{
	struct pollfd fds[2 * PAIRS_MAX + 1] = { { .fd = 0, .events = POLLIN } };
	struct timespec wait;
	double next, ms;

	for (int i = 0; i < n_ways; i++)
		fds[i + 1] = (struct pollfd){ .fd = ways[i].from, .events = POLLIN };
	do {
		next = 1000;
		for (int i = 0; i < n_ways; i++) {
			receive_all(&ways[i]);
			ms = send_due(&ways[i]);
			if (ms >= 0 && ms < next)
				next = ms;
		}
		wait = (struct timespec){ 0, (long)(next * 1e6) };
		if (next >= 1000)
			wait = (struct timespec){ 1, 0 };
		ppoll(fds, n_ways + 1, &wait, NULL);
	} while (!fds[0].revents || read_change());
}

int main(int argc, char *argv[])
{
	for (int i = 1; i + 2 < argc && n_ways < 2 * PAIRS_MAX; i += 3) {
		const int a = open_device(argv[i + 1]), b = open_device(argv[i + 2]);
		double *ms = &delays[n_ways / 2];

		*ms = atof(argv[i]);
		ways[n_ways++] = (struct way){ .from = a, .to = b, .ms = ms };
		ways[n_ways++] = (struct way){ .from = b, .to = a, .ms = ms };
	}
	puts("ready");
	fflush(stdout);
	pass();
	return 0;
}
