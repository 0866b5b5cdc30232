// SPDX-License-Identifier: MIT
/*
 * liar.c - a control socket that misbehaves in one way, which no real manager would
 *
 *	liar FAULT [TOKEN...]
 *
 * Bound to mptcpaddr/PID; prints "ready". With the fault "none" it answers as it should,
 * claiming these tokens, but PAGE at a time, so that the asker has to come again.
 */
#include <mptcpaddr/control.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PAGE	    2
#define STRIDE_MORE 16 /* of a manager that has grown */
#define OLD_ANSWER  24 /* bytes */

enum fault {
	NONE,
	GROWN,	    /* longer records than we know: not a fault, must be read */
	VERSION,    /* another version, and says so */
	OLD,	    /* version 1, whose header was shorter than ours */
	GARBAGE,    /* no magic */
	SHORT,	    /* less than a header */
	OVERCOUNT,  /* more records promised than sent */
	TINYRECORD, /* records too short for their version */
	ENDLESS,    /* pages without end */
	CHANGING,   /* another pool each time that it is asked */
	COUNTLESS,  /* no record where there must be one */
	SILENT,	    /* never answers */
	HANGUP,
	FAULTS,
};

static const char *const fault_names[FAULTS] = {
	"none",	     "grown",	  "version",	"old",	   "garbage",
	"short",     "overcount", "tinyrecord", "endless", "changing",
	"countless", "silent",	  "hangup",
};

static char answer_buf[65536];

static size_t put(size_t at, const void *record, size_t size, size_t stride)
{
	memcpy(answer_buf + at, record, size);
	return at + stride;
}

static size_t record_size(uint16_t op)
{
	switch (op) {
	case CTL_OP_MANAGER:
		return sizeof(struct ctl_manager);
	case CTL_OP_CONNECTIONS:
		return sizeof(struct pm_conn_report);
	case CTL_OP_ENDPOINTS:
		return sizeof(struct ctl_endpoint);
	case CTL_OP_ANNOUNCED:
		return sizeof(struct pm_announced_report);
	default:
		return sizeof(struct ctl_section);
	}
}

static size_t connections(const struct ctl_request *req, struct ctl_answer *answer,
			  char **tokens)
{
	struct pm_conn_report conn = { .subflows = 1 };
	size_t at = sizeof(*answer);
	uint32_t i;

	for (; tokens[answer->total]; answer->total++)
		;
	for (i = req->after; i < answer->total && answer->count < PAGE; i++) {
		conn.token = strtoul(tokens[i], NULL, 0);
		at = put(at, &conn, sizeof(conn), answer->record_size);
		answer->count++;
	}
	answer->next = i < answer->total ? i : 0;
	return at;
}

static size_t records(const struct ctl_request *req, struct ctl_answer *answer,
		      char **tokens, enum fault fault)
{
	struct ctl_manager self = { .pid = getpid(),
				    .backend = "direct",
				    .program = "liar" };
	static struct ctl_endpoint endpoint = { .local_id = 1 };

	answer->record_size = record_size(req->op) + (fault == GROWN ? STRIDE_MORE : 0);
	if (req->op == CTL_OP_CONNECTIONS)
		return connections(req, answer, tokens);
	if (req->op == CTL_OP_MANAGER && fault != COUNTLESS) {
		answer->count = answer->total = 1;
		return put(sizeof(*answer), &self, sizeof(self), answer->record_size);
	}
	if (req->op == CTL_OP_ENDPOINTS && fault == CHANGING) {
		answer->count = answer->total = 1;
		endpoint.local_id++;
		return put(sizeof(*answer), &endpoint, sizeof(endpoint),
			   answer->record_size);
	}
	return sizeof(*answer);
}

static size_t make_answer(const struct ctl_request *req, char **tokens, enum fault fault)
{
	struct ctl_answer answer = { .magic = CTL_MAGIC,
				     .version = CTL_VERSION,
				     .op = req->op };
	size_t len = records(req, &answer, tokens, fault);

	if (fault == VERSION)
		answer.version = CTL_VERSION + 1;
	if (fault == OLD) {
		answer.version = 1;
		answer.error = -22;
		len = OLD_ANSWER;
	}
	if (fault == GARBAGE)
		answer.magic = 0;
	if (fault == SHORT)
		len = 5;
	if (fault == OVERCOUNT)
		answer.count += 1000;
	if (fault == TINYRECORD)
		answer.record_size = 1;
	if (fault == ENDLESS && req->op == CTL_OP_CONNECTIONS) {
		answer.count = 1;
		answer.next = req->after + 1;
		len = sizeof(answer) + answer.record_size;
		memset(answer_buf + sizeof(answer), 0, answer.record_size);
	}
	memcpy(answer_buf, &answer, sizeof(answer));
	return len;
}

static void serve(int fd, char **tokens, enum fault fault)
{
	struct ctl_request req;

	while (fault != HANGUP && recv(fd, &req, sizeof(req), 0) == sizeof(req)) {
		if (fault == SILENT)
			continue;
		if (send(fd, answer_buf, make_answer(&req, tokens, fault), MSG_NOSIGNAL) <
		    0)
			break;
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	enum fault fault = 0;
	int len, fd;

	while (argc > 1 && fault < FAULTS && strcmp(argv[1], fault_names[fault]) != 0)
		fault++;
	if (argc < 2 || fault == FAULTS)
		return 2;
	len = sprintf(addr.sun_path + 1, CTL_NAME_PREFIX "%d", getpid());
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&addr,
		 offsetof(struct sockaddr_un, sun_path) + 1 + len) < 0 ||
	    listen(fd, 8) < 0) {
		perror("liar");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		serve(accept(fd, NULL, NULL), argv + 2, fault);
}
