// SPDX-License-Identifier: MIT
/*
 * requests.c - invalid requests to a manager get an error and do no harm
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "info.h"
#include "mptcpaddr/control.h"
#include "skip.h"
#include "until.h"

#define POOL_TEXT  "[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n"
#define ANSWER_MAX 300000
#define OVERSIZE   100000

struct answer {
	struct ctl_answer head;
	char records[ANSWER_MAX];
};

static int dial(const struct stage *s)
{
	const struct timeval limit = { .tv_sec = EFFECT_MS / 1000 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, len;

	cr_assert_eq(host_enter(&s->w.client), 0);
	len = sprintf(addr.sun_path + 1, CTL_NAME_PREFIX "%d", s->client.pid) + 1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	/* It may listen only after the first connect() has returned. */
	cr_assert(WAIT_FOR(connect(fd, (struct sockaddr *)&addr,
				   offsetof(struct sockaddr_un, sun_path) + len) == 0));
	return fd;
}

/* One datagram each way. Return: the error in the answer, which must be well-formed. */
static int ask(int fd, const void *request, size_t len, struct answer *ret)
{
	ssize_t n;

	cr_assert_eq(send(fd, request, len, MSG_NOSIGNAL), (ssize_t)len, "%s",
		     strerror(errno));
	n = recv(fd, ret, sizeof(*ret), MSG_TRUNC);
	cr_assert_geq(n, (ssize_t)sizeof(ret->head), "%zd: %s", n, strerror(errno));
	cr_assert_eq(ret->head.magic, CTL_MAGIC);
	cr_assert_eq(ret->head.version, CTL_VERSION);
	cr_assert_leq(ret->head.count, CTL_PAGE_MAX);
	cr_assert_eq((size_t)n,
		     sizeof(ret->head) + (size_t)ret->head.count * ret->head.record_size);
	/* At most with an error text. */
	if (ret->head.error)
		cr_assert_leq(ret->head.count, ret->head.op == CTL_OP_EDIT);
	return ret->head.error;
}

static struct ctl_request good(uint16_t op)
{
	return (struct ctl_request){ .magic = CTL_MAGIC,
				     .version = CTL_VERSION,
				     .op = op };
}

static void open_scene(struct stage *s)
{
	pool_write(POOL_TEXT);
	stage_announcing(s);
	stage_preloaded(s, "1");
	cr_assert(WAIT_FOR(subflows_on(&s->w.client) == 3));
}

static bool endpoints_used(const struct stage *s)
{
	json_t *root = info_json(&s->w.client, NULL);
	bool used = !strcmp(text_at(root, "connections.0.endpoints.0.state"), "used") &&
		    !strcmp(text_at(root, "connections.0.endpoints.1.state"), "used");

	json_decref(root);
	return used;
}

/* It still manages the connection, and still answers others. */
static void is_unharmed(struct stage *s)
{
	json_t *root;

	proc_tell(&s->client, "echo 100000");
	cr_assert(WAIT_FOR(proc_said(&s->client, "echoed")), "%s",
		  proc_errors(&s->client));
	root = info_json(&s->w.client, NULL);
	cr_assert_str_eq(text_at(root, "connections.0.manager"), "direct");
	cr_assert_eq(subflow_count(root), 3);
	cr_assert_eq(number_at(root, "managers.0.counters.connections"), 1);
	json_decref(root);
	/* The manager may not have read the second join yet. */
	cr_assert(WAIT_FOR(endpoints_used(s)));
}

Test(requests, every_length_but_the_right_one_is_an_error)
{
	static const size_t longer[] = { sizeof(struct ctl_request) + 1,
					 sizeof(struct ctl_request) * 2, 4096, OVERSIZE };
	struct ctl_request request = good(CTL_OP_MANAGER);
	static struct answer answer;
	static char big[OVERSIZE];
	struct stage s;
	int fd;

	NEED_SANDBOX();
	open_scene(&s);
	fd = dial(&s);
	for (size_t len = 1; len < sizeof(request); len++)
		cr_assert_eq(ask(fd, &request, len, &answer), -EINVAL, "%zu bytes", len);
	memcpy(big, &request, sizeof(request));
	for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++)
		cr_assert_eq(ask(fd, big, longer[i], &answer), -EINVAL, "%zu bytes",
			     longer[i]);
	/* The socket stays usable. */
	cr_assert_eq(ask(fd, &request, sizeof(request), &answer), 0);
	cr_assert_eq(answer.head.count, 1);
	close(fd);
	is_unharmed(&s);
	stage_close(&s);
}

