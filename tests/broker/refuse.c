// SPDX-License-Identifier: MIT
/*
 * refuse.c - malicious users are refused and counted, while other users are served
 */
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLOOD	 40000
#define FLOODERS 4 /* share it */
/* AddressSanitizer delays free(). */
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_KB 65536
#else
#define GROWTH_KB 8192
#endif

static const char *const two[] = { "10.0.2.1", "10.0.3.1", NULL };

static void open_quiet(struct lab *lab)
{
	lab_open(lab, two);
	lab_broker(lab, "");
}

/* A user's program gets its pairs, whatever other users do. */
static void user_is_served(struct lab *lab, uid_t uid)
{
	struct proc client;
	int before = joined_count(&lab->world.client);

	lab_start(lab, &client, uid, lab->pool, tcpclient_argv);
	cr_expect(WAIT_FOR(joined_count(&lab->world.client) == before + 2),
		  "user %u: %d joins", uid, joined_count(&lab->world.client) - before);
	proc_eof(&client);
	cr_expect_eq(proc_wait(&client, EFFECT_MS), 0);
	proc_end(&client);
	cr_expect(WAIT_FOR(joined_count(&lab->world.client) == before));
}

struct sending {
	const void *data;
	size_t len;
};

static int send_it(void *arg)
{
	const struct sending *sending = arg;

	return -record_send(sending->data, sending->len);
}

/* A record of @uid is refused and counted. */
static void is_refused(uid_t uid, const void *data, size_t len, const char *what)
{
	struct ctl_manager before = broker_count(), after;
	struct sending sending = { data, len };

	cr_assert_eq(as_user(uid, send_it, &sending), 0, "%s", what);
	cr_expect(WAIT_FOR((after = broker_count()).registrations_lost ==
			   before.registrations_lost + 1),
		  "%s: %d refused", what,
		  (int)(after.registrations_lost - before.registrations_lost));
	cr_expect_eq(after.registrations, before.registrations, "%s was taken", what);
}

