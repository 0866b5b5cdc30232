/* SPDX-License-Identifier: MIT */
/*
 * broker_command.h - the command that starts the broker on this machine
 */
#pragma once

#include <limits.h>

#define BROKER_COMMAND_MAX (PATH_MAX + 8)

/* In front of a command that only root may run. */
#define AS_ROOT (geteuid() ? "sudo " : "")

/* broker_command_find() - its unit, or mptcpaddrd next to this tool or in PATH */
const char *broker_command_find(char text[static BROKER_COMMAND_MAX]);
