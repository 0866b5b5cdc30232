// SPDX-License-Identifier: MIT
/*
 * clients.c - users, their programs with their pools, and their connections
 */
#include "broker.h"
#include "mptcpaddr/engine.h"
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"
#include "shim/common/str.h"
#include "shim/pool/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#define USERS_MAX 4096

/* A new pool is parsed, and may change ten thousand connections. */
#define LOADS_PER_SECOND 10
#define LOADS_AT_ONCE	 (2 * CLIENTS_PER_USER)

/* Lines of the log about a user, and about all: there may be many users. */
#define LINES_PER_SECOND 1
#define LINES_AT_ONCE	 20
#define LINES_OF_ALL	 10 /* times as many */

/* Drop users without clients. Their rates restart, but only many users can cause that. */
static void drop_idle_users(struct broker *b)
{
	struct user *user, *next;

	HASH_ITER (hh, b->users, user, next) {
		if (user->waiting || user->clients || user->connections)
			continue;
		HASH_DEL(b->users, user);
		free(user);
	}
}

struct user *user_get(struct broker *b, uid_t uid)
{
	struct user *user;

	HASH_FIND(hh, b->users, &uid, sizeof(uid), user);
	if (user)
		return user;
	if (HASH_COUNT(b->users) >= USERS_MAX)
		drop_idle_users(b);
	if (HASH_COUNT(b->users) < USERS_MAX || uid == 0)
		user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	HASH_ADD(hh, b->users, uid, sizeof(user->uid), user);
	return user;
}

bool rate_take(int64_t *full_us, unsigned int per_second, unsigned int burst)
{
	const int64_t now_us = clock_us(), each = 1000000 / (per_second ?: 1);

	if (*full_us < now_us)
		*full_us = now_us;
	if (!per_second || *full_us - now_us > each * burst)
		return false;
	*full_us += each;
	return true;
}