Test(refuse, foreign_and_unknown_tokens)
{
	static char record[BROKER_RECORD_MAX];
	uint32_t token, gone;
	struct lab lab;
	size_t len;
	int fd;

	NEED_USERS();
	open_quiet(&lab);
	fd = native_connection(&token);
	cr_assert_geq(fd, 0, "%s", strerror(errno));
	len = record_fill(record, token, "thief", "/tmp/x.conf", POOL_23);
	is_refused(ALICE, record, len, "root's token");
	len = record_fill(record, token ^ 0x5a5a5a5a, "forger", "/tmp/x.conf", POOL_23);
	is_refused(ALICE, record, len, "a forged token");
	cr_assert_geq(native_connection(&gone), 0);
	close(fd);
	cr_assert(WAIT_FOR(({
		struct subflows s = { 0 };
		bool there = false;

		subflows_read(&lab.world.client, &s);
		for (size_t i = 0; i < s.count; i++)
			there |= s.at[i].token == token;
		subflows_free(&s);
		!there;
	})));
	len = record_fill(record, token, "late", "/tmp/x.conf", POOL_23);
	is_refused(ALICE, record, len, "a stale token");
	cr_expect_eq(joined_count(&lab.world.client), 0);
	user_is_served(&lab, BOB);
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(refuse, malformed_records)
{
	static char record[2 * BROKER_RECORD_MAX];
	const size_t head = sizeof(struct broker_head);
	const size_t least = head + sizeof(struct broker_program);
	size_t lengths[] = { 1,
			     3,
			     4,
			     head - 1,
			     head,
			     least - 1,
			     least,
			     least + 5,
			     BROKER_RECORD_MAX + 1,
			     2 * BROKER_RECORD_MAX };
	struct broker_head *h = (struct broker_head *)record;
	struct lab lab;
	size_t len;

	NEED_USERS();
	open_quiet(&lab);
	len = record_fill(record, 0x1234, "x", "/x", POOL_23);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		is_refused(ALICE, record, lengths[i], "a record cut or drawn out");
	h->version++;
	is_refused(ALICE, record, len, "another version");
	h->version--;
	h->magic ^= 1;
	is_refused(ALICE, record, len, "another magic number");
	h->magic ^= 1;
	h->flags = 0x8000;
	is_refused(ALICE, record, len, "an unknown flag");
	h->flags = 0;
	h->pool_len--;
	is_refused(ALICE, record, len, "a length that is not its own");
	h->pool_len++;
	memset(record + head, 'x', 64);
	is_refused(ALICE, record, len, "a name without an end");
	user_is_served(&lab, ALICE);
	user_is_served(&lab, BOB);
	lab_broker_end(&lab);
	lab_close(&lab);
}

#define SENT_ALONG "/dev/full" /* nobody else opens it */

static int send_descriptors(void *arg)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	union {
		char space[CMSG_SPACE(16 * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec v = { "x", 1 };
	struct msghdr msg = { .msg_iov = &v,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), i;
	const int sent = open(SENT_ALONG, O_RDONLY);

	memcpy(addr.sun_path + 1, BROKER_NAME, sizeof(BROKER_NAME) - 1);
	if (sent < 0 ||
	    connect(fd, (struct sockaddr *)&addr,
		    offsetof(struct sockaddr_un, sun_path) + sizeof(BROKER_NAME)) < 0)
		return 1;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(16 * sizeof(int));
	for (i = 0; i < 16; i++)
		memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &sent, sizeof(int));
	return sendmsg(fd, &msg, 0) == 1 ? 0 : 2;
}

/* How many descriptors of @path the broker has. */
static int descriptors_of(const struct lab *lab, const char *path)
{
	char command[96], text[16] = "";
	FILE *f;

	snprintf(command, sizeof(command), "ls -l /proc/%d/fd | grep -c '%s$'",
		 lab->broker.pid, path);
	f = popen(command, "re");
	cr_assert(f && fgets(text, sizeof(text), f));
	pclose(f);
	return atoi(text);
}

Test(refuse, descriptors_sent_along_are_closed)
{
	struct lab lab;

	NEED_USERS();
	open_quiet(&lab);
	cr_expect_gt(descriptors_of(&lab, ""), 5);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(as_user(ALICE, send_descriptors, NULL), 0);
	cr_expect(WAIT_FOR(broker_count().registrations_lost == 20), "%lu refused",
		  (unsigned long)broker_count().registrations_lost);
	cr_expect_eq(descriptors_of(&lab, SENT_ALONG), 0);
	user_is_served(&lab, BOB);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Return: 0 if all were sent; 1 otherwise. */
static int flood(void *arg)
{
	static char record[BROKER_RECORD_MAX];
	int i, tries, r;

	for (i = 0; i < FLOOD / FLOODERS; i++) {
		size_t len = record_fill(record, 0x10000 + i, "flood", "/f", POOL_23);

		for (tries = 0; tries < 10000; tries++) {
			r = record_send(record, len);
			if (r != -EAGAIN)
				break;
			sched_yield();
		}
		if (r < 0 && r != -EPIPE && r != -ECONNRESET)
			return 1;
	}
	return 0;
}

Test(refuse, a_flood_of_one_user_leaves_the_others_served)
{
	long before, after;
	struct lab lab;
	int64_t began;
	pid_t pids[FLOODERS];
	int status;

	NEED_USERS();
	open_quiet(&lab);
	user_is_served(&lab, BOB);
	before = broker_memory(&lab);
	began = now_ms();
	for (int i = 0; i < FLOODERS; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(as_user(ALICE, flood, NULL));
	}
	for (int i = 0; i < 5; i++)
		user_is_served(&lab, BOB);
	for (int i = 0; i < FLOODERS; i++) {
		cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
		cr_expect_eq(status, 0, "not all were sent: %#x", status);
	}
	cr_log_info("%d records in %d ms", FLOOD, (int)(now_ms() - began));
	cr_expect(WAIT_FOR(broker_count().registrations_lost >= FLOOD), "%lu refused",
		  (unsigned long)broker_count().registrations_lost);
	user_is_served(&lab, BOB);
	after = broker_memory(&lab);
	cr_expect_lt(after - before, GROWTH_KB, "grew by %ld KiB", after - before);
	lab_broker_end(&lab);
	lab_close(&lab);
}

#define SILENT	   900
#define SILENT_MAX 16 /* of one user (PEERS_PER_USER) */

static int count_open(struct pollfd *fds)
{
	int open = 0;

	poll(fds, SILENT, 0);
	for (int i = 0; i < SILENT; i++)
		open += !(fds[i].revents & POLLHUP);
	return open;
}

/*
 * Connections without a record; @arg: a pipe to write to when the broker has closed all
 * but those that one user may have, and again when it has closed these.
 */
static int silent(void *arg)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct pollfd fds[SILENT] = { { 0 } };
	int i;

	memcpy(addr.sun_path + 1, BROKER_NAME, sizeof(BROKER_NAME) - 1);
	for (i = 0; i < SILENT; i++) {
		fds[i].fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		if (fds[i].fd < 0 || connect(fds[i].fd, (struct sockaddr *)&addr,
					     offsetof(struct sockaddr_un, sun_path) +
						     sizeof(BROKER_NAME)) < 0)
			return 1;
	}
	if (!WAIT_FOR(count_open(fds) <= SILENT_MAX) || write(*(int *)arg, "x", 1) != 1 ||
	    !WAIT_FOR(count_open(fds) == 0) || write(*(int *)arg, "x", 1) != 1)
		return 1;
	return 0;
}

Test(refuse, silent_peers_are_disconnected)
{
	int written[2], status;
	struct lab lab;
	pid_t pid;
	char byte;

	NEED_USERS();
	open_quiet(&lab);
	cr_assert_eq(pipe(written), 0);
	pid = fork();
	if (!pid)
		_exit(as_user(ALICE, silent, &written[1]));
	close(written[1]);
	cr_assert_eq(read(written[0], &byte, 1), 1, "not all could connect, or too many");
	user_is_served(&lab, BOB);
	cr_assert_eq(read(written[0], &byte, 1), 1, "some are still connected");
	waitpid(pid, &status, 0);
	cr_expect_eq(status, 0);
	close(written[0]);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Forty different pools a second: excess ones are not parsed. */
static int many_pools(void *arg)
{
	static char record[BROKER_RECORD_MAX];
	char path[64], text[128];
	uint32_t token;
	int i;

	if (native_connection(&token) < 0)
		return 1;
	for (i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "/pool-%d", i);
		snprintf(text, sizeof(text), "[pool]\nendpoint = 10.9.%d.%d\n", i / 200,
			 i % 200 + 1);
		if (record_send(record, record_fill(record, token, "p", path, text)) < 0)
			return 2;
	}
	return 0;
}

Test(refuse, a_user_with_thousands_of_pools_has_a_few)
{
	struct lab lab;
	long before, after;

	NEED_USERS();
	open_quiet(&lab);
	before = broker_memory(&lab);
	cr_assert_eq(as_user(ALICE, many_pools, NULL), 0);
	user_is_served(&lab, BOB);
	after = broker_memory(&lab);
	cr_expect_lt(after - before, GROWTH_KB, "grew by %ld KiB", after - before);
	lab_broker_end(&lab);
	lab_close(&lab);
}
