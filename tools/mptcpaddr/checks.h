/* SPDX-License-Identifier: MIT */
/*
 * checks.h - what the library needs of this machine, checked for run and doctor
 */
#pragma once

#include "command.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICES_MAX 16

/* Interfaces that pool files name. */
struct devices {
	char names[DEVICES_MAX][IFNAMSIZ];
	unsigned int n;
};

/*
 * check_machine() - the kernel, its settings, and who may manage paths; for doctor also
 * packet filters
 *
 * @devices: what doctor has found in pool files; NULL for run, which leaves out what does
 * not hinder one program.
 */
void check_machine(struct findings *findings, const struct devices *devices);

/* warn_of_machine() - on stderr, why a valid pool file has no effect here */
void warn_of_machine(void);

/* is_backend() - whether @word is a value of MPTCPADDR_BACKEND. */
bool is_backend(const char *word);

/* find_broker() - whether an mptcpaddrd of root's serves this network namespace. */
bool find_broker(void);

/* find_backend() - who manages the paths of programs: one of those; "none": nobody */
const char *find_backend(void);

/* read_first_line() - of the file @path. Return: false, and "", if it has none. */
bool read_first_line(const char *path, char *ret_text, size_t size);

/* check_slips() - what is allowed in the file @path, but is rarely meant */
void check_slips(struct findings *findings, const char *path);

/* After an error of a pool file: a manager or broker keeps the pool that it has. */
#define POOL_REJECTED "; no pool until this is fixed, unless the previous one is in use"

/*
 * check_running_pools() - those that a manager, or the broker's policy, rejects
 * @known: errors that are reported already, or NULL
 */
void check_running_pools(struct findings *findings, const char *known);