Test(requests, wrong_magic_version_and_operation_are_errors)
{
	static const struct {
		const char *name;
		uint32_t magic;
		uint16_t version, op;
		int error;
	} bad[] = {
		{ "no magic", 0, CTL_VERSION, CTL_OP_MANAGER, -EINVAL },
		{ "byte order", __builtin_bswap32(CTL_MAGIC), CTL_VERSION, CTL_OP_MANAGER,
		  -EINVAL },
		{ "version 0", CTL_MAGIC, 0, CTL_OP_MANAGER, -EPROTO },
		{ "version before", CTL_MAGIC, CTL_VERSION - 1, CTL_OP_MANAGER, -EPROTO },
		{ "version after", CTL_MAGIC, CTL_VERSION + 1, CTL_OP_MANAGER, -EPROTO },
		{ "last version", CTL_MAGIC, UINT16_MAX, CTL_OP_MANAGER, -EPROTO },
		{ "operation 0", CTL_MAGIC, CTL_VERSION, 0, -EOPNOTSUPP },
		{ "unknown operation", CTL_MAGIC, CTL_VERSION, 1000, -EOPNOTSUPP },
		{ "last operation", CTL_MAGIC, CTL_VERSION, UINT16_MAX, -EOPNOTSUPP },
	};
	static struct answer answer;
	struct ctl_request request;
	struct stage s;
	int fd;

	NEED_SANDBOX();
	open_scene(&s);
	fd = dial(&s);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		request = good(bad[i].op);
		request.magic = bad[i].magic;
		request.version = bad[i].version;
		cr_assert_eq(ask(fd, &request, sizeof(request), &answer), bad[i].error,
			     "%s: %d", bad[i].name, answer.head.error);
	}
	close(fd);
	is_unharmed(&s);
	stage_close(&s);
}

/* A page's `after` comes from an answer; other values must end, too. */
Test(requests, invalid_pages_come_to_an_end)
{
	static const uint64_t made_up[] = { 1,		1000,	    UINT32_MAX,
					    1ull << 32, 1ull << 63, UINT64_MAX };
	static const uint16_t paged[] = { CTL_OP_CONNECTIONS, CTL_OP_ENDPOINTS,
					  CTL_OP_ANNOUNCED, CTL_OP_NOTES,
					  CTL_OP_SECTIONS };
	static struct answer answer;
	struct ctl_request request;
	struct stage s;
	int fd, pages;

	NEED_SANDBOX();
	open_scene(&s);
	fd = dial(&s);
	for (size_t i = 0; i < sizeof(paged) / sizeof(paged[0]); i++) {
		for (size_t j = 0; j < sizeof(made_up) / sizeof(made_up[0]); j++) {
			request = good(paged[i]);
			request.after = made_up[j];
			pages = 0;
			do {
				cr_assert_eq(ask(fd, &request, sizeof(request), &answer),
					     0, "op %u", paged[i]);
				request.after = answer.head.next;
				pages++;
			} while (request.after && pages < 10);
			cr_assert_lt(pages, 10, "op %u", paged[i]);
		}
	}
	close(fd);
	is_unharmed(&s);
	stage_close(&s);
}

Test(requests, edit_without_an_end_or_sense_changes_nothing)
{
	static const char *const words[] = { "",
					     " ",
					     "x",
					     "add",
					     "del",
					     "flush x",
					     "add 10.0.9.9 id 300",
					     "\xff\xfe",
					     "add\n10.0.9.9",
					     "limits subflows 999999" };
	struct ctl_request request;
	static struct answer answer;
	struct stage s;
	size_t i;
	int fd;

	NEED_SANDBOX();
	open_scene(&s);
	fd = dial(&s);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		request = good(CTL_OP_EDIT);
		strcpy(request.text, words[i]);
		ask(fd, &request, sizeof(request), &answer);
		cr_assert(answer.head.error || answer.records[0], "'%s' was taken",
			  words[i]);
	}
	request = good(CTL_OP_EDIT);
	memset(request.text, 'a', sizeof(request.text));
	ask(fd, &request, sizeof(request), &answer);
	cr_assert(answer.head.error || answer.records[0]);
	close(fd);
	is_unharmed(&s);
	stage_close(&s);
}

/* Clients that never read, or leave at once, block nobody. */
Test(requests, clients_that_do_not_read_are_disconnected)
{
	struct ctl_request request = good(CTL_OP_NOTES);
	struct stage s;
	int fd, i, n;

	NEED_SANDBOX();
	open_scene(&s);
	fd = dial(&s);
	for (n = 0; n < 100000; n++) {
		if (send(fd, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			continue;
		if (errno == EPIPE || errno == ECONNRESET)
			break;
		usleep(100);
	}
	cr_assert(errno == EPIPE || errno == ECONNRESET, "%d: %s", n, strerror(errno));
	close(fd);
	for (i = 0; i < 200; i++) {
		fd = dial(&s);
		send(fd, &request, i % sizeof(request), MSG_NOSIGNAL);
		close(fd);
	}
	is_unharmed(&s);
	stage_close(&s);
}

/* Random bytes after a valid header; the seed is printed. */
Test(requests, random_bytes_get_an_answer)
{
	unsigned int seed = 20;
	struct ctl_request request;
	static struct answer answer;
	struct stage s;
	uint8_t *bytes;
	size_t i, n;
	int fd;

	NEED_SANDBOX();
	open_scene(&s);
	fd = dial(&s);
	for (n = 0; n < 2000; n++) {
		request = good(CTL_OP_MANAGER + rand_r(&seed) % 5);
		bytes = (void *)&request;
		/* Not EDIT, which may be right by chance, nor FOLLOW, the last request.
		 */
		for (i = rand_r(&seed) % 2 ? 8 : 16; i < sizeof(request); i++)
			bytes[i] = rand_r(&seed);
		ask(fd, &request, sizeof(request), &answer);
	}
	close(fd);
	is_unharmed(&s);
	stage_close(&s);
}
