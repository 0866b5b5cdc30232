// SPDX-License-Identifier: MIT
/*
 * probe.c - mptcpaddr probe: does a server speak MPTCP, over which uplinks, and which
 * paths would a pool give?
 *
 * One connection an uplink, at the same time, closed after the events of the server's
 * announcements: a few seconds in all. A SYN with the MPTCP option is given up before the
 * kernel repeats it without: an answer to that would switch MPTCP off for the machine.
 */
#include "probe.h"
#include "checks.h"
#include "counters.h"
#include "program.h"

#include "mptcpaddr/netlink.h"
#include "shim/pool/endpoint.h"
#include "shim/preload/pool_file.h"
#include "shim/preload/subscribe.h"
#include "tools/common/blackhole_report.h"
#include "tools/common/broker_command.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define CONNECT_MS	  2500 /* the kernel repeats SYNs after 1 s, 2 s, then without MPTCP */
#define PLAIN_MS	  1500
#define WAIT_MS		  2000 /* for announcements */
#define WAIT_S_MAX	  60
#define PORT_DEFAULT	  "443"
#define SOL_MPTCP	  284
#define MPTCP_INFO_OPTION 1

static struct probe probe;
static int events_fd = -1;
static uint16_t events_family;

static double probe_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static socklen_t fill_sockaddr(const struct mpaddr *addr, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (void *)ret;
	struct sockaddr_in6 *in6 = (void *)ret;

	*ret = (struct sockaddr_storage){ .ss_family = addr->family };
	if (addr->family == AF_INET) {
		in->sin_addr = addr->v4;
		in->sin_port = htons(addr->port);
		return sizeof(*in);
	}
	in6->sin6_addr = addr->v6;
	in6->sin6_port = htons(addr->port);
	return sizeof(*in6);
}

static bool read_sockaddr(const struct sockaddr *from, struct mpaddr *ret)
{
	const struct sockaddr_in *in = (const void *)from;
	const struct sockaddr_in6 *in6 = (const void *)from;

	if (from->sa_family == AF_INET)
		mpaddr_set(ret, AF_INET, &in->sin_addr);
	else if (from->sa_family == AF_INET6)
		mpaddr_set(ret, AF_INET6, &in6->sin6_addr);
	else
		return false;
	ret->port = ntohs(from->sa_family == AF_INET ? in->sin_port : in6->sin6_port);
	return true;
}

/* Return: 0; -errno, at once. */
static int start_handshake(struct handshake *h, int protocol)
{
	struct sockaddr_storage addr;
	const int one = 1;
	socklen_t len;

	h->fd = socket(probe.peer.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       protocol);
	if (h->fd < 0)
		return -errno;
	if (*h->dev && setsockopt(h->fd, SOL_SOCKET, SO_BINDTODEVICE, h->dev,
				  strlen(h->dev) + 1) < 0)
		return -errno;
	if (h->bound.family) {
		len = fill_sockaddr(&h->bound, &addr);
		setsockopt(h->fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		if (bind(h->fd, (void *)&addr, len) < 0)
			return -errno;
	}
	len = fill_sockaddr(&probe.peer, &addr);
	if (connect(h->fd, (void *)&addr, len) < 0 && errno != EINPROGRESS)
		return -errno;
	return 0;
}

static void end_handshake(struct handshake *h, enum handshake_result result, int error)
{
	h->result = result;
	h->error = error;
	if (result == HANDSHAKE_MPTCP || h->fd < 0)
		return;
	close(h->fd);
	h->fd = -1;
}

/* It is answered: with the option? */
static void handshake_answered(struct handshake *h, enum handshake_result without)
{
	struct mptcpaddr_info info = { 0 };
	struct sockaddr_storage local;
	socklen_t len = sizeof(int);
	int error = 0;

	getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		end_handshake(h, HANDSHAKE_FAILED, error);
		return;
	}
	len = sizeof(local);
	if (getsockname(h->fd, (void *)&local, &len) == 0)
		read_sockaddr((void *)&local, &h->local);
	len = sizeof(info);
	if (without == HANDSHAKE_TCP &&
	    getsockopt(h->fd, SOL_MPTCP, MPTCP_INFO_OPTION, &info, &len) == 0) {
		h->token = info.token;
		end_handshake(h, HANDSHAKE_MPTCP, 0);
		return;
	}
	end_handshake(h, without, 0);
}

/* Connect all with @result, at once. @without: what an answer without MPTCP means */
static void run_handshakes(enum handshake_result result, int protocol, int timeout_ms,
			   enum handshake_result without)
{
	struct pollfd fds[HANDSHAKES_MAX];
	const double began = probe_clock_ms();
	unsigned int i, open = 0;
	int r, left;

