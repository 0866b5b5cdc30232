/* SPDX-License-Identifier: MIT */
/*
 * follow.h - what all managers of this namespace tell as it happens
 */
#pragma once

#include "tools/common/ctl.h"
#include "tools/mptcpinfo/snapshot.h"

#include <stdbool.h>

enum told_kind {
	TOLD_NOTE,
	TOLD_MISSED, /* `missed` notes that the manager no longer had */
	TOLD_BEGUN,  /* it is followed from here on */
	TOLD_ENDED,
	TOLD_FAILED, /* it cannot be followed: `why` */
};

/* One thing that one manager told. */
struct told {
	enum told_kind kind;
	char name[80]; /* of the control socket */
	pid_t pid;     /* 0: not known */
	uint32_t uid;
	char program[PROGRAM_MAX]; /* fit for a terminal */
	int64_t time_ns;	   /* CLOCK_REALTIME */
	struct pm_note note;
	uint64_t missed;
	char why[96];
};

/* Return: 0; -errno to stop. */
typedef int (*told_fn)(void *ctx, const struct told *told);
/* Whether to follow the manager @pid of @program. */
typedef bool (*wanted_fn)(void *ctx, pid_t pid, const char *program);

struct follower;

struct follow {
	int epoll;
	struct follower *followers;
	size_t n;
	int64_t next_scan_ms; /* CLOCK_MONOTONIC, as clock_ms() */
	unsigned int scan_ms;
	told_fn told;
	wanted_fn wanted;
	void *ctx;
};

/* @scan_ms: how often to look for new managers. Return: 0 or -errno. */
int follow_open(struct follow *f, unsigned int scan_ms, wanted_fn wanted, told_fn told,
		void *ctx);

/* What to poll for, POLLIN; and until when, in ms. */
int follow_fd(const struct follow *f);
int follow_timeout(const struct follow *f);

/* Takes what there is, without waiting. Return: 0, told()'s error, or -errno. */
int follow_serve(struct follow *f);

void follow_close(struct follow *f);
