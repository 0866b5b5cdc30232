// SPDX-License-Identifier: MIT
/*
 * links.c - what interfaces that come and go cost idle programs
 *
 * Ours: processor time of a program under the library, of 100 with a connection each,
 * among 300 interfaces. Peer: of a program without the library. The interfaces are those
 * of containers: network namespaces with an address and a route, that come and go.
 */
#include "bench.h"
#include "hosts.h"
#include "until.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAMS   100
#define INTERFACES 300
#define CONTAINERS 50
#define IDLE_MS	   6000 /* the manager's own idle time has passed */
#define LAST_MS	   3000 /* the kernel removes namespaces later */
#define QUIET_MS   200	/* between two of them */

/* Return: microseconds of all threads of @p. */
static double cpu_us(const struct proc *p)
{
	char path[64], file[512];
	struct dirent *entry;
	double ns, sum = 0;
	DIR *dir;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)p->pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(file, sizeof(file), "%s/%s/schedstat", path, entry->d_name);
		f = entry->d_name[0] == '.' ? NULL : fopen(file, "re");
		if (f && fscanf(f, "%lf", &ns) == 1)
			sum += ns / 1000;
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static double cpu_of_all(const struct proc programs[PROGRAMS])
{
	double sum = 0;

	for (int i = 0; i < PROGRAMS; i++)
		sum += cpu_us(&programs[i]);
	return sum / PROGRAMS;
}

static int add_interfaces(const struct hosts *h)
{
	size_t size = INTERFACES * 128, len = 0;
	char *text = malloc(size);
	int r;

	for (int i = 0; text && i < INTERFACES; i++)
		len += snprintf(text + len, size - len,
				"link add n%d type veth peer name n%d netns %d\n"
				"link set n%d up\n"
				"addr add 198.18.%d.%d/32 dev n%d\n",
				i, i, (int)h->server.pid, i, i / 256, i % 256, i);
	r = text ? host_ip(&h->world.client, text) : -ENOMEM;
	free(text);
	return r;
}

/* A container comes and goes; its interface goes after its namespace. */
static int change(const struct hosts *h, int n)
{
	const struct host *host = &h->world.client;
	struct host container = { .name = "container" };
	char text[256];
	int r;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	container.netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(text, sizeof(text),
		 "link add new%d type veth peer name eth0 netns /proc/%d/fd/%d\n"
		 "addr add 198.18.255.1/32 dev new%d\nlink set new%d up\n"
		 "route add 198.18.254.%d/32 dev new%d\n",
		 n, getpid(), container.netns, n, n, n, n);
	r = container.netns < 0 ? -errno : host_ip(host, text);
	if (!r)
		r = host_ip(&container, "link set lo up\nlink set eth0 up\n"
					"addr add 198.18.254.1/32 dev eth0\n"
					"route add 198.18.255.1/32 dev eth0\n"
					"route add default via 198.18.255.1\n");
	nap_ms(QUIET_MS);
	if (host_enter(host) < 0)
		r = -errno;
	close(container.netns);
	nap_ms(QUIET_MS);
	return r;
}

static int measure(struct hosts *h, struct proc programs[PROGRAMS])
{
	double ours, peer;
	int r = 0;

	nap_ms(IDLE_MS);
	ours = cpu_of_all(programs);
	peer = cpu_us(&h->server);
	for (int i = 0; i < CONTAINERS && !r; i++)
		r = change(h, i);
	if (r < 0)
		return r;
	nap_ms(LAST_MS);
	report_heading("a container comes or goes among 300 interfaces; us");
	report_row(&(struct row){
		"100 idle programs, each", (cpu_of_all(programs) - ours) / CONTAINERS / 2,
		(cpu_us(&h->server) - peer) / CONTAINERS / 2, NAN, TARGET_MORE, 200 });
	return 0;
}

int bench_links(void)
{
	struct proc programs[PROGRAMS];
	struct hosts h;
	int r;

	for (int i = 0; i < PROGRAMS; i++)
		programs[i] =
			(struct proc){ .pidfd = -1, .in = -1, .out = -1, .err = -1 };
	r = hosts_open(&h);
	for (int i = 0; i < PROGRAMS && !r; i++)
		r = hosts_crowd(&h, SIDE_OURS, "1", &programs[i]);
	if (!r)
		r = add_interfaces(&h);
	if (!r)
		r = measure(&h, programs);
	for (int i = 0; i < PROGRAMS; i++)
		proc_end(&programs[i]);
	hosts_close(&h);
	return r;
}
