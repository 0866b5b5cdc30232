// SPDX-License-Identifier: MIT
/*
 * control.c - requests to a manager's control socket
 *
 * Input: requests, each a byte with its operation in the low bits. 0x10: `after` follows;
 * 0x20: the request is not whole: its length and all its bytes follow; 0x40: a second
 * client sends it; 0x80: the kernel has news first. Otherwise the text up to a NUL
 * follows.
 */
#include "fuzz.h"
#include "shim/manager/control_server.h"

#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS	   2
#define ANSWER_MAX (256 * 1024)

static struct server {
	struct engine *engine;
	struct control control;
	struct pool_watch watch;
	struct ctl_manager about;
	struct event_pump pump;
	int peers[CLIENTS];
} s;

static int edit_pool(void *ctx, char *words, char *ret_why, size_t size)
{
	struct pool_error why = { "" };
	struct pool *old;
	int r;

	(void)ctx;
	fuzz_check(strlen(words) < CTL_TEXT_MAX, "a long text");
	r = watch_edit(&s.watch, words, &old, &why);
	snprintf(ret_why, size, "%s", why.text);
	fuzz_check(r == 0 || why.text[0], "refused without a reason");
	if (r == 0) {
		engine_set_pool(s.engine, s.watch.pool);
		pool_free(old);
	}
	return r;
}

static void tell_engine(enum pm_event_type type, uint32_t token, uint8_t net)
{
	struct pm_event ev = { .type = type, .token = token, .remote_id = net };
	struct pm_cmds out = { 0 };
	const uint8_t local[] = { 10, 0, 1, 2 }, remote[] = { 10, 0, net, 1 };

	mpaddr_set(&ev.local, AF_INET, local);
	mpaddr_set(&ev.remote, AF_INET, remote);
	ev.family = AF_INET;
	ev.remote.port = 80;
	ev.local.port = 40000;
	if (type == PM_EVENT_ANNOUNCED)
		ev.local = (struct mpaddr){ 0 };
	engine_handle(s.engine, &ev, &out);
	engine_tick(s.engine, &out);
}

static void open_server(void)
{
	static const char text[] = "[pool]\nendpoint = 10.0.2.2\nendpoint = dev eth1\n"
				   "[pool \"10.9.0.0/16\"]\nendpoint = 10.0.3.2 signal\n";
	struct pm_registration reg = { 0 };

	s = (struct server){ .control = { .listener = -1 },
			     .watch = {
				     .path = "a.conf", .rtnl_fd = -1, .file_fd = -1 } };
	pool_load_text(text, sizeof(text) - 1, "a.conf", &s.watch.spec, &s.watch.error);
	s.watch.pool = malloc(sizeof(*s.watch.pool));
	*s.watch.pool = *s.watch.spec;
	s.engine = engine_new(s.watch.pool);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		int fds[2];

		fuzz_check(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds),
			   "no sockets");
		s.control.clients[s.control.n_clients++].fd = fds[0];
		s.peers[i] = fds[1];
	}
	for (reg.token = 1; reg.token <= 3; reg.token++) {
		engine_register(s.engine, &reg);
		tell_engine(PM_EVENT_ESTABLISHED, reg.token, 1);
		tell_engine(PM_EVENT_ANNOUNCED, reg.token, 2);
	}
}

static void close_server(void)
{
	for (unsigned int i = 0; i < CLIENTS; i++)
		close(s.peers[i]);
	control_close(&s.control);
	engine_free(s.engine);
	watch_close(&s.watch);
}

static void serve(void)
{
	const struct control_view view = { .about = &s.about,
					   .engine = s.engine,
					   .watch = &s.watch,
					   .pump = &s.pump,
					   .edit = edit_pool };
	struct pollfd fds[CONTROL_FDS_MAX] = { 0 };

	/* control_poll_fill() gives clients only to a listener. */
	for (unsigned int i = 0; i < s.control.n_clients; i++)
		fds[1 + i] = (struct pollfd){ .fd = s.control.clients[i].fd,
					      .events = POLLIN };
	poll(&fds[1], s.control.n_clients, 0);
	control_serve(&s.control, fds, &view);
}

static void read_answers(int fd)
{
	static union {
		struct ctl_answer head;
		char data[ANSWER_MAX];
	} answer;
	ssize_t n;

	while ((n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT)) > 0) {
		fuzz_check(n >= (ssize_t)sizeof(answer.head), "%zd bytes", n);
		fuzz_check(answer.head.magic == CTL_MAGIC &&
				   answer.head.version == CTL_VERSION,
			   "not an answer");
		fuzz_check(answer.head.error <= 0 && answer.head.count <= CTL_PAGE_MAX,
			   "error %d, %u records", answer.head.error, answer.head.count);
		fuzz_check(n == (ssize_t)(sizeof(answer.head) +
					  answer.head.count * answer.head.record_size),
			   "%zd bytes for %u records", n, answer.head.count);
	}
}

/* Return: the length of the request. */
static size_t take_request(struct input *in, uint8_t what, struct ctl_request *ret)
{
	const uint8_t *end;
	size_t len;

	*ret = (struct ctl_request){ CTL_MAGIC, CTL_VERSION, what & 15, 0, "" };
	if (what & 0x20) {
		len = input_u16(in) % (sizeof(*ret) + 1);
		input_take(in, ret, len);
		return len;
	}
	if (what & 0x10)
		input_take(in, &ret->after, sizeof(ret->after));
	end = input_left(in) ? memchr(in->at, '\0', input_left(in)) : NULL;
	len = (end ?: in->end) - in->at;
	input_take(in, ret->text, len < sizeof(ret->text) ? len : sizeof(ret->text));
	in->at += end && in->at < in->end;
	return sizeof(*ret);
}

FUZZ_TARGET(data, size)
{
	struct input in = { data, data + size };
	struct ctl_request request;
	size_t len;

	open_server();
	for (unsigned int i = 0; input_left(&in) && i < 64; i++) {
		const uint8_t what = input_u8(&in);
		const int fd = s.peers[what >> 6 & 1];

		if (what & 0x80)
			tell_engine(i & 1 ? PM_EVENT_REMOVED : PM_EVENT_ANNOUNCED,
				    1 + i % 3, 2 + i % 5);
		len = take_request(&in, what, &request);
		if (len)
			send(fd, &request, len, MSG_NOSIGNAL);
		serve();
		read_answers(fd);
		fuzz_check(engine_conns(s.engine) == 3, "a connection has gone");
	}
	close_server();
	return 0;
}
