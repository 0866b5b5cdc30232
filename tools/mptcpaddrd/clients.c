// SPDX-License-Identifier: MIT
/*
 * clients.c - users, their programs with their pools, and their connections
 */
#include "broker.h"
#include "mptcpaddr/engine.h"
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"
#include "shim/pool/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

/* A new pool is parsed, and may change ten thousand connections. */
#define LOADS_PER_SECOND 10
#define LOADS_AT_ONCE	 (2 * CLIENTS_PER_USER)

/* Drop users without clients. Their rates restart, but only many users can cause that. */
static void users_drop(struct user **users, bool all)
{
	struct user *user, *next;

	HASH_ITER (hh, *users, user, next) {
		if (!all && (user->waiting || user->clients || user->connections))
			continue;
		HASH_DEL(*users, user);
		free(user);
	}
}

struct user *user_get(struct user **users, uid_t uid)
{
	struct user *user;

	HASH_FIND(hh, *users, &uid, sizeof(uid), user);
	if (user)
		return user;
	if (HASH_COUNT(*users) >= USERS_MAX)
		users_drop(users, false);
	if (HASH_COUNT(*users) >= USERS_MAX)
		return NULL;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	HASH_ADD(hh, *users, uid, sizeof(user->uid), user);
	return user;
}

void users_free(struct user **users)
{
	users_drop(users, true);
}

bool rate_take(struct rate *rate, unsigned int per_second, unsigned int burst)
{
	const int64_t now_us = clock_us(), each = 1000000 / (per_second ?: 1);

	if (!per_second)
		return false;
	if (rate->full_us < now_us)
		rate->full_us = now_us;
	if (rate->full_us - now_us > each * burst)
		return false;
	rate->full_us += each;
	return true;
}

int read_pool_file(const char *path, char **ret_text, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r = 0;
	struct stat st;
	ssize_t n = -1;
	char *text;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > BROKER_POOL_MAX) {
		close(fd);
		return -EFBIG;
	}
	text = malloc(st.st_size + 1);
	if (text)
		n = read(fd, text, st.st_size);
	if (n < 0) {
		r = text ? -errno : -ENOMEM;
		free(text);
	} else {
		*ret_text = text;
		*ret_len = n;
	}
	close(fd);
	return r;
}

struct client_conn *client_conn_find(const struct broker *b, uint32_t token)
{
	struct client_conn *conn;

	HASH_FIND(hh, b->conns, &token, sizeof(token), conn);
	return conn;
}

void client_conn_drop(struct broker *b, struct client_conn *conn)
{
	struct user *user = conn->client->user;

	user->connections--;
	user->subflows -= conn->subflows;
	HASH_DEL(b->conns, conn);
	free(conn);
}

void client_conn_forget(struct broker *b, struct client_conn *conn)
{
	const struct pm_event closed = { .type = PM_EVENT_CLOSED, .token = conn->token };
	struct engine *engine = conn->client->engine;
	struct pm_cmds none = { .n = 0 };

	engine_set_clock(engine, clock_ms());
	engine_handle(engine, &closed, &none);
	client_conn_drop(b, conn);
}

void client_conn_sweep(struct broker *b, struct client *client)
{
	struct client_conn *conn, *next;

	HASH_ITER (hh, b->conns, conn, next)
		if (conn->client == client &&
		    !engine_has_conn(client->engine, conn->token))
			client_conn_drop(b, conn);
}

/* The interface that has @addr; "": none. */
static const char *find_device_of(const struct rtnl_table *table,
				  const struct mpaddr *addr)
{
	unsigned int i, k;

	for (i = 0; i < table->n_addrs; i++) {
		if (!mpaddr_same_ip(&table->addrs[i].addr, addr))
			continue;
		for (k = 0; k < table->n_links; k++)
			if (table->links[k].if_idx == table->addrs[i].if_idx)
				return table->links[k].dev;
	}
	return "";
}

/* Drop endpoints that the policy does not allow; their sections keep their `kinds`. */
static void client_apply_policy(struct client *client, struct pool *pool)
{
	const struct broker *b = client->broker;
	struct pool_error *error = &client->watch.error;
	const struct endpoint *ep;
	char text[MPADDR_TEXT_MAX];
	unsigned int i, kept = 0;

	if (pool->subflows > b->policy.subflows)
		pool->subflows = b->policy.subflows;
	for (i = 0; i < pool->n_endpoints; i++) {
		ep = &pool->endpoints[i];
		if (policy_address(&b->policy, &ep->addr,
				   ep->dev[0] ? ep->dev
					      : find_device_of(&b->table, &ep->addr))) {
			pool->endpoints[kept++] = *ep;
			continue;
		}
		snprintf(error->text, sizeof(error->text),
			 "%.300s:%u: the broker does not allow %s", client->path,
			 ep->line, mpaddr_text(&ep->addr, text));
	}
	pool->n_endpoints = kept;
}

