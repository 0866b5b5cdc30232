// SPDX-License-Identifier: MIT
/*
 * ctl.c - find the managers' control sockets and send them requests
 *
 * A manager is a thread of any program: it may be stopped in a debugger, of another
 * version, or an impostor. So every wait has a time limit, and lengths and counts are
 * checked before anything in an answer is used.
 */
#include "ctl.h"

#include "mptcpaddr/broker.h"
#include "shim/common/clock.h"
#include "shim/common/unix_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_TIMEOUT_MS 300
#define OWN_LOST_MS	  3000 /* for all managers of root or our own user that fail */
#define OTHER_LOST_MS	  ANSWER_TIMEOUT_MS /* the same for those of one other user */
#define TOTAL_TIMEOUT_MS  2000 /* for all pages; 10,000 records take a few ms */
/* Header and a full page of records, even if a later manager's are twice as long. */
#define ANSWER_MAX  (sizeof(struct ctl_answer) + CTL_PAGE_MAX * 512)
#define RECORDS_MAX (4u << 20) /* of one kind, of one manager */
#define VERSION_END (offsetof(struct ctl_answer, version) + sizeof(uint16_t))

#define UNIX_SEQPACKET 0x0005
#define UNIX_ACCEPTCON (1u << 16) /* listening: accepted sockets have its name, too */

static bool is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static struct ctl_user *find_user(struct ctl_budget *budget, uid_t uid)
{
	unsigned int i;

	for (i = 0; i < budget->n; i++)
		if (budget->users[i].uid == uid)
			return &budget->users[i];
	if (i == CTL_USERS_MAX)
		return &budget->users[i - 1];
	budget->n++;
	budget->users[i] = (struct ctl_user){ .uid = uid };
	return &budget->users[i];
}

struct ctl_user *ctl_charge(struct ctl_budget *budget, const struct ctl *ctl)
{
	struct ctl_user *user = find_user(budget, ctl->uid);

	user->lost_ms += clock_ms() - ctl->began_ms;
	user->failed++;
	return user;
}

/* Of a full queue. With thousands of sockets, this takes its time, too. */
static int find_holder(struct ctl *ctl, struct ctl_budget *budget, const char *name)
{
	struct ctl_user *unknown = budget ? find_user(budget, UNIX_NAME_UNKNOWN) : NULL;

	if (unknown && unknown->lost_ms >= OTHER_LOST_MS) {
		unknown->unasked++;
		return -EUSERS;
	}
	ctl->uid = unix_name_owner(name);
	if (unknown)
		unknown->lost_ms += clock_ms() - ctl->began_ms;
	return is_trusted(ctl->uid) || geteuid() == 0 ? -EAGAIN : -EPERM;
}

