// SPDX-License-Identifier: MIT
/*
 * follow.c - the table of links and addresses, as notifications change it
 *
 * After each change it must be as one that is read anew. A link of our own in it shows
 * whether that happened.
 */
#include "shim/netlink/request.h"
#include "skip.h"
#include "until.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define OURS_IDX 0x7fffffff

struct follow {
	struct world w;
	struct rtnl_table table;
	int fd;
};

static void follow_open(struct follow *f)
{
	struct rtnl_iface *ours;

	*f = (struct follow){ .fd = -1 };
	cr_assert_eq(world_open(&f->w, 2), 0);
	f->fd = rtnl_watch();
	cr_assert_geq(f->fd, 0);
	cr_assert_eq(rtnl_read_table(&f->table), 0);
	ours = netlink_grow(&f->table.links, &f->table.n_links, sizeof(*ours));
	ours->if_idx = OURS_IDX;
}

static void follow_close(struct follow *f)
{
	rtnl_free_table(&f->table);
	close(f->fd);
	world_close(&f->w);
}

static bool was_read_anew(const struct follow *f)
{
	for (unsigned int i = 0; i < f->table.n_links; i++)
		if (f->table.links[i].if_idx == OURS_IDX)
			return false;
	return true;
}

static bool has(const void *v, unsigned int n, size_t size, const void *entry)
{
	const char *at = v;

	for (; n--; at += size)
		if (!memcmp(at, entry, size))
			return true;
	return false;
}

/* What reading the table anew cannot know. */
static void forget_removals(struct rtnl_table *table)
{
	for (unsigned int i = 0; i < table->n_addrs; i++)
		table->addrs[i].since = 0;
}

static bool is_current(struct follow *f)
{
	struct rtnl_table now = { 0 };
	bool same;

	cr_assert_geq(rtnl_follow(f->fd, &f->table), 0);
	cr_assert_eq(rtnl_read_table(&now), 0);
	forget_removals(&f->table);
	same = now.n_links + !was_read_anew(f) == f->table.n_links &&
	       now.n_addrs == f->table.n_addrs;
	for (unsigned int i = 0; same && i < now.n_links; i++)
		same = has(f->table.links, f->table.n_links, sizeof(*now.links),
			   &now.links[i]);
	for (unsigned int i = 0; same && i < now.n_addrs; i++)
		same = has(f->table.addrs, f->table.n_addrs, sizeof(*now.addrs),
			   &now.addrs[i]);
	rtnl_free_table(&now);
	return same;
}

Test(follow, notifications_change_the_table_as_reading_it_anew_would)
{
	static const char *const changes[] = {
		"link add one type veth peer name two",
		"link set one up\nlink set two up",
		"addr add 192.0.2.1/24 dev one\naddr add 192.0.2.1/32 dev one",
		"addr add 192.0.2.2/24 dev one\naddr add 192.0.2.1/24 dev two",
		"addr del 192.0.2.1/32 dev one",
		"addr add 2001:db8::1/64 dev one",
		"addr change 2001:db8::1/64 dev one preferred_lft 0",
		"addr add 192.0.2.9 peer 192.0.2.10 dev two",
		"link add name br0 type bridge\nlink set br0 up\nlink set two master br0",
		"link set two nomaster",
		"link set one down",
		"link set one name three\nlink set three up",
		"link set two down",
		"link set two up",
		"addr del 192.0.2.1/24 dev three", /* with its secondary */
		"link add four type veth peer name five\nlink set four up\nlink del four",
		"link del three",
		"link del br0",
	};
	struct follow f;

	NEED_SANDBOX();
	follow_open(&f);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		cr_assert_eq(host_ip(&f.w.client, changes[i]), 0, "%s", changes[i]);
		cr_assert(WAIT_FOR(is_current(&f)), "%s", changes[i]);
		cr_assert(!was_read_anew(&f), "%s", changes[i]);
	}
	follow_close(&f);
}

Test(follow, table_is_read_anew_after_lost_notifications)
{
	const int least = 1;
	struct follow f;

	NEED_SANDBOX();
	follow_open(&f);
	setsockopt(f.fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	for (int i = 0; i < 10; i++)
		cr_assert_eq(host_ip(&f.w.client, "link add one type veth peer name two\n"
						  "addr add 192.0.2.1/24 dev one\n"
						  "link del one"),
			     0);
	cr_assert_eq(host_ip(&f.w.client, "link add last type veth peer name other"), 0);
	cr_assert(WAIT_FOR(is_current(&f)));
	cr_assert(was_read_anew(&f));
	cr_assert(!f.table.lost);
	follow_close(&f);
}

Test(follow, table_that_could_not_be_read_is_read_at_the_next_notification)
{
	struct rlimit many, none = { 0 };
	struct follow f;

	NEED_SANDBOX();
	follow_open(&f);
	rtnl_free_table(&f.table);
	getrlimit(RLIMIT_NOFILE, &many);
	none.rlim_max = many.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	cr_assert_eq(rtnl_read_table(&f.table), -EMFILE);
	cr_assert_eq(rtnl_follow(f.fd, &f.table), -EMFILE);
	cr_assert(!f.table.known);
	setrlimit(RLIMIT_NOFILE, &many);
	cr_assert(is_current(&f));
	cr_assert(f.table.known && !f.table.lost);
	follow_close(&f);
}