/* Resolve @spec, which becomes the client's even on failure, and put the pool in force.
 */
static int client_apply_pool(struct client *client, struct pool *spec)
{
	struct pool_watch *watch = &client->watch;
	struct pool *pool = calloc(1, sizeof(*pool)), *old = watch->pool;

	if (watch->spec != spec)
		pool_free(watch->spec);
	watch->spec = spec;
	if (!pool)
		return -ENOMEM;
	watch->error.text[0] = '\0';
	pool_resolve(spec, &client->broker->table, old, pool);
	client_apply_policy(client, pool);
	watch->pool = pool;
	if (client->engine) {
		engine_set_clock(client->engine, clock_ms());
		engine_set_pool(client->engine, pool);
		client->due_ms = 0;
		pool_free(old);
		return 0;
	}
	client->engine = engine_new(pool);
	if (!client->engine)
		return -ENOMEM;
	engine_set_log(client->engine, pump_log_note, client->program);
	return 0;
}

void resolve_clients(struct broker *b)
{
	struct client *client;

	for (client = b->clients; client; client = client->next)
		if (client_apply_pool(client, client->watch.spec) < 0)
			log_error("no memory for the pool of %s", client->program);
}

/* Return: 0; -EDQUOT: too often; -EINVAL, -ENOMEM: keeping the previous pool. */
static int client_load_pool(struct client *client, const char *text, size_t len,
			    struct pool_error *why)
{
	struct pool *spec;
	char *copy;
	int r;

	if (!client->adopts.line &&
	    !rate_take(&client->user->loading, LOADS_PER_SECOND, LOADS_AT_ONCE)) {
		snprintf(why->text, sizeof(why->text), "%.300s: changes too often",
			 client->path);
		return -EDQUOT;
	}
	copy = malloc(len ?: 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	free(client->text);
	client->text = copy; /* also if it is wrong: not to parse it again */
	client->text_len = len;
	r = pool_load_text(text, len, client->path, &spec, why);
	if (r == 0)
		r = client_apply_pool(client, spec);
	if (client->engine && r < 0)
		client->watch.error = *why;
	if (client->engine && client->watch.loads++)
		engine_note(client->engine, PM_NOTE_POOL, r < 0 ? EINVAL : 0);
	return r;
}

static void client_open_control(struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	struct ctl_manager *about = &client->about;
	char name[32];
	int r;

	snprintf(name, sizeof(name), CTL_NAME_PREFIX "broker.%u", client->number);
	r = control_listen(&client->control, name, client->user->uid);
	if (r == 0 && epoll_ctl(client->broker->controls_fd, EPOLL_CTL_ADD,
				client->control.listener, &event) < 0)
		r = -errno;
	if (r < 0)
		log_warning("no control socket %s: %s", name, strerror(-r));
	about->pid = getpid();
	about->uid = client->user->uid;
	strcpy(about->backend, "broker");
	snprintf(about->program, sizeof(about->program), "%s", client->program);
	snprintf(about->pool_file, sizeof(about->pool_file), "%s", client->path);
}

void client_free(struct broker *b, struct client *client)
{
	struct client_conn *conn, *next;

	HASH_ITER (hh, b->conns, conn, next)
		if (conn->client == client)
			client_conn_drop(b, conn);
	DL_DELETE(b->clients, client);
	b->n_clients--;
	client->user->clients--;
	control_close(&client->control);
	engine_free(client->engine);
	pool_free(client->watch.spec);
	pool_free(client->watch.pool);
	free(client->text);
	free(client);
}

/* For one more client, drop the least recently used one without connections. */
static bool client_make_room(struct broker *b, const struct user *user)
{
	const bool own = user->clients >= CLIENTS_PER_USER;
	struct client *client, *oldest = NULL;

	if (!own && b->n_clients < CLIENTS_MAX)
		return true;
	for (client = b->clients; client; client = client->next)
		if ((!own || client->user == user) && !client->adopts.line &&
		    !engine_conns(client->engine) &&
		    (!oldest || client->used_ms < oldest->used_ms))
			oldest = client;
	if (!oldest)
		return false;
	client_free(b, oldest);
	return true;
}

static struct client *client_new(struct broker *b, struct user *user, const char *program,
				 const char *path, const struct policy_program *adopts)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->broker = b;
	client->user = user;
	if (adopts)
		client->adopts = *adopts;
	snprintf(client->program, sizeof(client->program), "%s", program);
	snprintf(client->path, sizeof(client->path), "%s", path);
	client->watch =
		(struct pool_watch){ .path = client->path, .rtnl_fd = -1, .file_fd = -1 };
	client->control.listener = -1;
	client->due_ms = INT64_MAX;
	client->used_ms = clock_ms();
	client->number = ++b->last_number;
	user->clients++;
	b->n_clients++;
	DL_APPEND(b->clients, client);
	return client;
}

