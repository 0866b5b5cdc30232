/* SPDX-License-Identifier: MIT */
/*
 * unit.h - what a systemd service says, as far as the library's work depends on it
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#define UNIT_NAME_MAX 256
#define UNIT_TEXT_MAX 4096

struct unit {
	char name[UNIT_NAME_MAX];    /* "curl.service" */
	char file[PATH_MAX];	     /* where it was found, below the root */
	char program[PATH_MAX];	     /* of ExecStart, without its prefixes; "": none */
	char preload[UNIT_TEXT_MAX]; /* what it sets LD_PRELOAD to; "": nothing */
	char environment_file[PATH_MAX]; /* one that sets LD_PRELOAD; "": none does */
	bool bounded;			 /* CapabilityBoundingSet= is given */
	bool families;			 /* RestrictAddressFamilies= allows some only */
	bool private_users;
	bool user;	     /* it runs as another user than root */
	char root[PATH_MAX]; /* RootDirectory= or RootImage=; "": none */
};

/*
 * unit_name() - "curl" to "curl.service"
 *
 * Return: 0; -EINVAL: not a name; -EOPNOTSUPP: a unit that runs no program.
 */
int unit_name(const char *word, char ret_name[UNIT_NAME_MAX]);

/*
 * unit_read() - @name and its drop-ins, but for the one called @except, below @root
 *
 * Return: 0; -ENOENT: there is no such unit; -ESHUTDOWN: it is masked; -errno.
 */
int unit_read(const char *root, const char *name, const char *except,
	      struct unit *ret_unit);
