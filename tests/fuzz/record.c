// SPDX-License-Identifier: MIT
/*
 * record.c - records that programs send to the broker
 *
 * Input: records, each a byte of flags, then what the flags select; see take_record().
 * The broker is the real one, without the kernel: every token is a connection of this
 * user, unless it is odd.
 */
#include "fuzz.h"
#include "mptcpaddr/engine.h"
#include "mptcpaddr/log.h"
#include "tools/mptcpaddrd/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct broker *b;
static struct sockaddr_un name;
static socklen_t name_len;

int __wrap_diag_read_owner(int fd, uint32_t token, struct diag_owner *ret_owner);
int __wrap_diag_dump(int protocol, uint32_t states, diag_fn fn, void *ctx);
int __wrap_pm_command_send(int fd, uint16_t family_id, const struct pm_cmd *cmd);
int __wrap_control_listen(struct control *control, const char *base, uid_t uid,
			  char *ret_name, size_t size);

int __wrap_diag_read_owner(int fd, uint32_t token, struct diag_owner *ret_owner)
{
	(void)fd;
	if (token & 1)
		return -ENOENT;
	*ret_owner = (struct diag_owner){ .uid = getuid(), .cookie = token };
	return 0;
}

/* The kernel does not say which listening sockets there are: each stays. */
int __wrap_diag_dump(int protocol, uint32_t states, diag_fn fn, void *ctx)
{
	(void)protocol;
	(void)states;
	(void)fn;
	(void)ctx;
	return -EIO;
}

int __wrap_pm_command_send(int fd, uint16_t family_id, const struct pm_cmd *cmd)
{
	(void)fd;
	(void)family_id;
	return cmd->local.ip[3] & 1 ? -EADDRNOTAVAIL : 0;
}

int __wrap_control_listen(struct control *control, const char *base, uid_t uid,
			  char *ret_name, size_t size)
{
	(void)base;
	(void)uid;
	snprintf(ret_name, size, "%s", "");
	*control = (struct control){ .listener = -1 };
	return -EADDRINUSE;
}

static void open_broker(void)
{
	b = calloc(1, sizeof(*b));
	policy_default(&b->policy);
	b->policy.user_rate = 1000000;
	b->name_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* The kernel chooses a name. */
	fuzz_check(!bind(b->name_fd, (void *)&name, sizeof(name.sun_family)) &&
			   !listen(b->name_fd, 16),
		   "no socket");
	name_len = sizeof(name);
	getsockname(b->name_fd, (void *)&name, &name_len);
	b->path_fd = b->lazy_fd = b->rtnl_fd = b->signal_fd = b->controls_fd =
		b->command_fd = -1;
	b->path_manager_fd = b->journal_fd = b->state_dir = b->rearm.sysctl_fd = -1;
	b->pump = (struct event_pump){
		.event_fd = -1, .diag_fd = -1, .send_command = dispatch_command, .ctx = b
	};
	b->table.known = true;
}

static void close_broker(void)
{
	struct client *client, *next;
	struct user *user, *next_user;

	for (client = b->clients; client; client = next) {
		next = client->next;
		client_free(b, client);
	}
	HASH_ITER (hh, b->users, user, next_user) {
		HASH_DEL(b->users, user);
		free(user);
	}
	for (unsigned int i = 0; i < b->n_peers; i++)
		close(b->peers[i].fd);
	pump_free(&b->pump);
	close(b->name_fd);
	free(b);
}

static void check_clients(void)
{
	const struct client *client;

	for (client = b->clients; client; client = client->next) {
		const struct pool *pool = client->watch.pool;

		fuzz_check(client->engine && pool, "a client without a pool");
		fuzz_check(pool->n_endpoints <= POOL_ENDPOINTS_MAX, "too many endpoints");
		for (const char *at = client->about.program; *at; at++)
			fuzz_check(*at >= ' ' && *at <= '~' && *at != '/',
				   "a name with \\x%02x", (uint8_t)*at);
		for (const char *at = client->about.pool_file; *at; at++)
			fuzz_check(*at >= ' ' && *at <= '~', "a path with \\x%02x",
				   (uint8_t)*at);
	}
}

/*
 * Bits of @what: 1, 2: which token; 4: a question about first paths; 8: all bytes of the
 * head follow; 0x10: the program's name and the path follow; 0x20: the length follows.
 * The pool ends with a NUL, or with the input.
 */
static size_t take_record(struct input *in, uint8_t what, struct record *r)
{
	const uint8_t *end;
	size_t len;

	*r = (struct record){ .head = { .magic = what & 4 ? BROKER_MAGIC_FIRST
							  : BROKER_MAGIC,
					.version = BROKER_VERSION,
					.token = what & 3 },
			      .program = { "curl", "/etc/a.conf" } };
	if (what & 8)
		input_take(in, &r->head, sizeof(r->head));
	if (what & 0x10) {
		input_take(in, r->program.program, 8);
		input_take(in, r->program.path, 16);
	}
	end = input_left(in) ? memchr(in->at, '\0', input_left(in)) : NULL;
	len = (end ?: in->end) - in->at;
	if (len > sizeof(r->pool))
		len = sizeof(r->pool);
	input_take(in, r->pool, len);
	in->at += end && in->at < in->end;
	if (!(what & 8))
		r->head.pool_len = len;
	len += offsetof(struct record, pool);
	return what & 0x20 ? input_u16(in) % (sizeof(*r) + 1) : len;
}

static void send_record(const struct record *r, size_t len, bool late)
{
	char answer[sizeof(struct first_table) + 1024];
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	struct pollfd fds[PEERS_MAX] = { 0 };

	fuzz_check(!connect(fd, (void *)&name, name_len), "not connected");
	if (late)
		registration_accept(b);
	send(fd, r, len, MSG_NOSIGNAL);
	registration_accept(b);
	if (registration_poll_fill(b, fds) && poll(fds, b->n_peers, 0) >= 0)
		registration_serve_peers(b, fds);
	while (recv(fd, answer, sizeof(answer), 0) > 0)
		;
	close(fd);
}

FUZZ_TARGET(data, size)
{
	static struct record record;
	struct input in = { data, data + size };
	struct user *user;

	if (!b)
		log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_DEBUG, "fuzz",
			 1);
	open_broker();
	for (unsigned int i = 0; input_left(&in) && i < 16; i++) {
		const uint8_t what = input_u8(&in);
		const size_t len = take_record(&in, what, &record);

		send_record(&record, len, what & 0x40);
		check_clients();
		dispatch_timers(b);
		for (user = b->users; user; user = user->hh.next)
			user->loading_us = user->registering_us = 0;
	}
	close_broker();
	return 0;
}