static struct client *client_find(struct broker *b, const struct user *user,
				  const char *program, const char *path, bool adopts)
{
	struct client *client;

	for (client = b->clients; client; client = client->next)
		if (client->user == user && !client->adopts.line == !adopts &&
		    !strcmp(client->program, program) && !strcmp(client->path, path))
			return client;
	return NULL;
}

struct client *client_get(struct broker *b, struct user *user, const char *program,
			  const char *path, const char *text, size_t len,
			  const struct policy_program *adopts, struct pool_error *why)
{
	struct client *client = client_find(b, user, program, path, adopts);
	int r;

	if (client) {
		client->used_ms = clock_ms();
		if (client->text_len != len || memcmp(client->text, text, len) != 0) {
			r = client_load_pool(client, text, len, why);
			if (r == 0)
				journal_add(b, client, NULL);
			else if (r != -EDQUOT) /* too many lines otherwise */
				log_warning("%s", why->text);
		}
		return client; /* with its previous pool, if the new one is wrong */
	}
	r = -ENOSPC;
	if (client_make_room(b, user)) {
		client = client_new(b, user, program, path, adopts);
		r = client ? client_load_pool(client, text, len, why) : -ENOMEM;
	}
	if (r < 0) {
		if (client)
			client_free(b, client);
		if (!why->text[0])
			pool_error_set(why, r, "%s", strerror(-r));
		return NULL;
	}
	pump_check_kernel(client->engine);
	client_open_control(client);
	log_info("user %u: %s: %u endpoints from %s", user->uid, program,
		 client->watch.pool->n_endpoints, path);
	if (client->watch.error.text[0])
		log_warning("%s", client->watch.error.text);
	journal_add(b, client, NULL);
	return client;
}

int client_register(struct broker *b, struct client *client, uint32_t token, bool v6only,
		    uint64_t cookie)
{
	struct pm_registration reg = { .token = token,
				       .v6only = v6only,
				       .when = clock_ms() / 1000 };
	struct client_conn *conn;
	int r;

	if (client->user->connections >= b->policy.user_connections)
		return -EDQUOT;
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	*conn = (struct client_conn){
		.token = token, .v6only = v6only, .cookie = cookie, .client = client
	};
	engine_set_clock(client->engine, clock_ms());
	r = engine_register(client->engine, &reg);
	if (r < 0) {
		free(conn);
		return r;
	}
	HASH_ADD(hh, b->conns, token, sizeof(conn->token), conn);
	if (!conn->hh.tbl) {
		free(conn); /* its events are foreign, although the engine has it */
		return -ENOMEM;
	}
	client->user->connections++;
	client->about.registrations++;
	return 0;
}

static int client_edit_pool(struct client *client, char *words, struct pool_error *why)
{
	struct pool *spec = malloc(sizeof(*spec));
	int r;

	if (!spec)
		return pool_error_set(why, -ENOMEM, "no memory");
	*spec = *client->watch.spec;
	r = pool_edit(spec, client->watch.pool, words, why);
	if (r < 0) {
		pool_free(spec);
		return r;
	}
	r = client_apply_pool(client, spec);
	if (r < 0)
		return pool_error_set(why, r, "no memory");
	engine_note(client->engine, PM_NOTE_POOL, 0);
	return 0;
}

/* For struct control_view. */
static int client_edit(void *ctx, char *words, char *ret_why, size_t size)
{
	struct client *client = ctx;
	struct pool_error why = { "" };
	int r;

	if (!client->broker->policy.pools && !client->adopts.line)
		r = pool_error_set(&why, -EPERM,
				   "the policy has \"pools = no\": "
				   "pools are the administrator's");
	else if (!rate_take(&client->user->loading, LOADS_PER_SECOND, LOADS_AT_ONCE))
		r = pool_error_set(&why, -EPERM, "too many changes");
	else
		r = client_edit_pool(client, words, &why);
	snprintf(ret_why, size, "%s", why.text);
	return r;
}

void client_serve_control(struct client *client, const struct pollfd *fds)
{
	const struct control_view view = { .about = &client->about,
					   .engine = client->engine,
					   .watch = &client->watch,
					   .pump = &client->broker->pump,
					   .edit = client_edit,
					   .ctx = client };

	client->about.registrations_lost = client->user->refused;
	control_serve(&client->control, fds, &view);
}
