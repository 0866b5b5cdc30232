// SPDX-License-Identifier: MIT
/*
 * control.c - the requests of corpus/, sent over a real socket, are accepted
 *
 * tests/fuzz/control.c changes them.
 */
#include "play.h"
#include "shim/manager/control_server.h"
#include "shim/pool/watch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CORPUS	    "tests/unit/corpus"
#define CORPUS_MAX  32
#define REQUEST_MAX 400
#define PID_FAKE    4000000 /* above PID_MAX_LIMIT */

struct sample {
	size_t len;
	unsigned char data[REQUEST_MAX];
};

struct server {
	struct play play;
	struct control control;
	struct pool_watch watch;
	struct ctl_manager about;
	char name[32];
};

static unsigned int corpus_read(struct sample *samples)
{
	unsigned int n = 0;
	struct dirent *entry;
	DIR *dir = opendir(CORPUS);
	char path[512];
	FILE *f;

	cr_assert(dir, "no %s here", CORPUS);
	while ((entry = readdir(dir)) && n < CORPUS_MAX) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), CORPUS "/%s", entry->d_name);
		f = fopen(path, "re");
		cr_assert(f, "%s", path);
		samples[n].len = fread(samples[n].data, 1, REQUEST_MAX, f);
		n++;
		fclose(f);
	}
	closedir(dir);
	cr_assert_geq(n, 9, "%u samples", n);
	return n;
}

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

/* Each unchanged request of the corpus is accepted. */
Test(control, unchanged_corpus_is_accepted)
{
	static struct server s;
	static struct sample corpus[CORPUS_MAX];
	unsigned int n, i;

	n = corpus_read(corpus);
	for (i = 0; i < n; i++) {
		struct ctl_answer head = { 0 };
		int fd;

		server_open(&s);
		fd = dial(&s);
		serve(&s);
		cr_assert_eq(send(fd, corpus[i].data, corpus[i].len, MSG_NOSIGNAL),
			     (ssize_t)corpus[i].len);
		serve(&s);
		cr_assert_geq(recv(fd, &head, sizeof(head), MSG_DONTWAIT),
			      (ssize_t)sizeof(head));
		cr_assert_eq(head.error, 0, "sample %u: %d", i, head.error);
		close(fd);
		server_close(&s);
	}
}
