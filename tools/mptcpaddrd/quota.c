// SPDX-License-Identifier: MIT
/*
 * quota.c - limits of what users hold; what has ended is dropped
 *
 * A full table makes room at the cost of the user who has the most in it: so nobody can
 * shut out others, however many users he is. Root's share is not limited.
 */
#include "broker.h"
#include "mptcpaddr/engine.h"
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"
#include "shim/common/str.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utlist.h>

#define CLIENTS_MAX   512
#define CROWDS_LOG_MS 1000
#define UNLISTED_MS   1000 /* for tools that follow it to the end */
/* Its memory of endpoints without answer is good for so long (FIRST_AVOID_AGAIN_S). */
#define FORGOTTEN_MS 600000

static bool client_is_idle(const struct client *client)
{
	return !client->listeners && !engine_conns(client->engine);
}

static bool client_has_ended(const struct client *client)
{
	return client->ended;
}

/* The least recently used one of @user, NULL: any, that @fits, NULL: any. */
static struct client *client_oldest(const struct broker *b, const struct user *user,
				    bool (*fits)(const struct client *))
{
	struct client *client;

	for (client = b->clients; client; client = client->next)
		if ((!user || client->user == user) && (!fits || fits(client)))
			return client;
	return NULL;
}

static unsigned int count_clients(const struct user *user)
{
	return user->clients;
}

static unsigned int count_controls(const struct user *user)
{
	return user->controls;
}

/* Not root. NULL: none has any. */
static struct user *user_with_most(const struct broker *b,
				   unsigned int (*count)(const struct user *))
{
	struct user *user, *next, *most = NULL;

	HASH_ITER (hh, b->users, user, next)
		if (user->uid && count(user) && (!most || count(user) > count(most)))
			most = user;
	return most;
}

static struct client *find_victim(const struct broker *b, const struct user *user)
{
	const struct user *most = user_with_most(b, count_clients);
	struct client *victim;

	if (user->uid && user->clients >= CLIENTS_PER_USER)
		return client_oldest(b, user, client_is_idle);
	victim = client_oldest(b, NULL, client_has_ended);
	if (!victim && most)
		victim = client_oldest(b, most, client_is_idle);
	if (!victim && most && (!user->uid || most->clients > user->clients + 1))
		victim = client_oldest(b, most, NULL);
	return victim ?: client_oldest(b, NULL, client_is_idle);
}

/* Once a second, besides user_log(): its other lines must not hide these. */
static bool may_log(void)
{
	static int64_t logged_ms;

	if (logged_ms && clock_ms() - logged_ms < CROWDS_LOG_MS)
		return false;
	logged_ms = clock_ms();
	return true;
}

static void log_victim(const struct client *victim, const struct user *user)
{
	if (client_is_idle(victim) || !may_log())
		return;
	log_warning("user %u has the most programs, %u: %u connection%s of %s lost their "
		    "pool to a program of user %u",
		    victim->user->uid, victim->user->clients,
		    engine_conns(victim->engine), PLURAL(engine_conns(victim->engine)),
		    victim->about.program, user->uid);
}

bool client_make_room(struct broker *b, const struct user *user)
{
	struct client *victim;

	if ((!user->uid || user->clients < CLIENTS_PER_USER) &&
	    b->n_clients < CLIENTS_MAX)
		return true;
	victim = find_victim(b, user);
	if (!victim)
		return false;
	log_victim(victim, user);
	client_free(b, victim);
	return true;
}

static void drop_process(struct client *client, unsigned int i)
{
	close(client->processes[i].fd);
	client->processes[i] = client->processes[--client->n_processes];
}

void client_follow_process(struct client *client, pid_t pid)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	unsigned int i;
	int fd;

	for (i = 0; i < client->n_processes; i++)
		if (client->processes[i].pid == pid)
			return;
	fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (fd < 0) {
		client->untracked |= pid <= 0 || errno != ESRCH;
		return;
	}
	if (client->n_processes ==
	    CLIENT_PROCESSES) { /* or look at it when it connects */
		close(client->processes[0].fd);
		memmove(client->processes, client->processes + 1,
			--client->n_processes * sizeof(client->processes[0]));
	}
	epoll_ctl(client->broker->controls_fd, EPOLL_CTL_ADD, fd, &event);
	client->processes[client->n_processes++] = (struct client_process){ pid, fd };
}

void client_reap(struct client *client)
{
	struct pollfd poll_fd;
	unsigned int i;

	for (i = client->n_processes; i-- > 0;) {
		poll_fd = (struct pollfd){ client->processes[i].fd, POLLIN, 0 };
		if (poll(&poll_fd, 1, 0) == 1)
			drop_process(client, i);
	}
}

/* When to look at it again; INT64_MAX: after an event. */
int64_t client_end_due(const struct client *client)
{
	if (!client->ended_ms)
		return INT64_MAX;
	return client->ended_ms +
	       (client->ended || client->untracked ? FORGOTTEN_MS : UNLISTED_MS);
}

void clients_drop_ended(struct broker *b, bool now)
{
	struct client *client, *next;

	DL_FOREACH_SAFE (b->clients, client, next) {
		if (client->n_processes || !client_is_idle(client)) {
			client->ended_ms = 0;
			continue;
		}
		if (!client->ended_ms)
			client->ended_ms = clock_ms();
		if (now || clock_ms() >= client->ended_ms + FORGOTTEN_MS) {
			client_free(b, client);
		} else if (!client->ended && clock_ms() >= client_end_due(client)) {
			client->ended = true;
			control_close(&client->control);
		}
	}
}

void controls_make_room(struct broker *b)
{
	const struct user *most;
	struct client *client;

	if (b->controls < CONTROL_ALL_MAX)
		return;
	most = user_with_most(b, count_controls);
	for (client = b->clients; client; client = client->next)
		if (client->user == most && control_drop_silent(&client->control))
			return;
}

void controls_log(struct user *user)
{
	const bool crowded = user->controls >= CONTROL_PER_USER_MAX;

	if (crowded && !user->crowded && may_log()) {
		log_warning("user %u has %u connected tools, as many as one user may "
			    "have: silent ones make room",
			    user->uid, user->controls);
		user->crowded = true;
	}
	user->crowded &= crowded;
}

/* Idle clients do not count: they make room at nobody's cost. */
void quota_describe(const struct broker *b, char *ret_text, size_t size)
{
	unsigned int all = 0, most = 0, many;
	const struct client *client;
	struct user *user, *next;
	size_t len = 0;

	ret_text[0] = '\0';
	HASH_ITER (hh, b->users, user, next)
		user->busy = 0;
	for (client = b->clients; client; client = client->next) {
		user = client->user;
		if (client_is_idle(client) || !user->uid)
			continue;
		all++;
		if (++user->busy > most)
			most = user->busy;
	}
	many = all >= CLIENTS_MAX ? most : CLIENTS_PER_USER;
	HASH_ITER (hh, b->users, user, next)
		if ((user->busy >= many || user->controls >= CONTROL_PER_USER_MAX) &&
		    len < size)
			len += snprintf(ret_text + len, size - len,
					"%suser %u has %u program%s and %u tool%s",
					len ? ", " : "", user->uid, user->busy,
					PLURAL(user->busy), user->controls,
					PLURAL(user->controls));
}