void user_log(struct broker *b, struct user *user, enum log_level level, const char *fmt,
	      ...)
{
	char text[1024];
	va_list ap;

	if (!log_wanted(&log_manager, level))
		return;
	/* Who asks for debug lines gets all. */
	if (level != LOG_LEVEL_DEBUG &&
	    (!rate_take(&user->logging_us, LINES_PER_SECOND, LINES_AT_ONCE) ||
	     !rate_take(&b->logging_us, LINES_OF_ALL * LINES_PER_SECOND,
			LINES_OF_ALL * LINES_AT_ONCE))) {
		user->unlogged++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (user->unlogged)
		log_print(level, "user %u: %s (left out %u line%s about this user)",
			  user->uid, text, user->unlogged, PLURAL(user->unlogged));
	else
		log_print(level, "user %u: %s", user->uid, text);
	user->unlogged = 0;
}

int read_pool_file(struct record *record)
{
	int fd = open(record->program.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = -EFBIG;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		n = -EINVAL;
	} else if (st.st_size <= (off_t)sizeof(record->pool)) {
		n = read(fd, record->pool, sizeof(record->pool));
		n = n < 0 ? -errno : n;
	}
	close(fd);
	record->head.pool_len = n < 0 ? 0 : n;
	return n < 0 ? n : 0;
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

void client_conn_sweep(struct broker *b, struct client *client)
{
	struct client_conn *conn, *next;

	HASH_ITER (hh, b->conns, conn, next)
		if (conn->client == client &&
		    !engine_has_conn(client->engine, conn->token))
			client_conn_drop(b, conn);
}

static const char *link_name(const struct rtnl_table *table, int if_idx)
{
	unsigned int i;

	for (i = 0; i < table->n_links; i++)
		if (table->links[i].if_idx == if_idx)
			return table->links[i].dev;
	return "";
}

const char *broker_device_of(const struct rtnl_table *table, const struct mpaddr *addr)
{
	unsigned int i;

	for (i = 0; i < table->n_addrs; i++)
		if (mpaddr_same_ip(&table->addrs[i].addr, addr))
			return link_name(table, table->addrs[i].if_idx);
	return "";
}

/*
 * `dev` is the user's word: the address must be there. Without it, routing may select any
 * interface that has the address. One that is down may have lost it.
 */
static bool client_may_use(const struct broker *b, const struct endpoint *ep)
{
	const struct rtnl_address *a, *end = b->table.addrs + b->table.n_addrs;
	const char *dev = "";

	for (a = b->table.addrs; a < end; a++) {
		if (!mpaddr_same_ip(&a->addr, &ep->addr) ||
		    (ep->dev[0] && strcmp(link_name(&b->table, a->if_idx), ep->dev) != 0))
			continue;
		dev = link_name(&b->table, a->if_idx);
		if (!policy_address(&b->policy, &ep->addr, dev))
			return false;
	}
	if (!*dev && ep->state == ENDPOINT_DOWN)
		dev = link_name(&b->table, ep->link);
	return policy_address(&b->policy, &ep->addr, dev);
}

/* Drop endpoints that the policy does not allow; their sections keep their `kinds`. */
static void client_apply_policy(struct client *client)
{
	const struct broker *b = client->broker;
	struct pool *pool = client->watch.pool;
	const struct endpoint *ep = pool->endpoints, *end = ep + pool->n_endpoints;
	char text[MPADDR_TEXT_MAX];

	if (pool->subflows > b->policy.subflows)
		pool->subflows = b->policy.subflows;
	pool->n_endpoints = 0;
	for (; ep < end; ep++) {
		if (client_may_use(b, ep))
			pool->endpoints[pool->n_endpoints++] = *ep;
		else
			pool_error_set(&client->watch.error, 0,
				       "%.300s:%u: the broker does not allow %s%s%s, see "
				       "addresses and devices in broker.conf",
				       client->watch.path, ep->line,
				       mpaddr_text(&ep->addr, text),
				       ep->dev[0] ? " dev " : "", ep->dev);
	}
}

static void client_log_error(struct client *client, const char *consequence)
{
	if (client->watch.error.text[0])
		user_log(client->broker, client->user, LOG_LEVEL_WARNING, "%s%s",
			 consequence, client->watch.error.text);
}

/* For engine_set_callbacks(). */
static void client_log_note(void *ctx, const struct pm_note *note)
{
	const enum log_level level =
		note->what == PM_NOTE_JOIN_FAILED ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
	struct client *client = ctx;
	char text[NOTE_TEXT_MAX];

	if (log_wanted(&log_manager, level))
		user_log(client->broker, client->user, level, "%s: token 0x%08x: %s",
			 client->about.program, note->token, note_text(note, text));
}

/* The policy has to check it: then none, and dispatch_command() refuses that. */
static bool client_find_route(void *ctx, const struct mpaddr *remote,
			      struct mpaddr *ret_local)
{
	const struct client *client = ctx;
	const struct policy *policy = &client->broker->policy;

	return !policy->addresses.n && !policy->n_devices &&
	       rtnl_find_source(remote, ret_local);
}

/* Put watch.pool in force, in place of @old. Return: 0; -ENOMEM. */
static int client_use_pool(struct client *client, struct pool *old)
{
	struct engine *engine = client->engine;
	struct client *other;

	client->watch.error.text[0] = '\0';
	client_apply_policy(client);
	if (client->adopted && client->watch.pool->keepalive_ms)
		pool_error_set(&client->watch.error, 0,
			       "%.300s: keepalive has no effect on adopted connections: "
			       "only the preload library can set it",
			       client->watch.path);
	first_publish(&client->first, client->watch.pool, &client->broker->table);
	if (engine) {
		engine_set_clock(engine, clock_ms());
		engine_set_pool(engine, client->watch.pool);
		client->due_ms = 0;
		pool_free(old);
		return 0;
	}
	for (other = client->broker->clients; other; other = other->next)
		if (other->user == client->user)
			first_inherit(&client->first, &other->first);
	client->engine = engine = engine_new(client->watch.pool);
	if (!engine)
		return -ENOMEM;
	engine_set_callbacks(engine, client_find_route, client_log_note, client);
	engine_set_own(engine, rtnl_has_address, &client->broker->table);
	engine_watch(engine);
	pump_check_kernel(engine);
	return 0;
}

static bool client_quota_spent(struct client *client, const struct pool *pool)
{
	char path[sizeof(METERED_DIR) + 24];

	snprintf(path, sizeof(path), METERED_DIR "metered.%u", client->user->uid);
	return metered_serve(&client->user->metered, pool,
			     client->engine ? engine_metered(client->engine) : 0, path);
}

/* Resolve @spec, the client's even on failure, and put the pool in force. */
static int client_apply_pool(struct client *client, struct pool *spec)
{
	struct pool_watch *watch = &client->watch;
	struct pool *pool = calloc(1, sizeof(*pool)), *old = watch->pool;

	if (watch->spec != spec)
		pool_free(watch->spec);
	watch->spec = spec;
	if (!pool)
		return -ENOMEM;
	pool_resolve(spec, &client->broker->table, old, pool);
	watch->spent = client_quota_spent(client, pool);
	if (watch->spent)
		pool_spend(pool);
	watch->pool = pool;
	return client_use_pool(client, old);
}

int client_serve_quota(struct client *client)
{
	const bool spent = client_quota_spent(client, client->watch.pool);

	if (spent != client->watch.spent)
		client_apply_pool(client, client->watch.spec);
	return metered_wait(&client->user->metered, client->watch.pool);
}

void resolve_clients(struct broker *b)
{
	struct client *client;

	for (client = b->clients; client; client = client->next)
		if (client_apply_pool(client, client->watch.spec) < 0) {
			log_error("no memory for the pool of %s", client->about.program);
			b->table.lost = true; /* so this is tried again */
		}
}

/* Return: 0; -EDQUOT: too often; -EINVAL, -ENOMEM: keeping the previous pool. */
static int client_load_pool(struct client *client, const struct record *record,
			    struct pool_error *why)
{
	const size_t len = record->head.pool_len;
	struct record *copy;
	struct pool *spec;
	int r;

	if (!client->adopted &&
	    !rate_take(&client->user->loading_us, LOADS_PER_SECOND, LOADS_AT_ONCE))
		return pool_error_set(why, -EDQUOT, "%.300s: changes too often",
				      client->watch.path);
	copy = malloc(offsetof(struct record, pool) + len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, record, offsetof(struct record, pool) + len);
	free(client->record);
	client->record = copy; /* also if it is wrong: not to parse it again */
	r = pool_load_text(copy->pool, len, client->watch.path, &spec, why);
	if (r == 0)
		r = client_apply_pool(client, spec);
	if (client->engine && r < 0)
		client->watch.error = *why;
	if (client->engine && client->watch.loads++)
		engine_note(client->engine, PM_NOTE_POOL, r < 0 ? EINVAL : 0);
	return r;
}

void client_free(struct broker *b, struct client *client)
{
	struct client_conn *conn, *next;

	HASH_ITER (hh, b->conns, conn, next)
		if (conn->client == client)
			client_conn_drop(b, conn);
	listeners_drop(b, client);
	while (client->n_processes)
		close(client->processes[--client->n_processes].fd);
	DL_DELETE(b->clients, client);
	b->n_clients--;
	client->user->clients--;
	control_close(&client->control);
	client->user->metered.next_ms = 0; /* do not wait for others */
	if (client->watch.pool)
		client_quota_spent(client, client->watch.pool);
	engine_free(client->engine);
	pool_free(client->watch.spec);
	pool_free(client->watch.pool);
	free(client->record);
	free(client);
}

static struct client *client_new(struct broker *b, struct user *user,
				 const struct broker_program *id, bool adopted)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->broker = b;
	client->user = user;
	client->adopted = adopted;
	client->about = (struct ctl_manager){ .pid = getpid(),
					      .uid = user->uid,
					      .backend = "broker" };
	strcpy(client->about.program, id->program);
	strcpy(client->about.pool_file, id->path);
	client->watch.path = client->about.pool_file;
	client->watch.rtnl_fd = client->watch.file_fd = -1;
	client->control = (struct control){ .listener = -1,
					    .owner = client,
					    .epoll = b->controls_fd,
					    .held = &user->controls,
					    .held_by_all = &b->controls };
	client->due_ms = INT64_MAX;
	client->number = ++b->last_number;
	user->clients++;
	b->n_clients++;
	DL_APPEND(b->clients, client);
	return client;
}

static void client_open_control(struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	char name[32], chosen[48];
	int r;

	snprintf(name, sizeof(name), CTL_NAME_PREFIX "broker.%u", client->number);
	r = control_listen(&client->control, name, client->user->uid, chosen,
			   sizeof(chosen));
	if (r == 0 && epoll_ctl(client->broker->controls_fd, EPOLL_CTL_ADD,
				client->control.listener, &event) < 0)
		r = -errno;
	if (r < 0)
		user_log(client->broker, client->user, LOG_LEVEL_WARNING,
			 "no control socket %s: %s", name, strerror(-r));
}

static struct client *client_find(struct broker *b, const struct user *user,
				  const struct broker_program *id, bool adopted)
{
	struct client *client;

	for (client = b->clients; client; client = client->next) {
		if (client->user != user || client->adopted != adopted ||
		    strcmp(client->about.program, id->program) != 0 ||
		    strcmp(client->watch.path, id->path) != 0)
			continue;
		DL_DELETE(b->clients, client);
		DL_APPEND(b->clients, client); /* the most recently used one */
		return client;
	}
	return NULL;
}

/* A program with its name and pool has been started again. */
static void client_revive(struct broker *b, struct client *client)
{
	client->ended_ms = 0;
	if (!client->ended)
		return;
	client->ended = false;
	client_open_control(client);
	journal_add(b, client, NULL);
}

struct client *client_get(struct broker *b, struct user *user,
			  const struct record *record, bool adopted,
			  struct pool_error *why)
{
	struct client *client = client_find(b, user, &record->program, adopted);
	const uint32_t len = record->head.pool_len;
	int r = -ENOSPC;

	if (client) {
		client_revive(b, client);
		if (client->record->head.pool_len == len &&
		    !memcmp(client->record->pool, record->pool, len))
			return client;
		r = client_load_pool(client, record, why);
		if (r == 0)
			journal_add(b, client, NULL);
		if (r != -EDQUOT) /* too many lines otherwise */
			client_log_error(client,
					 r < 0 ? "keeping the previous pool: " : "");
		return client; /* with its previous pool, if the new one is wrong */
	}
	if (client_make_room(b, user)) {
		client = client_new(b, user, &record->program, adopted);
		r = client ? client_load_pool(client, record, why) : -ENOMEM;
	}
	if (r < 0) {
		if (client)
			client_free(b, client);
		if (!why->text[0] && r == -ENOSPC)
			pool_error_set(why, r,
				       "%u programs with connections have a pool already",
				       user->clients);
		else if (!why->text[0])
			pool_error_set(why, r, "%s", strerror(-r));
		return NULL;
	}
	client_open_control(client);
	user_log(b, user, LOG_LEVEL_INFO, "%s: %u endpoint%s from %s",
		 record->program.program, client->watch.pool->n_endpoints,
		 PLURAL(client->watch.pool->n_endpoints), client->watch.path);
	client_log_error(client, "");
	journal_add(b, client, NULL);
	return client;
}

int client_register(struct broker *b, struct client *client, uint32_t token, bool v6only,
		    enum first_why why, uint64_t cookie)
{
	const struct pm_registration reg = {
		.token = token, .v6only = v6only, .first = why, .when = clock_ms() / 1000
	};
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
	if (r == 0) {
		HASH_ADD(hh, b->conns, token, sizeof(conn->token), conn);
		if (!conn->hh.tbl) /* its events are foreign, although the engine has it
				    */
			r = -ENOMEM;
	}
	if (r < 0) {
		free(conn);
		return r;
	}
	client->user->connections++;
	client->about.registrations++;
	if (client->first.mode != FIRST_ROUTING)
		first_check_add(&b->first_checks, token, clock_ms());
	rearm_registered(b);
	return 0;
}

void first_paths_avoid(struct broker *b, struct user *user, const struct mpaddr *local)
{
	struct client *client;

	for (client = b->clients; client; client = client->next)
		if (client->user == user)
			first_avoid(&client->first, local, clock_ms() / 1000);
}

void first_paths_worked(struct broker *b, struct user *user, const struct mpaddr *local)
{
	struct client *client;

	for (client = b->clients; client; client = client->next)
		if (client->user == user)
			first_worked(&client->first, local);
}

/* For struct control_view. */
static int client_edit(void *ctx, char *words, char *ret_why, size_t size)
{
	struct client *client = ctx;
	struct pool_error why = { "" };
	struct pool *old;
	int r;

	client->watch.table = client->broker->table; /* borrowed */
	if (!client->broker->policy.pools && !client->adopted)
		r = pool_error_set(&why, -EPERM,
				   "the policy has \"pools = no\": "
				   "pools are the administrator's");
	else if (!rate_take(&client->user->loading_us, LOADS_PER_SECOND, LOADS_AT_ONCE))
		r = pool_error_set(&why, -EPERM, "too many changes");
	else
		r = watch_edit(&client->watch, words, &old, &why);
	if (r == 0) {
		client_use_pool(client, old);
		engine_note(client->engine, PM_NOTE_POOL, 0);
	}
	snprintf(ret_why, size, "%s", why.text);
	return r;
}

void client_serve_control(struct client *client)
{
	const struct control_view view = { .about = &client->about,
					   .engine = client->engine,
					   .watch = &client->watch,
					   .pump = &client->broker->pump,
					   .edit = client_edit,
					   .ctx = client };
	struct pollfd fds[CONTROL_FDS_MAX];

	client->about.blackhole_s = client->broker->rearm.noticed_s;
	client->about.registrations_lost = client->user->refused;
	sockopt_report_text(client->options, client->about.options,
			    sizeof(client->about.options));
	if (poll(fds, control_poll_fill(&client->control, fds), 0) >= 0)
		control_serve(&client->control, fds, &view);
	controls_log(client->user);
}
