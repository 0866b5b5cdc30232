/* SPDX-License-Identifier: MIT */
/*
 * unit.h - the settings of a systemd service that the library depends on
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#define DROP_IN "mptcpaddr.conf" /* the one that is ours */

#define UNIT_NAME_MAX 256
#define SETTING_MAX   4096

#define START_PREFIXES "@-:+!|" /* of ExecStart= */

/* What the library depends on. */
struct unit {
	const char *root;	   /* directory; "": this system */
	char name[UNIT_NAME_MAX];  /* "curl.service" */
	char file[PATH_MAX];	   /* with the root in front */
	char program[PATH_MAX];	   /* of ExecStart, without its prefixes; "": none */
	char start[SETTING_MAX];   /* ExecStart= as it is written; the last one */
	unsigned int starts;	   /* how many there are */
	char preload[SETTING_MAX]; /* its LD_PRELOAD; "": none */
	char godebug[SETTING_MAX]; /* its GODEBUG; "": none */
	char environment_file[PATH_MAX]; /* one that sets LD_PRELOAD; "": none */
	bool bounded;			 /* CapabilityBoundingSet= is given */
	bool families;			 /* RestrictAddressFamilies= allows some */
	bool filters;			 /* SystemCallFilter= is given */
	bool no_exec;			 /* NoExecPaths= is given */
	bool forks, pid_file;		 /* Type=forking, PIDFile= */
	bool private_users;
	bool user;		 /* not root */
	char own_root[PATH_MAX]; /* RootDirectory= or RootImage=; "": none */
};

/*
 * unit_set_name() - "curl" to "curl.service"
 *
 * Return: 0; -EINVAL; -EOPNOTSUPP: it runs no program.
 */
int unit_set_name(struct unit *unit, const char *word);

/*
 * unit_read() - the unit and its other drop-ins, below unit->root
 *
 * Return: 0; -ESHUTDOWN: masked; other -errno.
 */
int unit_read(struct unit *unit);
