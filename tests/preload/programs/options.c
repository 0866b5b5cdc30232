// SPDX-License-Identifier: MIT
/*
 * options.c - every socket option by its number: what setsockopt() and getsockopt() say
 *
 * options 4|6 fresh|listening|connected|accepted: a line for each option, each try with a
 * socket of its own in that state.
 */
#include "program.h"

#define NAMES 128 /* the kernel's highest is 84 */
#define BAD   ((void *)8)

static const struct {
	int level;
	const char *unstable; /* options whose value differs from socket to socket */
} levels[] = {
	{ SOL_SOCKET, " 55 57 71 " },
	{ IPPROTO_IP, " " },
	{ IPPROTO_IPV6, " " },
	{ IPPROTO_TCP, " 11 24 " },
};

static const struct
try {
	int value;
	socklen_t len;
}
tries[] = {
	{ 1, 4 },	{ 0, 4 },   { -1, 4 },
	{ INT_MAX, 4 }, { 300, 4 }, { 0x736c74 /* "tls" */, 4 },
	{ 1, 0 },	{ 1, 1 },   { 1, 3 },
	{ 1, 8 },	{ 1, 16 },  { 1, 40 },
};

static int family, listener;
static const char *state;
static struct sockaddr_storage at;
static socklen_t at_len;

static int listening(void)
{
	int fd = socket(family, SOCK_STREAM, 0);

	at_len = parse(family == AF_INET ? "127.0.0.1" : "::1", "0", &at);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, at_len) < 0 || listen(fd, 5) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &at_len) < 0)
		die("listen");
	return fd;
}

/* Both ends have sent something: the connection is MPTCP for good. */
static void talk(int a, int b)
{
	char c = 'x';

	if (write(a, &c, 1) != 1 || read(b, &c, 1) != 1 || write(b, &c, 1) != 1 ||
	    read(a, &c, 1) != 1)
		die("talk");
}

/* Return: a socket in the state; its peer, or -1. */
static int make(int *peer)
{
	const struct linger reset = { .l_onoff = 1 };
	int fd, accepted;

	*peer = -1;
	if (!strcmp(state, "listening"))
		return listening();
	fd = socket(family, SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	if (!strcmp(state, "fresh"))
		return fd;
	if (connect(fd, (struct sockaddr *)&at, at_len) < 0)
		die("connect");
	accepted = accept(listener, NULL, NULL);
	if (accepted < 0)
		die("accept");
	talk(fd, accepted);
	*peer = strcmp(state, "accepted") ? accepted : fd;
	setsockopt(*peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return strcmp(state, "accepted") ? fd : accepted;
}

static const char *word(int r)
{
	return r ? error_name(errno) : "ok";
}

static bool has_stable_value(unsigned int level, int name)
{
	char text[16];

	snprintf(text, sizeof(text), " %d ", name);
	return !strcmp(state, "fresh") && !strstr(levels[level].unstable, text);
}

/* Return: false if the kernel does not know the option. */
static bool try_option(unsigned int level, int name, const struct try *try)
{
	struct {
		int value, more[15];
	} set = { try->value, { 0 } }, got = { 0, { 0 } };
	const int number = levels[level].level;
	socklen_t len = try->len;
	int peer, fd = make(&peer), r;
	bool unknown;

	errno = PRESET_ERRNO;
	r = setsockopt(fd, number, name, &set, try->len);
	unknown = r && errno == ENOPROTOOPT;
	printf(" %s", word(r));
	if (!r && errno != PRESET_ERRNO)
		printf("(errno %d)", errno);
	errno = PRESET_ERRNO;
	r = getsockopt(fd, number, name, &got, &len);
	unknown &= r && errno == ENOPROTOOPT;
	printf("/%s", word(r));
	if (!r && errno != PRESET_ERRNO)
		printf("(errno %d)", errno);
	if (!r && try->len == sizeof(int) && has_stable_value(level, name))
		printf("=%d", got.value);
	close(fd);
	if (peer >= 0)
		close(peer);
	return !unknown;
}

static void try_bad_pointers(int level, int name)
{
	socklen_t len = sizeof(int);
	int peer, fd = make(&peer), value;

	printf(" bad %s", word(setsockopt(fd, level, name, BAD, len)));
	printf("/%s", word(getsockopt(fd, level, name, BAD, &len)));
	printf("/%s", word(getsockopt(fd, level, name, &value, BAD)));
	close(fd);
	if (peer >= 0)
		close(peer);
}

static void show_option(unsigned int level, int name)
{
	unsigned int i;

	printf("%s %s %d/%d:", family == AF_INET ? "4" : "6", state, levels[level].level,
	       name);
	for (i = 0; i < sizeof(tries) / sizeof(*tries); i++)
		if (!try_option(level, name, &tries[i]))
			break;
	try_bad_pointers(levels[level].level, name);
	puts("");
}

int main(int argc, char *argv[])
{
	unsigned int level;
	int name;

	alarm(2 * PROGRAM_SECONDS);
	if (argc != 3)
		return 2;
	family = argv[1][0] == '4' ? AF_INET : AF_INET6;
	state = argv[2];
	listener = listening();
	for (level = 0; level < sizeof(levels) / sizeof(*levels); level++)
		for (name = 0; name < NAMES; name++)
			show_option(level, name);
	return 0;
}
