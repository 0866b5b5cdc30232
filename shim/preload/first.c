// SPDX-License-Identifier: MIT
/*
 * first.c - which endpoints a connect() may leave from ([app] first)
 *
 * The manager knows the pool: its table is read without a lock, and a program with a
 * broker asks for it. A datagram socket is connected to the same destination first: the
 * kernel reads the address, so that a bad pointer gives EFAULT and not a crash, and
 * says whether the destination is this machine.
 */
#include "first.h"
#include "broker.h"
#include "syscall.h"
#include "thread.h"

#define READ_TRIES 3

static bool is_unbound(int fd, union first_address *ret_name)
{
	socklen_t len = sizeof(*ret_name);

	if (syscall(SYS_getsockname, fd, ret_name, &len) < 0)
		return false;
	if (ret_name->any.sa_family == AF_INET)
		return !ret_name->v4.sin_port && !ret_name->v4.sin_addr.s_addr &&
		       !sys_int_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX);
	return ret_name->any.sa_family == AF_INET6 && !ret_name->v6.sin6_port &&
	       IN6_IS_ADDR_UNSPECIFIED(&ret_name->v6.sin6_addr) &&
	       !sys_int_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX);
}

/* An IPv4-mapped address becomes AF_INET. Not memcpy(): it costs each exec. */
static void set_address(struct mpaddr *to, const union first_address *from)
{
	const bool v6 = from->any.sa_family == AF_INET6;
	const bool mapped = v6 && IN6_IS_ADDR_V4MAPPED(&from->v6.sin6_addr);
	const uint8_t *ip = v6 ? from->v6.sin6_addr.s6_addr + (mapped ? 12 : 0)
			       : (const uint8_t *)&from->v4.sin_addr;
	const int len = v6 && !mapped ? 16 : 4;
	int i;

	*to = (struct mpaddr){ .family = len == 16 ? AF_INET6 : AF_INET };
	for (i = 0; i < len; i++)
		to->ip[i] = ip[i];
}

static bool same_ip(const struct mpaddr *a, const struct mpaddr *b)
{
	int i = 0;

	while (i < 16 && a->ip[i] == b->ip[i])
		i++;
	return i == 16 && a->family == b->family;
}

/* Loopback, link-local, multicast, unspecified (which is this machine, too). */
static bool is_special(const struct mpaddr *to)
{
	const uint8_t *ip = to->ip;

	if (to->family == AF_INET)
		return !ip[0] || ip[0] == 127 || ip[0] >= 224 ||
		       (ip[0] == 169 && ip[1] == 254);
	return ip[0] == 0xff || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) ||
	       IN6_IS_ADDR_UNSPECIFIED(&to->v6) || IN6_IS_ADDR_LOOPBACK(&to->v6);
}

/* Return: false for what no endpoint can reach, or is wrong with the call. */
static bool read_destination(int family, const struct sockaddr *addr, socklen_t len,
			     struct mpaddr *ret_to)
{
	const int probe = syscall(SYS_socket, family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union first_address to = { .any.sa_family = AF_UNSPEC }, from = to;
	socklen_t from_len = sizeof(from), i;
	struct mpaddr own = { 0 };
	bool good;

	if (probe < 0)
		return false;
	good = !syscall(SYS_connect, probe, addr, len);
	if (good)
		syscall(SYS_getsockname, probe, &from, &from_len);
	good |= errno != EFAULT && errno != EINVAL && errno != EAFNOSUPPORT;
	sys_close(probe);
	if (!good || len > 128)
		return false;
	for (i = 0; i < len && i < sizeof(to); i++)
		((char *)&to)[i] = ((const char *)addr)[i];
	if (to.any.sa_family != family)
		return false;
	set_address(ret_to, &to);
	if (from.any.sa_family != AF_UNSPEC)
		set_address(&own, &from);
	return !is_special(ret_to) && !same_ip(ret_to, &own);
}

static bool prefix_has(const struct mpprefix *prefix, const struct mpaddr *addr)
{
	unsigned int bit = 0;

	while (bit < prefix->len &&
	       !((prefix->addr.ip[bit / 8] ^ addr->ip[bit / 8]) & 0x80 >> bit % 8))
		bit++;
	return prefix->addr.family == addr->family && bit >= prefix->len;
}

/* Like pool_section(). */
static unsigned int find_section(const struct first_table *table, const struct mpaddr *to)
{
	unsigned int i, best = 0;

	for (i = 1; i < table->n_sections && i < FIRST_SECTIONS_MAX; i++)
		if (prefix_has(&table->sections[i].prefix, to) &&
		    (!best ||
		     table->sections[i].prefix.len > table->sections[best].prefix.len))
			best = i;
	return best;
}

/* The addresses of a device are one choice: the kernel picks one. */
static bool is_listed(const struct first_choices *list, const struct first_endpoint *ep)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (ep->from_dev && list->v[i].from_dev &&
		    list->v[i].if_idx == ep->if_idx)
			return true;
	return false;
}