	for (i = 0; i < probe.n; i++) {
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLOUT };
		if (probe.handshakes[i].result != result)
			continue;
		r = start_handshake(&probe.handshakes[i], protocol);
		if (r < 0)
			end_handshake(&probe.handshakes[i], HANDSHAKE_FAILED, -r);
		else
			fds[i].fd = probe.handshakes[i].fd;
		open += r == 0;
	}
	while (open && (left = began + timeout_ms - probe_clock_ms()) > 0 &&
	       poll(fds, probe.n, left) >= 0) {
		for (i = 0; i < probe.n; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			probe.handshakes[i].ms = probe_clock_ms() - began;
			handshake_answered(&probe.handshakes[i], without);
			fds[i].fd = -1;
			open--;
		}
	}
	for (i = 0; i < probe.n; i++)
		if (fds[i].fd >= 0)
			end_handshake(&probe.handshakes[i], HANDSHAKE_NO_ANSWER, 0);
}

static void add_handshake(const struct mpaddr *addr, const char *dev)
{
	struct handshake *h = probe.handshakes;

	for (; h < probe.handshakes + probe.n; h++)
		if (addr->family ? mpaddr_same_ip(&h->bound, addr) : !h->bound.family)
			return;
	if (probe.n == HANDSHAKES_MAX)
		return;
	*h = (struct handshake){ .bound = *addr, .fd = -1 };
	h->bound.port = 0;
	snprintf(h->dev, sizeof(h->dev), "%s", dev);
	probe.n++;
}

/* From each endpoint, and from where routing sends a program's connections. */
static void list_handshakes(void)
{
	const uint32_t joins = MPTCP_PM_ADDR_FLAG_SUBFLOW | MPTCP_PM_ADDR_FLAG_LAMINAR |
			       MPTCP_PM_ADDR_FLAG_FULLMESH;
	const struct endpoint *ep;
	struct mpaddr source;

	probe.section = pool_section(&probe.pool, &probe.peer);
	for_each_endpoint (&probe.pool, ep)
		if (ep->section == probe.section && ep->flags & joins &&
		    ep->addr.family == probe.peer.family && endpoint_is_usable(ep))
			add_handshake(&ep->addr, ep->dev);
	if ((probe.pool.first == FIRST_ROUTING || !probe.n) &&
	    rtnl_find_source(&probe.peer, &source))
		add_handshake(&source, "");
	if (!probe.n)
		add_handshake(&(struct mpaddr){ 0 }, "");
}

const struct handshake *probe_handshake(const struct probe *p, const struct endpoint *ep)
{
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if (mpaddr_same_ip(&p->handshakes[i].bound, &ep->addr))
			return &p->handshakes[i];
	return NULL;
}

const struct handshake *probe_first(const struct probe *p)
{
	const struct handshake *h, *found = NULL;
	struct mpaddr source;
	const bool routed =
		p->pool.first == FIRST_ROUTING && rtnl_find_source(&p->peer, &source);

	for (h = p->handshakes; h < p->handshakes + p->n; h++)
		if (h->result == HANDSHAKE_MPTCP &&
		    (!found || (routed && mpaddr_same_ip(&h->bound, &source))))
			found = h;
	return found;
}

static void take_event(const struct pm_event *ev, uint32_t token)
{
	struct announced *a = probe.announced;

	/* ESTABLISHED comes only after data, or an announcement. */
	if (ev->type == PM_EVENT_CREATED && ev->token == token)
		probe.c_flag = ev->deny_join_id0;
	if (ev->type != PM_EVENT_ANNOUNCED || ev->token != token)
		return;
	while (a < probe.announced + probe.n_announced &&
	       !(a->id == ev->remote_id && mpaddr_equal(&a->addr, &ev->remote)))
		a++;
	if (a < probe.announced + probe.n_announced || probe.n_announced == ANNOUNCED_MAX)
		return;
	*a = (struct announced){ .addr = ev->remote, .id = ev->remote_id };
	if (!a->addr.port)
		a->addr.port = probe.peer.port;
	probe.n_announced++;
}

static void read_announcements(uint32_t token)
{
	struct pollfd fds = { .fd = events_fd, .events = POLLIN };
	struct pm_event events[PM_EVENTS_BATCH];
	const double until = probe_clock_ms() + probe.wait_ms;
	unsigned int n, i;
	int left;

	while ((left = until - probe_clock_ms()) > 0 && poll(&fds, 1, left) >= 0) {
		n = 0;
		if (fds.revents &&
		    pm_events_read(events_fd, events_family, events, &n) < 0)
			continue; /* some were lost; others follow */
		for (i = 0; i < n; i++)
			take_event(&events[i], token);
	}
}

