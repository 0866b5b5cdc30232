/* SPDX-License-Identifier: MIT */
/*
 * control_server.h - the manager's end of the control socket (mptcpaddr/control.h)
 */
#pragma once

#include "event_pump.h"
#include "mptcpaddr/control.h"
#include "shim/pool/watch.h"

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

#define CONTROL_CLIENTS_MAX  8
#define CONTROL_ALL_MAX	     1024 /* of all control sockets of a broker, */
#define CONTROL_PER_USER_MAX 16	  /* and of those of one user, besides root's */
#define CONTROL_FDS_MAX	     (1 + CONTROL_CLIENTS_MAX)

#define CONTROL_OWN_USER ((uid_t)-1) /* the effective user at that time */

struct control_client {
	int fd;
	bool root;
	int64_t asked_ms; /* its last request, or when it connected */
	bool follows;	  /* gets each new note */
	bool lags;	  /* has not read the last ones yet */
	uint64_t seen;	  /* sequence number of the last note sent */
};

struct control {
	int listener; /* -1: none */
	uid_t uid;    /* who may ask besides root */
	struct control_client clients[CONTROL_CLIENTS_MAX];
	unsigned int n_clients;
	/* Of a broker: the clients' descriptors are in `epoll`, for `owner`, and those of
	 * other users than root are counted. NULL: not a broker's. */
	void *owner;
	int epoll;
	unsigned int *held, *held_by_all;
};

/* Where answers come from. */
struct control_view {
	struct ctl_manager *about; /* completed by control_serve() from the others */
	const struct engine *engine;
	const struct pool_watch *watch;
	const struct event_pump *pump;
	/* Return: 0, or -errno and the reason in @ret_why. */
	int (*edit)(void *ctx, char *words, char *ret_why, size_t size);
	void *ctx;
};

/*
 * control_open() - listen on "mptcpaddr/PID"
 *
 * Return: 0, with the name in @ret_name; -EALREADY if this process does; other -errno.
 */
int control_open(struct control *control, int pid, char *ret_name, size_t size);
/*
 * control_listen() - listen on @name, for root and @uid
 *
 * If it is held, by another PID namespace or another user, its continuation is random:
 * nobody can hold that. Return: 0, with the name in @ret_name; -errno.
 */
int control_listen(struct control *control, const char *name, uid_t uid, char *ret_name,
		   size_t size);
void control_close(struct control *control);

/* control_drop_silent() - disconnect who has asked nothing for long. Return: false: none.
 */
bool control_drop_silent(struct control *control);
/* control_is_followed() - new notes have to be sent */
bool control_is_followed(const struct control *control);

/* control_poll_fill() - fill @fds for poll(). Return: how many. */
unsigned int control_poll_fill(const struct control *control, struct pollfd *fds);

/* control_check_request() - Return: 0; -EINVAL, -EPROTO: the answer's error. */
int control_check_request(const struct ctl_request *request, ssize_t n);

/* control_serve() - answer requests, after poll() with @fds of control_poll_fill(). */
void control_serve(struct control *control, const struct pollfd *fds,
		   const struct control_view *view);