/* Anybody can bind such a name and fill its queue: ask who, then wait. */
static int connect_name(struct ctl *ctl, struct ctl_budget *budget, const char *name)
{
	const struct timeval timeout = { .tv_usec = ANSWER_TIMEOUT_MS * 1000 };
	struct sockaddr_un addr;
	const socklen_t len = unix_name_address(name, &addr);
	int r;

	ctl->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ctl->fd < 0)
		return -errno;
	r = connect(ctl->fd, (struct sockaddr *)&addr, len) < 0 ? -errno : 0;
	if (r == -EAGAIN)
		r = find_holder(ctl, budget, name);
	if (fcntl(ctl->fd, F_SETFL, 0) < 0 ||
	    setsockopt(ctl->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	if (r == -EAGAIN && is_trusted(ctl->uid))
		r = connect(ctl->fd, (struct sockaddr *)&addr, len) < 0 ? -errno : 0;
	return r;
}

static int check_peer(struct ctl *ctl, struct ctl_budget *budget)
{
	struct ctl_user *user;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(ctl->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	ctl->uid = cred.uid;
	ctl->pid = cred.pid;
	if (!is_trusted(cred.uid) && geteuid() != 0)
		return -EPERM;
	user = budget ? find_user(budget, cred.uid) : NULL;
	if (!user || user->lost_ms < (is_trusted(cred.uid) ? OWN_LOST_MS : OTHER_LOST_MS))
		return 0;
	user->unasked++;
	return -EUSERS;
}

int ctl_open(const char *name, struct ctl_budget *budget, struct ctl *ret_ctl)
{
	struct ctl *ctl = ret_ctl;
	int r;

	*ctl = (struct ctl){ .fd = -1,
			     .began_ms = clock_ms(),
			     .give_up_ms = clock_ms() + TOTAL_TIMEOUT_MS,
			     .uid = UNIX_NAME_UNKNOWN };
	r = connect_name(ctl, budget, name) ?: check_peer(ctl, budget);
	if (r == 0) {
		ctl->buffer = malloc(ANSWER_MAX);
		r = ctl->buffer ? 0 : -ENOMEM;
	}
	if (r < 0)
		ctl_close(ctl);
	return r;
}

/* Of this network namespace. Return: false: unknown. */
static bool broker_path(char ret_path[static UNIX_NAME_MAX])
{
	const int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const bool known = any >= 0 && unix_name_broker(any, ret_path);

	if (any >= 0)
		close(any);
	return known;
}

int ctl_open_broker(struct ctl *ret_ctl)
{
	char path[UNIX_NAME_MAX];
	int r = ctl_open(BROKER_NAME, NULL, ret_ctl);

	if (r == 0 && ret_ctl->uid == 0)
		return 0;
	ctl_close(ret_ctl);
	return broker_path(path) ? ctl_open(path, NULL, ret_ctl) : -ECONNREFUSED;
}

int ctl_ask_broker(struct ctl_manager *ret_about)
{
	struct ctl ctl;
	int r = ctl_open_broker(&ctl);

	memset(ret_about, 0, sizeof(*ret_about));
	if (r == 0)
		r = ctl_ask(&ctl, CTL_OP_MANAGER, 0, sizeof(*ret_about));
	if (r == 0 && ctl_answer(&ctl)->count)
		ctl_record(&ctl, 0, ret_about, sizeof(*ret_about));
	ctl_close(&ctl);
	return r;
}

void ctl_close(struct ctl *ctl)
{
	if (ctl->fd >= 0)
		close(ctl->fd);
	free(ctl->buffer);
	ctl->fd = -1;
	ctl->buffer = NULL;
}

/*
 * Later managers may append to a record, so a longer one is valid. The header's length
 * may differ in another version.
 */
static int check_answer(struct ctl *ctl, uint16_t op, int len, size_t record_size)
{
	const struct ctl_answer *answer = ctl_answer(ctl);

	if ((size_t)len < VERSION_END || answer->magic != CTL_MAGIC)
		return -EBADMSG;
	if (answer->version != CTL_VERSION) {
		ctl->version = answer->version;
		return -EPROTO;
	}
	if ((size_t)len < sizeof(*answer))
		return -EBADMSG;
	if (answer->error)
		return answer->error < 0 && answer->error >= -4095 ? answer->error
								   : -EBADMSG;
	if (answer->op != op || answer->count > CTL_PAGE_MAX ||
	    (answer->count && answer->record_size < record_size) ||
	    sizeof(*answer) + (uint64_t)answer->count * answer->record_size !=
		    (size_t)len)
		return -EBADMSG;
	return 0;
}

int ctl_send(struct ctl *ctl, uint16_t op, uint64_t after)
{
	struct ctl_request request = {
		.magic = CTL_MAGIC, .version = CTL_VERSION, .op = op, .after = after
	};

	if (send(ctl->fd, &request, sizeof(request), MSG_NOSIGNAL) < 0)
		return errno == EPIPE ? -ECONNRESET : -errno;
	return 0;
}

int ctl_receive(struct ctl *ctl, uint16_t op, size_t record_size, int timeout_ms)
{
	const struct timeval timeout = { .tv_sec = timeout_ms / 1000,
					 .tv_usec = timeout_ms % 1000 * 1000 };
	ssize_t n = -1;

	if (setsockopt(ctl->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	do
		n = recv(ctl->fd, ctl->buffer, ANSWER_MAX, MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (n == 0)
		return -ECONNRESET;
	return (size_t)n > ANSWER_MAX ? -EBADMSG : check_answer(ctl, op, n, record_size);
}

void ctl_record(const struct ctl *ctl, uint32_t i, void *ret, size_t record_size)
{
	const struct ctl_answer *answer = ctl_answer(ctl);

	memcpy(ret, ctl->buffer + sizeof(*answer) + (size_t)i * answer->record_size,
	       record_size);
}

int ctl_ask(struct ctl *ctl, uint16_t op, uint64_t after, size_t record_size)
{
	const int64_t left = ctl->give_up_ms - clock_ms();
	int r;

	if (left <= 0)
		return -ETIMEDOUT;
	r = ctl_send(ctl, op, after);
	return r < 0 ? r
		     : ctl_receive(ctl, op, record_size,
				   left < ANSWER_TIMEOUT_MS ? (int)left
							    : ANSWER_TIMEOUT_MS);
}

/* Append the records of the answer. */
static int take_page(const struct ctl *ctl, size_t record_size, char **array, size_t *n)
{
	const uint32_t count = ctl_answer(ctl)->count;
	uint32_t i;
	char *mem;

	if (*n + count > RECORDS_MAX)
		return -E2BIG;
	mem = count ? reallocarray(*array, *n + count, record_size) : *array;
	if (count && !mem)
		return -ENOMEM;
	*array = mem;
	for (i = 0; i < count; i++)
		ctl_record(ctl, i, mem + (*n)++ * record_size, record_size);
	return 0;
}

int ctl_read(struct ctl *ctl, uint16_t op, size_t record_size, void *ret_array,
	     size_t *ret_n)
{
	size_t n = 0;
	char *array = NULL;
	uint64_t after = 0;
	int r;

	do {
		r = ctl_ask(ctl, op, after, record_size);
		if (r == 0)
			r = take_page(ctl, record_size, &array, &n);
		if (r == 0)
			after = ctl_answer(ctl)->next;
	} while (r == 0 && after);
	if (r < 0) {
		free(array);
		return r;
	}
	/* Each caller's pointer is of another type: copy it, do not alias it. */
	memcpy(ret_array, &array, sizeof(array));
	*ret_n = n;
	return 0;
}

/* A line of /proc/net/unix. Return: whether it names a control socket. */
static bool parse_unix_line(const char *line, char ret_name[static NAME_TEXT_MAX])
{
	unsigned int flags, type;
	char name[65], end;

	if (sscanf(line,
		   "%*x: %*x %*x %x %x %*x %*u @" CTL_NAME_PREFIX "%64[a-z0-9._-]%c",
		   &flags, &type, name, &end) != 4 ||
	    end != '\n' || !(flags & UNIX_ACCEPTCON) || type != UNIX_SEQPACKET)
		return false;
	snprintf(ret_name, NAME_TEXT_MAX, CTL_NAME_PREFIX "%s", name);
	return true;
}

bool ctl_is_stand_in(pid_t pid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (f && !fgets(name, sizeof(name), f))
		name[0] = '\0';
	if (f)
		fclose(f);
	return !strcmp(name, CTL_STAND_IN "\n");
}

int ctl_find_names(char (**ret_names)[NAME_TEXT_MAX], size_t *ret_n)
{
	char(*names)[NAME_TEXT_MAX], *line = NULL, path[UNIX_NAME_MAX];
	FILE *f = fopen("/proc/net/unix", "re");
	size_t size = 0, n = 0;

	if (!f)
		return -errno;
	/* Pages that are not written cost nothing. */
	names = calloc(NAMES_MAX + 1, sizeof(*names));
	if (names && broker_path(path) && access(path, F_OK) == 0 &&
	    unix_name_owner(BROKER_NAME) != 0)
		snprintf(names[n++], sizeof(*names), "%.*s", NAME_TEXT_MAX - 1, path);
	while (names && n <= NAMES_MAX && getline(&line, &size, f) > 0)
		n += parse_unix_line(line, names[n]);
	free(line);
	fclose(f);
	if (!names)
		return -ENOMEM;
	*ret_names = names;
	*ret_n = n < NAMES_MAX ? n : NAMES_MAX;
	return n > NAMES_MAX ? -E2BIG : 0;
}