/* @word: HOST, HOST:PORT, [IPV6]:PORT. Return: 0, or 1 after an error was printed. */
static int resolve_host(const char *word)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_ADDRCONFIG };
	const char *port = strrchr(word, ':'), *end = word + strlen(word);
	struct addrinfo *list = NULL, *each;
	const struct endpoint *ep;
	char service[32] = PORT_DEFAULT;
	bool fits = false;
	int r;

	if (strchr(word, '/'))
		return print_error("%s: give HOST or HOST:PORT, not a URL", word);
	if (*word == '[' && strchr(word, ']'))
		end = strchr(++word, ']');
	else if (port && strchr(word, ':') == port)
		end = port;
	snprintf(probe.host, sizeof(probe.host), "%.*s", (int)(end - word), word);
	if (port && port >= end)
		snprintf(service, sizeof(service), "%s", port + 1);
	/* getaddrinfo() takes it modulo 65536. */
	if (service[strspn(service, "0123456789")] == '\0' &&
	    (strlen(service) > 5 || atoi(service) < 1 || atoi(service) > UINT16_MAX))
		return print_error("%s: port %s is not in 1-65535", word, service);
	r = getaddrinfo(probe.host, service, &hints, &list);
	if (r)
		return print_error("%s: %s", probe.host,
				   r == EAI_SYSTEM ? strerror(errno)
				   : r == EAI_ADDRFAMILY
					   ? "this machine has no address of its family"
					   : gai_strerror(r));
	/* The first one; rather one of a family that the pool has. */
	for (each = list; each && !fits; each = each->ai_next) {
		struct mpaddr addr = { 0 };

		if (!read_sockaddr(each->ai_addr, &addr))
			continue;
		for_each_endpoint (&probe.pool, ep)
			fits |= ep->addr.family == addr.family;
		if (fits || !probe.peer.family)
			probe.peer = addr;
	}
	freeaddrinfo(list);
	return probe.peer.family ? 0 : print_error("%s has no IP address", probe.host);
}

/* Return: 0, or 1 after an error was printed. */
static int load_pool(const char *program, const char *file)
{
	static struct program resolved;
	static struct pool none = { .subflows = POOL_LIMIT_DEFAULT, .n_sections = 1 };
	struct pool_error why;
	int fd, r = rtnl_read_table(&probe.machine);

	if (r < 0)
		return print_error("the addresses of this machine: %s", strerror(-r));
	if (file && require_pool_file(file, "nothing was probed", probe.pool_path) < 0)
		return 1;
	if (!file) {
		if (program_resolve(program, &resolved))
			program = resolved.name;
		probe.program = program;
		fd = pool_file_open(program, probe.pool_path);
		if (fd >= 0)
			close(fd);
		if (fd == -ENOENT)
			probe.pool_path[0] = '\0';
	}
	if (*probe.pool_path && pool_load(probe.pool_path, &probe.spec, &why) < 0)
		return print_error("%s", why.text);
	pool_resolve(probe.spec ?: &none, &probe.machine, NULL, &probe.pool);
	return 0;
}

static int parse_probe_options(int argc, char *argv[], const char **ret_program,
			       const char **ret_file)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "pool", required_argument, NULL, 'p' },
		{ "program", required_argument, NULL, 'n' },
		{ "wait", required_argument, NULL, 'w' },
		{ 0 },
	};
	char *end = NULL;
	double seconds;
	int c;

	probe.wait_ms = WAIT_MS;
	while ((c = command_option(argc, argv, ":jp:", options)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'j')
			probe.json = true;
		else if (c != 'w')
			*(c == 'p' ? ret_file : ret_program) = optarg;
		else if (seconds = strtod(optarg, &end),
			 *end || !*optarg || !(seconds >= 0 && seconds <= WAIT_S_MAX))
			return print_usage_error("probe", "\"%s\" is not 0-%d seconds",
						 optarg, WAIT_S_MAX);
		else
			probe.wait_ms = seconds * 1000;
	}
	if (optind + 1 != argc)
		return print_usage_error("probe", optind < argc ? "one HOST[:PORT] only"
								: "no HOST[:PORT]");
	return 0;
}

/* Return: 0, or 1 after an error was printed. */
static int check_kernel(void)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	struct blackhole blackhole;

	if (fd < 0)
		return print_error("no MPTCP sockets here: %s; type: mptcpaddr doctor",
				   strerror(errno));
	close(fd);
	if (find_blackhole(&blackhole))
		return print_error("%s; type: %s" BLACKHOLE_REMEDY, blackhole.text,
				   AS_ROOT, blackhole.timeout);
	return 0;
}

int cmd_probe(int argc, char *argv[])
{
	const char *program = "default", *file = NULL;
	const struct handshake *first;
	static struct plan plan;
	unsigned int i;
	int r = parse_probe_options(argc, argv, &program, &file);

	if (r)
		return r;
	if (check_kernel() || load_pool(program, file) || resolve_host(argv[optind]))
		return 1;
	list_handshakes();
	probe.knows_events = subscribe_events(&events_fd, &events_family) == 0;
	run_handshakes(HANDSHAKE_NONE, IPPROTO_MPTCP, CONNECT_MS, HANDSHAKE_TCP);
	/* A second one only where nothing came back. */
	run_handshakes(HANDSHAKE_NO_ANSWER, IPPROTO_TCP, PLAIN_MS, HANDSHAKE_DROPPED);
	first = probe_first(&probe);
	if (first && probe.knows_events)
		read_announcements(first->token);
	if (first && plan_make(&probe, first, &plan) < 0)
		return print_error("%s", strerror(ENOMEM));
	probe_print(&probe, first ? &plan : NULL);
	if (first && !probe.json && *probe.pool_path)
		warn_of_machine();
	for (i = 0; i < probe.n; i++)
		if (probe.handshakes[i].fd >= 0)
			close(probe.handshakes[i].fd);
	pool_free(probe.spec);
	rtnl_free_table(&probe.machine);
	return fflush(stdout) || ferror(stdout) || !first;
}
