/* SPDX-License-Identifier: MIT */
/*
 * unit.h - the settings of a systemd service that the library depends on
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#define UNIT_NAME_MAX 256
#define UNIT_TEXT_MAX 4096

struct unit {
	char name[UNIT_NAME_MAX];    /* "curl.service" */
	char file[PATH_MAX];	     /* with the root in front */
	char program[PATH_MAX];	     /* of ExecStart, without its prefixes; "": none */
	char preload[UNIT_TEXT_MAX]; /* its LD_PRELOAD; "": none */
	char environment_file[PATH_MAX]; /* one that sets LD_PRELOAD; "": none */
	bool bounded;			 /* CapabilityBoundingSet= is given */
	bool families;			 /* RestrictAddressFamilies= allows some */
	bool private_users;
	bool user;	     /* not root */
	char root[PATH_MAX]; /* RootDirectory= or RootImage=; "": none */
};

/*
 * unit_name() - "curl" to "curl.service"
 *
 * Return: 0; -EINVAL: not a name; -EOPNOTSUPP: a unit that runs no program.
 */
int unit_name(const char *word, char ret_name[UNIT_NAME_MAX]);

/*
 * unit_read() - read @name below @root, and its drop-ins except those called @except
 *
 * Return: 0; -ENOENT: no such unit; -ESHUTDOWN: masked; other -errno.
 */
int unit_read(const char *root, const char *name, const char *except,
	      struct unit *ret_unit);
