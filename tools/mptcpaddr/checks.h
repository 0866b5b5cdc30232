/* SPDX-License-Identifier: MIT */
/*
 * checks.h - what the library needs of this machine, checked for run and doctor
 */
#pragma once

#include "finding.h"

#include <net/if.h>
#include <stddef.h>

#define DEVICES_MAX 16

/* Interfaces that pool files name. */
struct devices {
	char names[DEVICES_MAX][IFNAMSIZ];
	unsigned int n;
};

/*
 * check_machine() - the kernel, its settings, and who may manage paths
 *
 * @devices: what doctor has found in pool files; NULL for run, which leaves out what does
 * not hinder one program.
 */
void check_machine(struct findings *findings, const struct devices *devices);

/* check_network() - packet filters, and the kernel's counters of this namespace. */
void check_network(struct findings *findings, const struct devices *devices);

/* is_backend() - whether @word is a value of MPTCPADDR_BACKEND. */
bool is_backend(const char *word);

/* find_root_broker() - whether root's mptcpaddrd serves this network namespace. */
bool find_root_broker(void);

/* read_sysctl() - "net/mptcp/enabled", say. Return: false if it is missing. */
bool read_sysctl(const char *name, char *ret_text, size_t size);
