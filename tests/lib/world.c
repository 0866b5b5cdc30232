// SPDX-License-Identifier: MIT
/*
 * world.c - two hosts and the links between them
 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "until.h"

int host_enter(const struct host *h)
{
	return setns(h->netns, CLONE_NEWNET) < 0 ? -errno : 0;
}

int host_sysctl(const struct host *h, const char *name, const char *value)
{
	char path[128];
	int fd, r;

	r = host_enter(h);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		r = -errno;
	close(fd);
	return r;
}

int host_path_manager(const struct host *h, enum path_manager pm)
{
	bool user = pm == PM_USERSPACE;
	int r;

	r = host_sysctl(h, "net/mptcp/path_manager", user ? "userspace" : "kernel");
	if (r == -ENOENT) /* before Linux 6.15 */
		r = host_sysctl(h, "net/mptcp/pm_type", user ? "1" : "0");
	return r;
}

int host_nft(const struct host *h, const char *rules)
{
	static const char *const argv[] = { "nft", "-f", "-", NULL };

	return proc_run(h, rules, argv) ? -EINVAL : 0;
}

int host_ip(const struct host *h, const char *commands)
{
	static const char *const argv[] = { "ip", "-batch", "-", NULL };

	return proc_run(h, commands, argv) ? -EINVAL : 0;
}

bool host_listens(const struct host *h, int port)
{
	char filter[32];
	const char *const argv[] = { "ss", "-Htln", filter, NULL };
	struct proc p;
	bool listens;

	snprintf(filter, sizeof(filter), "sport = :%d", port);
	if (proc_start(&p, h, argv, NULL) < 0)
		return false;
	listens = proc_wait(&p, EFFECT_MS) == 0 && proc_said(&p, ":");
	proc_end(&p);
	return listens;
}

int host_make(struct host *h, const char *name)
{
	static const char *const sysctls[][2] = {
		{ "net/mptcp/enabled", "1" },
		{ "net/mptcp/add_addr_timeout", "1" },
		{ "net/ipv4/conf/all/rp_filter", "0" },
		{ "net/ipv4/conf/default/rp_filter", "0" },
		{ "net/ipv6/conf/default/accept_dad", "0" },
		{ "net/ipv6/conf/default/router_solicitations", "0" },
	};
	int r;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	h->name = name;
	h->netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (h->netns < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
		r = host_sysctl(h, sysctls[i][0], sysctls[i][1]);
		if (r < 0) {
			fprintf(stderr, "%s: %s\n", sysctls[i][0], strerror(-r));
			return r;
		}
	}
	return 0;
}

static int links_make(const struct world *w)
{
	FILE *f;
	char *text;
	size_t size;
	int r;

	f = open_memstream(&text, &size);
	if (!f)
		return -errno;
	fprintf(f, "link set lo up\n");
	for (int i = 1; i <= w->links; i++)
		fprintf(f, "link add c%d type veth peer name s%d netns /proc/%d/fd/%d\n",
			i, i, getpid(), w->server.netns);
	fclose(f);
	r = host_ip(&w->client, text);
	free(text);
	return r;
}

/* Side 1 is the server, 2 the client; the server first, so that links have a carrier. */
static int addresses_make(const struct world *w, const struct host *h, int side)
{
	char dev = side == 1 ? 's' : 'c';
	FILE *f;
	char *text;
	size_t size;
	int r;

	f = open_memstream(&text, &size);
	if (!f)
		return -errno;
	fprintf(f, "link set lo up\n");
	for (int i = 1; i <= w->links; i++) {
		fprintf(f, "addr add 10.0.%d.%d/24 dev %c%d\n", i, side, dev, i);
		fprintf(f, "addr add dead:beef:%d::%d/64 dev %c%d nodad\n", i, side, dev,
			i);
		fprintf(f, "link set %c%d up\n", dev, i);
	}
	for (int i = 1; side == 2 && i <= w->links; i++) {
		fprintf(f, "route add default via 10.0.%d.1 dev c%d metric %d\n", i, i,
			10 * i);
		fprintf(f, "route add default via dead:beef:%d::1 dev c%d metric %d\n", i,
			i, 10 * i);
	}
	fclose(f);
	r = host_ip(h, text);
	free(text);
	return r;
}

int world_open(struct world *w, int links)
{
	int r;

	*w = (struct world){ .client = { .netns = -1 }, .server = { .netns = -1 } };
	if (links < 1 || links > WORLD_LINKS_MAX)
		return -EINVAL;
	w->links = links;
	r = host_make(&w->server, "server");
	if (!r)
		r = host_make(&w->client, "client");
	if (!r)
		r = links_make(w);
	if (!r)
		r = addresses_make(w, &w->server, 1);
	if (!r)
		r = addresses_make(w, &w->client, 2);
	if (!r)
		r = host_enter(&w->client);
	if (r < 0)
		world_close(w);
	return r;
}

void world_close(struct world *w)
{
	if (w->client.netns >= 0)
		close(w->client.netns);
	if (w->server.netns >= 0)
		close(w->server.netns);
	w->client.netns = w->server.netns = -1;
}
