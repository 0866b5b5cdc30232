// SPDX-License-Identifier: MIT
/*
 * control.c - requests sent over a real socket are accepted
 *
 * tests/fuzz/control.c changes them.
 */
#include "play.h"
#include "shim/manager/control_server.h"
#include "shim/pool/watch.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PID_FAKE 4000000 /* above PID_MAX_LIMIT */

/* In the byte order of the machine, as those of the tools. */
#define REQUEST(...)                                                    \
	{                                                               \
		.magic = CTL_MAGIC, .version = CTL_VERSION, __VA_ARGS__ \
	}
#define EDIT(words) REQUEST(.op = CTL_OP_EDIT, .text = words)
static const struct ctl_request requests[] = {
	REQUEST(.op = CTL_OP_MANAGER),
	REQUEST(.op = CTL_OP_CONNECTIONS),
	REQUEST(.op = CTL_OP_CONNECTIONS, .after = UINT64_C(0x300000004)),
	REQUEST(.op = CTL_OP_ENDPOINTS),
	REQUEST(.op = CTL_OP_ANNOUNCED),
	REQUEST(.op = CTL_OP_NOTES),
	REQUEST(.op = CTL_OP_FOLLOW),
	REQUEST(.op = CTL_OP_SECTIONS),
	REQUEST(.op = CTL_OP_CONFIGURED),
	EDIT("endpoint add 10.0.4.2 dev eth1 laminar backup"),
	EDIT("endpoint add 2001:db8::7 id 9 subflow fullmesh"),
	EDIT("endpoint change 10.0.2.2 backup"),
	EDIT("endpoint add 10.0.9.1 signal port 8443"),
	EDIT("limits subflows 4 add_addr_accepted 3"),
	EDIT("endpoint flush"),
};

struct server {
	struct play play;
	struct control control;
	struct pool_watch watch;
	struct ctl_manager about;
	char name[32];
};

static int edit(void *ctx, char *words, char *ret_why, size_t size)
{
	struct server *s = ctx;
	struct pool_error why = { "" };
	struct pool *old;
	int r;

	cr_assert_lt(strlen(words), CTL_TEXT_MAX);
	r = watch_edit(&s->watch, words, &old, &why);
	snprintf(ret_why, size, "%s", why.text);
	cr_assert_eq(r, 0, "%s", why.text);
	engine_set_pool(s->play.engine, s->watch.pool);
	pool_free(old);
	return 0;
}

static void server_open(struct server *s)
{
	char path[] = "/tmp/control-XXXXXX";
	int fd = mkstemp(path);
	unsigned int i;

	cr_assert_geq(fd, 0);
	cr_assert_gt(dprintf(fd, "[pool]\nendpoint = 10.0.2.2\nendpoint = 10.0.3.2\n"),
		     0);
	close(fd);
	cr_assert_eq(watch_open(&s->watch, path, NULL, 0), 0);
	unlink(path);
	play_open(&s->play, "[pool]\nendpoint=10.0.2.2\nendpoint=10.0.3.2\n");
	engine_set_pool(s->play.engine, s->watch.pool);
	for (i = 1; i <= 10; i++) {
		play_connect(&s->play, i, "10.0.1.2", "10.0.1.1:80");
		play_announce(&s->play, i, 1, "10.0.2.1:80");
	}
	cr_assert_eq(control_open(&s->control, PID_FAKE + getpid() % 1000, s->name,
				  sizeof(s->name)),
		     0);
}

static void server_close(struct server *s)
{
	unsigned int i;

	for (i = 1; i <= 10; i++)
		play_closed(&s->play, i);
	control_close(&s->control);
	engine_free(s->play.engine);
	pool_free(s->play.pool);
	watch_close(&s->watch);
}

static int dial(const struct server *s)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(s->name);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(addr.sun_path + 1, s->name, len);
	len += offsetof(struct sockaddr_un, sun_path) + 1;
	cr_assert_eq(connect(fd, (struct sockaddr *)&addr, len), 0);
	return fd;
}

static void serve(struct server *s)
{
	struct pollfd fds[CONTROL_FDS_MAX];
	const struct event_pump pump = { .lost = false };
	const struct control_view view = { .about = &s->about,
					   .engine = s->play.engine,
					   .watch = &s->watch,
					   .pump = &pump,
					   .edit = edit,
					   .ctx = s };
	unsigned int n = control_poll_fill(&s->control, fds);

	poll(fds, n, 0);
	control_serve(&s->control, fds, &view);
}

Test(control, requests_are_accepted)
{
	static struct server s;
	const struct ctl_request *request;

	for (request = requests;
	     request < requests + sizeof(requests) / sizeof(*requests); request++) {
		struct ctl_answer head = { 0 };
		int fd;

		server_open(&s);
		fd = dial(&s);
		serve(&s);
		cr_assert_eq(send(fd, request, sizeof(*request), MSG_NOSIGNAL),
			     (ssize_t)sizeof(*request));
		serve(&s);
		cr_assert_geq(recv(fd, &head, sizeof(head), MSG_DONTWAIT),
			      (ssize_t)sizeof(head));
		cr_assert_eq(head.error, 0, "request %u: %d", request->op, head.error);
		close(fd);
		server_close(&s);
	}
}