static void list_choices(const struct first_table *table, const struct mpaddr *to,
			 uint32_t now, struct first_choices *list)
{
	const unsigned int section = find_section(table, to);
	const struct first_endpoint *ep;
	bool avoided, late;
	unsigned int i, n;

	list->n = 0;
	list->race = table->mode == FIRST_RACE;
	n = table->mode == FIRST_ROUTING || table->sections[section].excluded
		    ? 0
		    : table->n_endpoints;
	/* Those that did not answer lately come last. */
	for (i = 0, late = false; i < 2 * n && list->n < FIRST_CHOICES_MAX; i++) {
		ep = &table->endpoints[i % n % FIRST_ENDPOINTS_MAX];
		avoided = atomic_load(&ep->avoid) > now;
		if (ep->section != section || ep->addr.family != to->family ||
		    is_listed(list, ep))
			continue;
		if (avoided == (i >= n))
			list->v[list->n++] = (struct first_choice){
				.addr = ep->addr,
				.if_idx = ep->if_idx,
				.from_dev = ep->from_dev,
				.index = ep - table->endpoints,
				.why = late && i < n ? FIRST_WHY_AVOIDED
						     : FIRST_WHY_ORDER,
			};
		late |= avoided && i < n;
	}
}

/* The manager may build its table again meanwhile. */
static void read_table(struct first_choices *list, const struct mpaddr *to)
{
	struct first_table *table = &list->handover->first;
	int i;

	thread_wait_while(&list->handover->started, 0);
	atomic_store(&list->handover->started, 1); /* stuck: do not wait again */
	for (i = 0; i < READ_TRIES; i++) {
		list->version = atomic_load(&table->version);
		list_choices(table, to, sys_seconds(), list);
		atomic_thread_fence(memory_order_acquire);
		if (!(list->version & 1) && list->version == atomic_load(&table->version))
			return;
	}
	list->n = 0;
}

bool first_choose(struct handover *handover, int fd, const struct sockaddr *addr,
		  socklen_t len, struct first_choices *ret)
{
	union first_address name;
	struct first_table table;
	struct mpaddr to;

	if (!is_unbound(fd, &name) ||
	    !read_destination(name.any.sa_family, addr, len, &to))
		return false;
	ret->handover = handover;
	ret->v6 = name.any.sa_family == AF_INET6;
	ret->n = 0;
	if (handover != LAUNCH_BROKER)
		read_table(ret, &to);
	else if (broker_ask_first(&table))
		list_choices(&table, &to, sys_seconds(), ret);
	return ret->n;
}

static bool bind_address(int fd, bool v6, const struct mpaddr *addr)
{
	union first_address name = { .any.sa_family = v6 ? AF_INET6 : AF_INET };
	uint8_t *ip = v6 ? name.v6.sin6_addr.s6_addr : (uint8_t *)&name.v4.sin_addr;
	const bool mapped = v6 && addr->family == AF_INET;
	const int on = 1, off = 0;
	bool bound;
	int i;

	if (mapped)
		ip[10] = ip[11] = 0xff;
	for (i = 0; i < (addr->family == AF_INET ? 4 : 16); i++)
		ip[i + (mapped ? 12 : 0)] = addr->ip[i];
	/* The port is chosen by connect(), as without bind(): more than one connection
	 * may have it. */
	syscall(SYS_setsockopt, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	bound = !syscall(SYS_bind, fd, &name, v6 ? sizeof(name.v6) : sizeof(name.v4));
	syscall(SYS_setsockopt, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &off,
		sizeof(off));
	return bound;
}

/* The address first: a user can bind a socket to one device only once. */
bool first_bind(int fd, const struct first_choices *list,
		const struct first_choice *choice)
{
	if (!choice->from_dev && !bind_address(fd, list->v6, &choice->addr))
		return false;
	return !choice->if_idx ||
	       !syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_BINDTOIFINDEX, &choice->if_idx,
			sizeof(choice->if_idx));
}

void first_result(const struct first_choices *list, const struct first_choice *choice,
		  bool answered)
{
	struct first_table *table = &list->handover->first;

	if (list->handover == LAUNCH_BROKER) {
		if (!answered)
			broker_avoid_first(choice->index);
	} else if (atomic_load(&table->version) == list->version) {
		if (answered)
			atomic_store(&table->endpoints[choice->index].avoid, 0);
		else
			first_failed(table, choice->index, sys_seconds());
	}
}
